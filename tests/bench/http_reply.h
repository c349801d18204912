/* http_reply.h - reads HTTP/1.1 replies off a connection, piece by piece.
 *
 *     struct http_reply reply;
 *     http_reply_reset(&reply);
 *     while ((r = http_reply_feed(&reply, bytes, len)) == HTTP_REPLY_MORE)
 *             ... receive more ...
 *
 * Made for a closed loop: one reply is awaited at a time, bytes behind it are a fault.  Understands
 * Content-Length, chunked, and the replies that have no body; nothing else is ever sent by the servers measured.
 * The body is counted and forgotten. */
#ifndef HTTP_REPLY_H
#define HTTP_REPLY_H

#include <stdbool.h>
#include "bench.h"

enum http_reply_answer { HTTP_REPLY_MORE, HTTP_REPLY_DONE };

struct http_reply {
	int status;          /* 200, 404 ...; 0 until the head is complete */
	bool closes;         /* the server said Connection: close */
	uint64_t body_bytes; /* of content, without chunk framing */

	int phase;
	bool chunked;
	uint64_t left; /* content bytes of the body or of the chunk still to come */
	uint64_t chunk_size;
	size_t head_len;
	char head[CAP_REPLY_HEAD + 1];
};

void http_reply_reset(struct http_reply *);

/* Take <len> bytes.  HTTP_REPLY_MORE, HTTP_REPLY_DONE, or -EPROTO when they are no reply or run past its end. */
must_check int http_reply_feed(struct http_reply *, const char *bytes, size_t len);

#endif
