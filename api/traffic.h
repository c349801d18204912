/* traffic.h - counters of the HTTP surface.  Each loop has one of its own and is alone in writing it; who reads adds them up. */
#ifndef API_TRAFFIC_H
#define API_TRAFFIC_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "base/histogram.h"

enum {
	TRAFFIC_ROUTES_MAX = 24, /* rows of the route table, and one for what has no route */
	TRAFFIC_CODES_MAX = 48,
};

/* The status codes that are counted, in order; what else might come counts as the last. */
extern const unsigned traffic_codes[];
extern const size_t traffic_code_count;

struct traffic_loop {
	_Alignas(64) atomic_ullong requests[TRAFFIC_ROUTES_MAX][TRAFFIC_CODES_MAX];
	struct histogram seconds[TRAFFIC_ROUTES_MAX];
	atomic_ullong accepted, closed, timed_out, bad_framing, gone; /* connections; requests whose client left */
	atomic_ullong suspended;                                      /* requests that wait for the committer now */
};

struct traffic {
	size_t loops;
	struct traffic_loop *loop; /* owned */
	atomic_ullong refused;     /* connections over a limit */
	atomic_ullong body_bytes;  /* of all bodies in memory */
};

static inline void traffic_count(atomic_ullong *n)
{
	atomic_fetch_add_explicit(n, 1, memory_order_relaxed);
}

void traffic_request(struct traffic_loop *, size_t route, unsigned status, int64_t took_ns);

#endif
