/* index.h - items in the order of a text key: exact look-up, first of a prefix, walk in order.
 *
 * A two-level sorted array: chunks of at most 64 entries, and a directory of chunks.  Each entry carries the first eight
 * bytes of its key, so that a search touches few items.  Look-up and change cost O(log n); a walk is sequential.
 * Not locked: its owner does that.  Keys belong to the items and must not change while they are in the index. */
#ifndef STORE_INDEX_H
#define STORE_INDEX_H

#include <stdbool.h>
#include <stddef.h>

#include "base/compiler.h"

struct index;

/* <key> gives an item's key; <tie>, which may be NULL, a second one for items that may share a key. */
typedef const char *index_key(const void *item);
must_check struct index *index_new(index_key *key, index_key *tie);
void index_free(struct index *); /* the items are not its own; accepts NULL */

/* Make sure that the next <n> inserts cannot fail.  0 or -ENOMEM. */
must_check int index_reserve(struct index *, size_t n);

/* Put an item in.  An item of the same key (and tie) is replaced and returned, else NULL.  Needs a reserved place. */
void *index_put(struct index *, void *item);

/* Take the item of this key (and tie, NULL without) out and return it; NULL when there is none. */
void *index_take(struct index *, const char *key, const char *tie);

void *index_get(const struct index *, const char *key, const char *tie);
size_t index_count(const struct index *);

/* A walk in order; invalid after any change. */
struct index_cursor {
	size_t chunk, at;
};

/* Stand before the first item whose key is not less than <key>. */
struct index_cursor index_seek(const struct index *, const char *key);

/* The next item, or NULL at the end. */
void *index_next(const struct index *, struct index_cursor *);

#endif
