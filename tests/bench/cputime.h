/* cputime.h - CPU time of running processes, from outside. */
#ifndef CPUTIME_H
#define CPUTIME_H

#include <sys/types.h>
#include "bench.h"

/* Nanoseconds that all threads of these processes have run so far: the first field of
 * /proc/PID/task/TID/schedstat, summed.  Exact to one scheduler tick per running thread.  Threads that have ended are no
 * longer there: take both readings while the connections of a thread-per-connection server are open.
 * A process that is gone ends the program. */
must_check uint64_t cputime_ns(const pid_t *pids, size_t count);

#endif
