/* server.h - HTTP over libmicrohttpd: loops, connections, and the life of a request.
 *
 * One thread and one daemon of the library per loop, driven from outside through its epoll descriptor: the library's own
 * epoll loop sleeps on ready sockets whenever exactly 128 events come at once.  Connections are accepted by us and
 * spread evenly (arrivals.h).  Handlers run in the loops and must not block; a write is suspended until the committer has its result. */
#ifndef API_SERVER_H
#define API_SERVER_H

#include <stddef.h>
#include <stdint.h>

#include "api/app.h"
#include "api/listener.h"
#include "base/compiler.h"
#include "base/err.h"

struct server;

struct server_options {
	unsigned loops;                  /* threads; 0 = one per processor */
	unsigned max_connections;        /* in all */
	unsigned max_connections_per_ip; /* loopback and unix sockets are exempt; 0 = no limit */
	unsigned idle_seconds;           /* a connection on which nothing happens is closed */
	uint64_t body_budget;            /* bytes of all request bodies in memory */
};

/* Start serving on the listeners, which stay the caller's and outlive the server.  0, or a fault. */
must_check int server_start(struct app *, const struct listener *, size_t n, const struct server_options *, struct server **ret,
			    struct err *);

/* Stop accepting, finish what is under way (at most <grace_ns>), close.  The store must still run. */
void server_stop(struct server *, int64_t grace_ns);
void server_free(struct server *); /* accepts NULL; after server_stop */

const char *server_version(void);
const char *server_commit(void);
const char *server_library(void); /* version of libmicrohttpd */

#endif
