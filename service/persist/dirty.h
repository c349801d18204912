/* dirty.h - the table of containers whose files are behind.  Not locked: its owner does that.
 *
 * An item is by the id once, and in one of three places: held (nothing to do until a change is noted), in the queue,
 * or taken by a round. */
#ifndef PERSIST_DIRTY_H
#define PERSIST_DIRTY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "container/container.h"

enum dirty_place { DIRTY_HELD, DIRTY_QUEUED, DIRTY_TAKEN };

struct dirty_item {
	struct dirty_item *chain;       /* the next of the same bucket, or of the free list */
	struct dirty_item *prev, *next; /* in the queue */
	enum dirty_place place;
	struct container *snapshot; /* owned; a deletion's last object */
	unsigned todo;
	uint64_t first_revision;    /* oldest change that is in no file; UINT64_MAX = none needs the journal */
	int64_t since_ns, retry_ns; /* monotonic: of that change; not to be tried before */
	/* While taken: what was noted meanwhile. */
	struct container *later; /* owned; NULL = nothing */
	unsigned later_todo;
	uint64_t later_first;
	int64_t later_since_ns;
	/* What the worker says. */
	int result;
	bool parent_changed;
};

struct dirty {
	struct dirty_item **bucket; /* owned */
	size_t bucket_count, count; /* count: items in the buckets */
	struct dirty_item queue;    /* the ring's head; its snapshot is unused */
	size_t queued;
	struct dirty_item *free;    /* owned */
	size_t free_count;
};

void dirty_init(struct dirty *);
void dirty_done(struct dirty *);

/* Make sure that <n> items can be added.  0 or -ENOMEM. */
must_check int dirty_reserve(struct dirty *, size_t n);

/* Note a change of the container at <revision>; takes a reference.  The snapshot it displaces is returned, the
 * caller's to drop; NULL = none.  Needs a reserved place. */
struct container *dirty_note(struct dirty *, struct container *c, unsigned todo, uint64_t revision, int64_t now_ns);

/* As found at a start; needs a reserved place, and the id must be new. */
void dirty_add(struct dirty *, struct container *c, unsigned todo, uint64_t first_revision, bool held, int64_t now_ns);

/* Take at most <max> items that are due at <now_ns>: noted before <before_ns>, and not to be retried later. */
size_t dirty_take(struct dirty *, struct dirty_item **ret, size_t max, int64_t before_ns, int64_t now_ns);

/* A taken item comes back, done or not; with <retry_ns> if not.  Up to two snapshots to drop are put to ret_drop;
 * returns how many. */
size_t dirty_settle(struct dirty *, struct dirty_item *, bool done, int64_t retry_ns, struct container *ret_drop[static 2]);

/* What the queue says as a whole. */
struct dirty_view {
	uint64_t first_revision; /* the oldest; UINT64_MAX = nothing needs the journal */
	int64_t oldest_ns;       /* since when; INT64_MAX = empty */
	int64_t due_ns;          /* when the first item will be due, <age> after it was noted; INT64_MAX = empty */
};
struct dirty_view dirty_look(const struct dirty *, int64_t age_ns);

#endif
