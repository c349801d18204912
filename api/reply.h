/* reply.h - an HTTP answer as a value: what a handler fills and the server sends.
 *
 * One of a few kinds of body; the reply owns what it was given until it is sent or cleared.  A builder that runs out of
 * memory marks the reply failed, and the server then sends a plain 500 instead: handlers need not look. */
#ifndef API_REPLY_H
#define API_REPLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "api/request.h"
#include "base/buf.h"
#include "container/container.h"
#include "store/store.h"

/* Media types that can be asked for; routes name them as sets. */
enum media {
	MEDIA_JSON = 1, MEDIA_NDJSON = 2, MEDIA_TEXT = 4, MEDIA_YAML = 8, MEDIA_METRICS = 16, MEDIA_PROBLEM = 32,
};
const char *media_type(enum media); /* as Content-Type says it */

enum reply_body {
	REPLY_EMPTY,
	REPLY_BYTES,    /* reply->bytes, owned */
	REPLY_STATIC,   /* reply->slice, lives for ever */
	REPLY_SNAPSHOT, /* reply->slice, a part of reply->container */
	REPLY_LIST,     /* reply->list */
};

/* Part of a listing as a body: `head item separator item ... tail`, never in memory as a whole. */
struct list_body {
	struct listing *listing; /* owned reference */
	size_t from, to;         /* items [from, to) */
	struct buf head, tail;
	const char *separator;   /* between items; "\n" behind each item too when is_lines */
	bool is_lines;
};

enum { REPLY_HEADERS_MAX = 12, CAP_REPLY = 64 * 1024 * 1024 };

struct reply {
	unsigned status; /* 0: not answered yet */
	enum media media;
	enum reply_body kind;
	struct buf bytes;
	struct slice slice;
	struct container *container; /* owned reference */
	struct list_body *list;      /* owned */
	struct {
		const char *name, *value; /* static, in the request's arena, or of the container that is sent */
	} header[REPLY_HEADERS_MAX];
	size_t header_count;
	bool close;    /* the connection ends with this answer */
	bool failed;   /* memory ran out: 500 */
	const char *problem; /* its slug, for the log; NULL = none */
};
#define REPLY_NONE { .bytes = BUF(CAP_REPLY) }

void reply_clear(struct reply *);

/* Add a header field; the value is static, lives in the request's arena, or belongs to the container that is the body.
 * NULL marks the reply failed. */
void reply_header(struct reply *, const char *name, const char *value);

/* Strong entity tag of a revision. */
void reply_etag(struct reply *, struct request *, uint64_t revision);

void reply_empty(struct reply *, unsigned status);
void reply_static(struct reply *, unsigned status, enum media, struct slice);
void reply_bytes(struct reply *, unsigned status, enum media); /* the body is what stands in reply->bytes */

/* A part of a snapshot's ready bytes; takes the reference. */
void reply_snapshot(struct reply *, unsigned status, struct container *takes, struct slice);

/* Takes the list body. */
void reply_list(struct reply *, unsigned status, enum media, struct list_body *takes);
void list_body_free(struct list_body *);
uint64_t list_body_size(const struct list_body *);

/* Reading a list body piece by piece: a position, and a copy of what comes next.  0 at the end. */
struct list_cursor {
	size_t part, at; /* 0 = head, 1 + 2i = item i, 2 + 2i = what follows it, then the tail */
};
size_t list_body_read(const struct list_body *, struct list_cursor *, char *to, size_t room);

/* Turn the reply into a response of the HTTP library, which then owns what the reply owned.  <extra> fields that every
 * answer bears are added from the request.  NULL when memory runs out: the connection can only be closed. */
struct MHD_Response;
must_check struct MHD_Response *reply_response(struct reply *, struct request *, bool close);

#endif
