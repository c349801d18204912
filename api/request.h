/* request.h - an HTTP request as a value.
 *
 * The server fills it piece by piece; handlers see it whole and never meet the HTTP library.  It is refused or accepted
 * in three steps: request_read_head (what the head alone shows), the router, and the handler. */
#ifndef API_REQUEST_H
#define API_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "container/change.h"
#include "store/store.h"

enum {
	CAP_TARGET = 8 * 1024,
	CAP_HEADERS = 16 * 1024,
	CAP_HEADER_COUNT = 100,
	CAP_BODY = 1024 * 1024,
	CAP_DRAIN = 64 * 1024, /* a refused body up to this is swallowed, so that the connection can go on */
	CAP_REQUEST_ID = 128,
	SEGMENTS_MAX = 4,
	PARAMETERS_MAX = 32,
};

enum method {
	METHOD_GET = 1, METHOD_HEAD = 2, METHOD_POST = 4, METHOD_PUT = 8, METHOD_PATCH = 16, METHOD_DELETE = 32,
	METHOD_OPTIONS = 64,
};
enum { METHOD_COUNT = 7 };

/* A single method's name; NULL for none. */
const char *method_name(enum method);
enum method method_parse(const char *name); /* 0: not known */

/* The header fields that mean something here.  LIST: several lines are one list (RFC 9110 5.3); ONE: a second line is a bad request. */
#define REQUEST_HEADERS(X)                                                                               \
	X(HOST, "Host", ONE) X(CONTENT_LENGTH, "Content-Length", ONE)                                    \
	X(TRANSFER_ENCODING, "Transfer-Encoding", ONE) X(CONTENT_TYPE, "Content-Type", ONE)              \
	X(CONTENT_ENCODING, "Content-Encoding", LIST) X(EXPECT, "Expect", LIST)                          \
	X(ACCEPT, "Accept", LIST) X(ACCEPT_ENCODING, "Accept-Encoding", LIST)                            \
	X(IF_MATCH, "If-Match", LIST) X(IF_NONE_MATCH, "If-None-Match", LIST)                            \
	X(PREFER, "Prefer", LIST) X(REQUEST_ID, "X-Request-Id", FIRST) X(TRACEPARENT, "traceparent", FIRST)

enum request_header {
#define X(id_, name_, repeats_) HEADER_##id_,
	REQUEST_HEADERS(X)
#undef X
	HEADER_COUNT
};

struct parameter {
	const char *name, *value; /* decoded; value "" when there was no '=' */
};

struct route;

struct request {
	struct arena arena; /* everything that lives as long as the request */

	/* the head */
	const char *target;   /* as it came; NULL: longer than CAP_TARGET */
	const char *method_text, *version;
	enum method method;   /* 0: not known */
	const char *header[HEADER_COUNT]; /* NULL: not sent */
	bool repeated[HEADER_COUNT];
	bool no_memory;  /* something it says could not be kept: the answer is 500 */
	bool odd_header; /* a name that is no token, or a value with a control character */
	size_t header_count, header_bytes, head_bytes; /* fields; their bytes as name, ": ", value, CRLF; the head as received */
	bool has_body, is_chunked;
	uint64_t content_length; /* announced */

	/* the target, taken apart */
	const char *path; /* without query */
	const char *segment[SEGMENTS_MAX]; /* decoded; the version prefix is gone */
	size_t segment_count; /* SEGMENTS_MAX + 1: more than any route has */
	struct parameter parameter[PARAMETERS_MAX];
	size_t parameter_count;
	bool is_asterisk; /* OPTIONS * */

	/* who asks */
	char id[CAP_REQUEST_ID + 1];
	bool traced; /* traceparent is well-formed: echo it */

	/* what was found */
	const struct route *route;
	unsigned media; /* the one of route->produces that the client likes best */
	bool minimal;   /* Prefer: return=minimal */

	/* the body */
	struct buf body;
	bool too_big;

	/* a change on its way */
	struct change change;
	struct ticket ticket;
};

/* One header field, in the order received; <value> is borrowed for the life of the request. */
void request_add_header(struct request *, const char *name, const char *value);

/* Take the target apart.  NULL, or why it is malformed (static text): 400 and close. */
must_check const char *request_read_target(struct request *);

/* What the header fields show of a broken or doubtful framing.  NULL, or why (static text): 400 and close. */
must_check const char *request_check_framing(const struct request *);

/* The client's id when it is visible ASCII and short enough, else <made>. */
void request_take_id(struct request *, const char *made);

/* A parameter's value; NULL when it was not given. */
const char *request_parameter(const struct request *, const char *name);

#endif
