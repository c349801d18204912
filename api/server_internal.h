/* server_internal.h - what server.c (loops, connections) and exchange.c (the life of a request) share. */
#ifndef API_SERVER_INTERNAL_H
#define API_SERVER_INTERNAL_H

#include <microhttpd.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "api/addresses.h"
#include "api/reply.h"
#include "api/request.h"
#include "api/server.h"
#include "base/lock.h"

enum { LISTENERS_MAX = 8, SPARE_EXCHANGES = 256 };

enum phase {
	PHASE_BEGIN,   /* the head is being read */
	PHASE_BODY,
	PHASE_WAITING, /* suspended: the committer has the change */
	PHASE_SENDING,
};

/* One request and its answer.  Belongs to the loop's thread, but for what the committer writes into the ticket while
 * the connection is suspended. */
struct exchange {
	struct request request;
	struct reply reply;
	struct loop *loop;
	struct MHD_Connection *connection;
	struct peer *peer;
	enum phase phase;
	int64_t began_ns;
	uint64_t swallowed;     /* body bytes nobody wants */
	uint64_t budgeted;      /* body bytes charged to the budget */
	struct exchange *spare; /* next free one */
};

/* One connection: known so that slow ones can be ended. */
struct peer {
	struct peer *before, *after;
	struct loop *loop;
	int fd;
	int64_t deadline_ns; /* monotonic; INT64_MAX: somebody else bounds the wait */
	bool reading;        /* we wait for the client, not it for us */
	struct address_key address;
	bool counted;
};

struct loop {
	struct server *server;
	unsigned number;
	pthread_t thread;
	bool running;
	struct MHD_Daemon *daemon;
	int daemon_epoll;
	int arrivals[2];             /* pipe of descriptors: connections that other loops accepted for this one */
	int64_t accept_again_ns;     /* descriptors ran out: nothing is accepted until then */
	atomic_size_t connections;   /* of this loop, those in the pipe included; every loop reads it to find who has fewest */
	bool took_in;                /* the library took over the connection it was given last */
	int wake;                    /* eventfd: something was resumed, or it is time to stop */
	atomic_bool woken;           /* wake was written and not drained yet: one write serves many resumes */
	struct peer *peers;
	struct exchange *spares;     /* owned */
	size_t spare_count;
	struct traffic_loop *traffic;
	int64_t now_ns;              /* monotonic, of this turn of the loop */
	int64_t next_sweep_ns, drain_until_ns;
	bool draining;
	size_t waiting, sending, receiving; /* exchanges in these phases */
	atomic_size_t resuming;      /* committer's calls into the library that have not returned yet */
	uint64_t id_seed, id_count;  /* of the request ids made here */
};
/*
 * 1. waiting, sending and receiving count the exchanges of this loop by phase (receiving: PHASE_BODY).
 * 2. A connection is counted, in its loop and in all, from before it is accepted until its end or its refusal.
 * 3. A daemon is stopped only when waiting and resuming are 0: the library aborts on a suspended connection, and a
 *    resume that is still in the library would touch what the stop frees.
 */

struct server {
	struct app *app;
	struct server_options options;
	struct traffic traffic;
	struct addresses *addresses;
	int listener[LISTENERS_MAX]; /* the caller's */
	size_t listener_count;
	struct loop *loops; /* owned */
	size_t loop_count;
	atomic_size_t connections; /* of all loops, and those about to be accepted: never above the limit for long */
	atomic_bool full; /* a loop has stopped accepting for want of room: who leaves wakes all */
	atomic_bool stopping;
	int64_t grace_ns;
};

/* Callbacks of the library (exchange.c). */
void *exchange_on_target(void *loop, const char *target, struct MHD_Connection *);
enum MHD_Result exchange_on_access(void *loop, struct MHD_Connection *, const char *url, const char *method, const char *version,
				   const char *data, size_t *size, void **slot);
void exchange_on_done(void *loop, struct MHD_Connection *, void **slot, enum MHD_RequestTerminationCode);
void exchange_free(struct exchange *);

/* End the loop's poll.  Any thread.  With polling from outside the library has no wake-up of its own: a resume alone
 * would be noticed when something else happens. */
void loop_wake(struct loop *);

/* A connection waits for its next request until then (server.c). */
int64_t peer_idle_deadline(const struct loop *);

#endif
