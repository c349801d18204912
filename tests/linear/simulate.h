/* simulate.h - histories of a register that is right by construction: what the checker must accept.
 *
 * Clients call, take effect and return at random moments; some answers are lost, and what was lost takes effect at some later
 * moment or never.  Revisions are even, so that odd ones are free for whoever plants an error. */
#ifndef LINEAR_SIMULATE_H
#define LINEAR_SIMULATE_H

#include "linear/wgl.h"

struct simulation {
	uint64_t seed;
	size_t operations, clients;
	unsigned lost_percent;
};

/* <operations> operations of one container; the caller frees them.  Lost reads are left out. */
struct wgl_op *simulate(const struct simulation *, size_t *ret_count);

#endif
