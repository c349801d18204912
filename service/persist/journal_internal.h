/* journal_internal.h - what journal.c (writing) and journal_files.c (which segments there are) share. */
#ifndef PERSIST_JOURNAL_INTERNAL_H
#define PERSIST_JOURNAL_INTERNAL_H

#include <stdatomic.h>

#include "base/lock.h"
#include "persist/journal.h"
#include "persist/segment.h"

enum { BATCH_FRAMES = 64 };

/* Who may touch the file of that name. */
enum ready_state {
	READY_NONE,   /* the checkpointer may make it */
	READY_MAKING, /* the checkpointer is at it */
	READY_HERE,   /* zero-written and durable: the writer may take it */
	READY_TAKEN,  /* the writer is making a segment of it: the name is not free yet */
};

/* How far the journal counts, in one value that moves as a whole. */
struct journal_mark {
	uint64_t seq, revision;
	struct live live;
};

struct journal {
	struct journal_options options;
	/* The writer's thread alone: */
	int fd;         /* of the current segment; -1 = broken */
	uint64_t segno, size, at;
	bool on_reserve; /* the current segment takes deletions alone */
	bool sealed;     /* the last data frame is proven by what stands behind it */
	struct buf tail;
	size_t shown_len;                          /* of the tail: shown, not durable */
	struct journal_mark durable, shown, built; /* durable <= shown <= built */
	struct frame batch[BATCH_FRAMES];          /* frames of the batch, the last still open */
	size_t batch_count;
	int64_t last_frame_ns, unsynced_since_ns, mend_ns;
	/* Shared: */
	struct mutex mutex; /* the list, the two states, manifest_last; changes of <bytes> */
	struct kept_segment *kept; /* oldest first; the last is the current one */
	size_t kept_count, kept_room;
	enum ready_state spare, reserve;
	uint64_t manifest_last;
	/* Any thread: */
	atomic_ullong frames, rotations, fences, slow_syncs, bytes, durable_seq, durable_revision;
	atomic_bool broken, full;
	struct histogram sync_ns;
};

/* Begin the next segment with room for <need> more bytes of frames, taking over what is shown.  Then everything shown
 * is durable.  <may_reserve>: on a full disk the reserve may be used.  0, or a fault: nothing has changed. */
must_check int journal_begin_segment(struct journal *, size_t need, bool may_reserve, struct err *);

/* Account for <len> bytes of frames up to <revision> in the current segment. */
void journal_count_written(struct journal *, size_t len, uint64_t revision);

#endif
