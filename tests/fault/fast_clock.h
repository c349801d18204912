/* fast_clock.h - time runs FAST_CLOCK times as fast for the whole process: what waits 400 ms waits 4.
 *
 * By the linker (--wrap), under base/clock and base/lock: every timer of the service keeps its proportion to every
 * other one, and nobody has to be told. */
#ifndef FAULT_FAST_CLOCK_H
#define FAULT_FAST_CLOCK_H

enum { FAST_CLOCK = 100 };

/* What clock_gettime(CLOCK_MONOTONIC) said when this was first called is where both clocks agree.  Call it first. */
void fast_clock_begin(void);

#endif
