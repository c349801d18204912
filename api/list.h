/* list.h - GET /containers: the query, one page of a walk, and its three forms. */
#ifndef API_LIST_H
#define API_LIST_H

#include "api/app.h"
#include "api/reply.h"
#include "api/request.h"
#include "container/filter.h"

enum { LIST_LIMIT_DEFAULT = 100, LIST_LIMIT_MAX = 1000 };

struct list_query {
	struct filter *filter;   /* in the request's arena */
	uint64_t hash;           /* of filters and order: a token is good for these alone */
	size_t limit;            /* SIZE_MAX: everything (lines without a limit asked for) */
	const char *token;       /* NULL: the first page */
};

/* False: the reply holds the refusal. */
bool list_read_query(struct request *, struct reply *, struct list_query *ret);

void list_answer(struct app *, struct request *, struct reply *, const struct list_query *);

/* The aligned table for terminals, of items [from, to).  Hostile bytes in names are shown as '?'. */
int list_add_table(struct buf *, const struct listing *, size_t from, size_t to);

/* Compress a list into reply->bytes when that is worth it.  True: done; the list is consumed. */
bool list_compress(struct reply *, struct list_body *);
const char *compress_library(void);

#endif
