/* raw.h - bytes on a socket, for requests that no client library would send.
 *
 * Every call is bounded in time.  Handles live until raw_close; what is read lives until the process ends. */
#ifndef SUPPORT_RAW_H
#define SUPPORT_RAW_H

#include <stdbool.h>
#include <stddef.h>

struct raw;

/* Connect to what server_address gives. */
struct raw *raw_open(const char *address);
void raw_close(struct raw *);
/* The same, but by a reset: what was not read or sent is thrown away. */
void raw_reset(struct raw *);

/* All of it, or false when the peer will not take it. */
bool raw_send(struct raw *, const char *bytes, size_t len);
bool raw_say(struct raw *, const char *text);
/* One byte at a time, each in a packet of its own. */
bool raw_drip(struct raw *, const char *text);
/* Half-close: nothing more will be sent. */
void raw_finish(struct raw *);

/* One answer off the wire. */
struct raw_reply {
	int status; /* 0: closed or reset before a whole head; -1: the time was up */
	char *head, *body;
	size_t body_len;
	bool close; /* the head says Connection: close */
};
struct raw_reply raw_read(struct raw *);
/* The answer to a HEAD: its lengths announce what is not there. */
struct raw_reply raw_read_head(struct raw *);

/* Whether anything has come that was not read yet; does not wait. */
bool raw_has_come(struct raw *);

/* Read until the peer closes.  Returns what still came, or NULL when it did not close in time. */
char *raw_rest(struct raw *);
/* Whether the peer has closed, with nothing more said. */
bool raw_closed(struct raw *);

/* A connection of its own for <bytes>: everything that came until the peer closed or fell silent for a moment. */
struct raw_reply raw_once(const char *address, const char *bytes, size_t len, bool *ret_closed);

#endif
