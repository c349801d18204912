/* memory_backend.h - containers that last as long as the process: a backend for tests, trials and yardsticks. */
#ifndef STORE_MEMORY_BACKEND_H
#define STORE_MEMORY_BACKEND_H

#include "store/backend.h"

/* NULL when memory runs out. */
must_check struct backend *memory_backend_new(void);

#endif
