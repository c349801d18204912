/* addresses.h - how many connections each peer address holds, across all loops. */
#ifndef API_ADDRESSES_H
#define API_ADDRESSES_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/compiler.h"

struct addresses;

/* An address as a key; is_counted false: loopback and unix sockets, which have no limit. */
struct address_key {
	uint8_t bytes[16];
	bool is_counted;
};
struct address_key address_key_of(const struct sockaddr *, socklen_t);

/* <limit> 0: no limit.  NULL when memory runs out. */
must_check struct addresses *addresses_new(unsigned limit);
void addresses_free(struct addresses *); /* accepts NULL */

/* May this address have one more? */
bool addresses_may_enter(struct addresses *, const struct address_key *);

/* Count one in and out.  False: memory ran out, the connection is not counted. */
must_check bool addresses_enter(struct addresses *, const struct address_key *);
void addresses_leave(struct addresses *, const struct address_key *);

#endif
