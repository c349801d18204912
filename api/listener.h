/* listener.h - sockets to listen on: "127.0.0.1:8080", "[::1]:8080", "unix:/run/tallyd.sock". */
#ifndef API_LISTENER_H
#define API_LISTENER_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/compiler.h"
#include "base/err.h"

struct listener {
	int fd;
	bool is_unix, is_loopback; /* a unix socket counts as loopback */
	char address[160];         /* as bound: with the port that was chosen for :0 */
	dev_t device;              /* of a unix socket's file, so that only our own is removed */
	ino_t inode;
};

/* Bind and listen.  A unix socket's file gets mode 0600; one that nobody listens on any more is replaced.
 * 0, or a fault whose text names the address and what to do. */
must_check int listener_open(const char *address, struct listener *ret, struct err *);
void listener_close(struct listener *); /* removes a unix socket's file */

/* Would this address be reachable from other machines?  0 no, 1 yes, or a fault when it cannot be read. */
must_check int listener_is_public(const char *address, struct err *);

#endif
