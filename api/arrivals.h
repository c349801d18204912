/* arrivals.h - new connections: accepted by whichever loop is awake, served by the one that has the fewest.
 *
 * Loops that compete for connections get them in runs (52 and 12 of 64 were seen on two loops), and then one processor
 * waits while the other is late with everything.  A connection that another loop accepted comes through a pipe, which
 * also ends that loop's poll. */
#ifndef API_ARRIVALS_H
#define API_ARRIVALS_H

#include <poll.h>

#include "api/server_internal.h"

enum { ARRIVALS_POLLED = 1 + LISTENERS_MAX };

/* Make and close the pipe of a loop.  0, or a negative errno. */
must_check int arrivals_open(struct loop *);
void arrivals_close(struct loop *); /* and every connection that was still in it */

/* What a loop waits for: fills <ret> before each poll.  Listening sockets are left out while nobody may come in: when the
 * loop drains, the server is full, or descriptors ran out a moment ago.  How many there are. */
size_t arrivals_watch(struct loop *, struct pollfd ret[static ARRIVALS_POLLED]);

/* Take in what that poll showed in those <n>. */
void arrivals_take(struct loop *, const struct pollfd *ready, size_t n);

/* A connection of this loop has ended: there may be room for one that waits. */
void arrivals_left(struct loop *);

#endif
