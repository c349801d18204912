/* router.h - the whole surface as a table (routes.c): one row per operation of the contract. */
#ifndef API_ROUTER_H
#define API_ROUTER_H

#include "api/app.h"
#include "api/reply.h"
#include "api/request.h"

/* A handler either fills the reply, or, where the row has a finish, leaves reply->status 0 with request->change
 * filled: the change is submitted, and finish answers when it has ended. */
typedef void handler(struct app *, struct request *, struct reply *);

enum { CONSUMES_NOTHING = 0, CONSUMES_JSON = 1, CONSUMES_MERGE_PATCH = 2 };

/* What caches may do with an answer. */
enum freshness {
	RESOURCE,  /* keep it, ask before using it; varies by Accept */
	DOCUMENT,  /* the same, in one form */
	MOMENTARY, /* true at this moment alone */
};

struct route {
	enum method method;
	const char *pattern; /* '*' stands for one segment that is not empty */
	const char *name;    /* operationId in openapi.yaml, and the handler's own name */
	handler *handle, *finish;
	unsigned produces; /* set of enum media */
	unsigned consumes;
	enum freshness freshness;
	const char *const *parameters; /* query parameters; NULL-terminated */
};

extern const struct route routes[];
extern const size_t route_count;

/* Find the row.  *ret_allowed is the set of methods the path knows (HEAD with GET, and OPTIONS); 0: no such path.
 * NULL when the path or the method is not there. */
const struct route *router_find(const struct request *, unsigned *ret_allowed);

/* "GET, HEAD, OPTIONS", in the arena. */
const char *router_allow(unsigned allowed, struct arena *);

#endif
