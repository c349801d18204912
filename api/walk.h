/* walk.h - listings that are being paged through, and the tokens that continue them.
 *
 * All pages of a walk show one revision: the first page's listing is kept while there is more to come.  A token says revision,
 * query and how many items were shown, and is signed; the listing it needs may have been dropped (too old, too many walks), which
 * is an answer, not an error. */
#ifndef API_WALK_H
#define API_WALK_H

#include <stdint.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/compiler.h"
#include "store/store.h"

struct walks;

enum {
	WALKS_MAX = 64,
	WALK_ITEMS_MAX = 4 * 1000 * 1000, /* references that all walks together may hold */
	WALK_SECONDS = 60,                /* unasked for so long: dropped, for it keeps old snapshots in memory */
};

/* <key>: 32 secret bytes, borrowed.  NULL when memory runs out. */
must_check struct walks *walks_new(const uint8_t *key, const struct clock *);
void walks_free(struct walks *); /* accepts NULL */

/* Keep a listing of a query for its next pages and make the token that asks for them; <shown> items were shown.
 * The token lives in the arena; NULL when memory runs out. */
must_check const char *walk_continue(struct walks *, struct listing *, uint64_t query, uint64_t shown, struct arena *);

enum walk_answer {
	WALK_FOUND,
	WALK_E_FORGED,  /* no token of ours */
	WALK_E_OTHER,   /* of ours, but for another query */
	WALK_E_EXPIRED, /* the listing is no longer kept */
};

/* Drop what nobody asked for in a while.  Called about once a second. */
void walks_expire(struct walks *);

/* The listing a token belongs to (the caller's reference) and how many of its items were shown. */
must_check enum walk_answer walk_find(struct walks *, const char *token, uint64_t query, struct listing **ret, uint64_t *ret_shown);

#endif
