/* load_run.h - the closed loop: each connection has one request on its way, and sends the next when the reply
 * is complete.  One thread, one epoll; everything is bounded in time and in count. */
#ifndef LOAD_RUN_H
#define LOAD_RUN_H

#include <stdbool.h>
#include <sys/socket.h>
#include <sys/types.h>

#include "bench.h"
#include "latency.h"
#include "request.h"

enum load_order {
	LOAD_OWN,     /* connection k always asks for container k (modulo their number) */
	LOAD_RANDOM,  /* any container, drawn anew for each request */
	LOAD_SEQUENCE /* 0, 1, 2 ... and over again: with max_requests = ids each exactly once */
};

struct load_options {
	struct sockaddr_storage address;
	socklen_t address_len;
	struct request_shape shape;
	unsigned connections;
	uint64_t warmup_ns;    /* requests that end before it are not counted */
	uint64_t duration_ns;  /* from the end of the warm-up */
	uint64_t max_requests; /* 0: no bound but the time */
	uint64_t ids;
	enum load_order order;
	uint64_t seed;
	pid_t pids[CAP_PIDS]; /* whose CPU time is read at both ends of the window */
	size_t pid_count;
	bool spin; /* never sleep: for a generator with a processor of its own */
};

struct load_result {
	uint64_t window_ns;  /* as it turned out */
	uint64_t requests;   /* complete replies within the window, of any status */
	uint64_t non_2xx;
	uint64_t errors;     /* connections refused, cut or broken, replies that make no sense, no reply at all */
	uint64_t body_bytes;
	uint64_t cpu_ns;
	int first_bad_status;
	struct latency latency;
};

/* Run to the end; fills <ret_result>, which the caller provides because it is large. */
void load_run(const struct load_options *, struct load_result *ret_result);

#endif
