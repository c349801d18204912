/* batch.h - tickets that are decided together, and the changes some of them make.  The committer's thread alone. */
#ifndef STORE_BATCH_H
#define STORE_BATCH_H

#include "store/store.h"

enum { BATCH_BYTES = 4 * 1024 * 1024, OVERLAY_SLOTS = 4 * STORE_BATCH_MAX };

struct batch {
	struct ticket *tickets[STORE_BATCH_MAX];
	int change_of[STORE_BATCH_MAX]; /* place of the ticket's change; -1 = it made none */
	size_t ticket_count;
	struct backend_change changes[STORE_BATCH_MAX]; /* own a reference to previous and next */
	size_t change_count, creations, bytes;
	bool durable; /* somebody wants it on the disk before the answer */
	bool unknown; /* nobody can say of some change whether it is there */
	/* The newest change of each id, by hash: place + 1, 0 = free.  Later changes are decided against these. */
	uint16_t overlay[OVERLAY_SLOTS];
};

bool batch_is_full(const struct batch *);

/* The newest snapshot of an id, counting the batch's own changes; the caller's reference, NULL = there is none. */
must_check struct container *batch_newest(const struct batch *, struct store *, const char *id);

/* Decide a ticket and add it, with the change it makes, if any.  *proposed is the newest revision given out; it grows. */
void batch_decide(struct batch *, struct store *, struct ticket *, uint64_t *proposed);

/* Add a change without a ticket; takes both references. */
void batch_add_change(struct batch *, enum backend_kind, struct container *previous, struct container *next);

/* Tell the tickets whose change has an unknown end, and move the accepted changes to the front; how many those are. */
must_check size_t batch_keep_done(struct batch *);

/* Every answer of a failed batch may rest on a change that did not happen: all get this end, but for deletions when
 * these are spared. */
void batch_answer_failed(struct batch *, enum change_end, bool spare_deletions);
void batch_answer(struct batch *);

/* The deletions as a list of undecided tickets, and whether there is nothing else. */
must_check struct ticket *batch_deletions(struct batch *);
bool batch_is_deletions_alone(const struct batch *);

/* Empty it, dropping its references; the tickets have been answered. */
void batch_reset(struct batch *);

#endif
