/* store_internal.h - what store.c (reading) and committer.c (changing) share. */
#ifndef STORE_STORE_INTERNAL_H
#define STORE_STORE_INTERNAL_H

#include <stdatomic.h>

#include "base/lock.h"
#include "store/index.h"
#include "store/store.h"

struct committer;

/* Everything a reader may see. */
struct shown {
	struct index *by_id;   /* struct container *, owned references */
	struct index *by_name; /* struct metadata *, borrowed from the containers; those with a name */
	uint64_t revision;     /* of the newest applied change */
};

struct store {
	struct backend *backend; /* owned */
	struct store_options options;
	uint8_t token_key[32];
	uint64_t loaded_revision; /* changes have higher ones; set by store_load */
	struct rwlock lock;
	struct shown shown_; /* only through store_see and store_edit */
	struct committer *committer; /* owned */
	atomic_ullong by_state[CONTAINER_STATE_COUNT];
	atomic_ullong transitions[CONTAINER_STATE_COUNT][CONTAINER_STATE_COUNT];
	atomic_ullong created, deleted;
};
/*
 * Whenever lock is not held for writing:
 * 1. revision is that of the last change the backend accepted and we applied.
 * 2. Each container in by_id has 0 < its revision <= revision, and stands there once.
 * 3. by_name holds the metadata of exactly those containers in by_id that have a name.
 */

const struct shown *store_see(const struct store *s) tsa(requires_shared_capability(s->lock));
struct shown *store_edit(struct store *s) tsa(requires_capability(s->lock));

/* Make sure that <n> creations can be shown without memory.  The committer's, or the loader's, thread. */
must_check int store_reserve(struct store *, size_t n);

/* Show a batch of accepted changes at once.  Cannot fail: places for creations were reserved. */
void store_apply(struct store *, const struct backend_change *, size_t n);

/* Put a loaded container in; takes the reference. */
must_check int store_insert_loaded(struct store *, struct container *);

/* References to the first containers whose id begins with <prefix>; at most <max>.  Under the lock. */
size_t store_with_prefix(const struct index *by_id, const char *prefix, struct container **ret, size_t max);

/* ---- committer ---- */

/* What loading found and the committer has to write down; takes the reference. */
must_check int committer_note_found(struct committer *, struct container *, unsigned flags);

must_check struct committer *committer_new(struct store *);
must_check int committer_start(struct committer *, uint64_t revision, struct err *);
void committer_stop(struct committer *);
void committer_free(struct committer *);
void committer_submit(struct committer *, struct ticket *);
void committer_withdraw_late(struct committer *);
const char *committer_read_only(struct committer *);
void committer_figures(struct committer *, struct store_figures *ret);

#endif
