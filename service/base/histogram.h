/* histogram.h - counts of durations in fixed buckets; any thread may add, any thread may read.
 *
 * The bounds suit everything measured here, from one memory access to a disk that hangs. */
#ifndef BASE_HISTOGRAM_H
#define BASE_HISTOGRAM_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

/*      upper bound in ns, as Prometheus shows it in seconds */
#define HISTOGRAM_BOUNDS(X)                                                                           \
	X(25000, "0.000025") X(100000, "0.0001") X(250000, "0.00025") X(500000, "0.0005")             \
	X(1000000, "0.001") X(2500000, "0.0025") X(5000000, "0.005") X(10000000, "0.01")              \
	X(25000000, "0.025") X(100000000, "0.1") X(500000000, "0.5") X(2500000000, "2.5") X(10000000000, "10")

enum {
#define X(ns_, text_) +1
	HISTOGRAM_BUCKETS = HISTOGRAM_BOUNDS(X) + 1 /* the last: beyond every bound */
#undef X
};

struct histogram {
	atomic_ullong bucket[HISTOGRAM_BUCKETS]; /* each counts its own range alone */
	atomic_ullong sum_ns;
};

static inline void histogram_add(struct histogram *h, int64_t ns)
{
	static const int64_t bounds[] = {
#define X(ns_, text_) INT64_C(ns_),
		HISTOGRAM_BOUNDS(X)
#undef X
	};
	size_t i = 0;

	while (i < HISTOGRAM_BUCKETS - 1 && ns > bounds[i])
		i++;
	atomic_fetch_add_explicit(&h->bucket[i], 1, memory_order_relaxed);
	atomic_fetch_add_explicit(&h->sum_ns, ns > 0 ? (unsigned long long)ns : 0, memory_order_relaxed);
}

#endif
