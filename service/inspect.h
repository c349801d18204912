/* inspect.h - looking at a root or a running service from outside: --check-root and --check-health. */
#ifndef INSPECT_H
#define INSPECT_H

#include "config.h"

/* Load the root as a start would, change nothing, tell what was found.  The exit status a start would have. */
int inspect_root(const struct config *);

/* Each line of standard input is a root; each gets a line of JSON, from a process of its own with a time limit. */
int inspect_roots(const struct config *);

/* 0 when the service at the first listen address says it is ready, else 1. */
int inspect_health(const struct config *);

#endif
