/* latency.h - a histogram of durations with a fixed size.
 *
 * Log-linear: each power of two is cut into 128 equal steps, so a percentile is off by less than 0.8 % and
 * recording costs a few instructions and no allocation, at any rate.  One thread. */
#ifndef LATENCY_H
#define LATENCY_H

#include "bench.h"

enum { LATENCY_STEPS = 128, LATENCY_POWERS = 58 };

struct latency {
	uint64_t count;
	uint64_t max_ns;
	uint64_t bucket[LATENCY_POWERS][LATENCY_STEPS];
};

void latency_add(struct latency *, uint64_t ns);

/* The duration in microseconds that <permille> of a thousand did not exceed; 0 when nothing was recorded. */
must_check double latency_us(const struct latency *, unsigned permille);

#endif
