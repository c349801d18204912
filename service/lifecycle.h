/* lifecycle.h - serve until told to stop: everything is started in order and stopped in reverse. */
#ifndef LIFECYCLE_H
#define LIFECYCLE_H

#include "config.h"
#include "store/backend.h"

/* Exit statuses of the program. */
enum { EXIT_RAN = 0, EXIT_FAILED = 1, EXIT_OPTIONS = 2, EXIT_DAMAGED = 3, EXIT_FORMAT = 4 };

/* The exit status that a fault of the start stands for. */
int lifecycle_exit_status(int fault);

/* Serve.  Returns the program's exit status; 0 after SIGTERM or SIGINT. */
int lifecycle_serve(const struct config *);

/* The backend that is configured; 0, or a fault. */
must_check int lifecycle_backend(const struct config *, struct backend **ret, struct err *);

#endif
