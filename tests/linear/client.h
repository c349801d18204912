/* client.h - one connection to the server, one request at a time, over a plain socket.
 *
 * A client library would be too slow for 64 clients beside the server on two processors, and would try again by itself. */
#ifndef LINEAR_CLIENT_H
#define LINEAR_CLIENT_H

#include <stddef.h>
#include <stdint.h>

struct client;

struct ask {
	const char *method, *target;
	const char *headers; /* lines, each ended by CRLF; NULL = none */
	const char *body;    /* NULL = none */
};

struct answer {
	int status;        /* 0: none came, nobody knows what became of the request */
	uint64_t revision; /* of a strong ETag; 0 = there was none */
	const char *body;  /* ended by NUL; good until the next request */
	size_t len;
};

/* Connect to "127.0.0.1:PORT"; NULL when nobody takes the connection. */
struct client *client_open(const char *address);
void client_close(struct client *); /* accepts NULL */

/* After status 0 or a reply that closes, client_is_open is false and only client_close may follow. */
struct answer client_ask(struct client *, const struct ask *);
int client_is_open(const struct client *);

/* Send the first <bytes> of a request and leave, by a reset or in peace.  Only client_close may follow. */
void client_leave(struct client *, const struct ask *, size_t bytes, int by_reset);

#endif
