/* journal.h - the durable order of changes.
 *
 *   journal_open -> (journal_add ... journal_commit)* -> journal_finish -> journal_close
 *
 * One thread writes: add, commit, sync, upkeep, finish.  The checkpointer calls journal_retire and journal_prepare.
 * Figures may be read by any thread.  A batch is durable when journal_commit() has returned 0 for durable = true, not
 * before; with durable = false it is written and will be durable within JOURNAL_RELAXED_NS.
 *
 * Invariants
 * 1. Every frame with seq <= durable_seq is on stable storage in a segment that is linked durably, or was retired.
 * 2. <tail> holds the bytes of all frames above durable_seq: shown ones (answered, relaxed), then the batch being built.
 * 3. A batch lies in one segment.  A segment whose write or sync failed is closed at once and never touched again; the
 *    next one begins with base_seq = durable_seq + 1 and copies of what was shown: the fence.
 * 4. Between the newest revision given out and the newest durable one lie at most JOURNAL_GAP: a start that finds
 *    no CLEAN frame goes on that far above what it finds, so no revision ever shown names two bodies.
 * 5. durable_seq, the newest revision and the account of the living move together, and only when a whole batch counts. */
#ifndef PERSIST_JOURNAL_H
#define PERSIST_JOURNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/compiler.h"
#include "base/err.h"
#include "base/fsx.h"
#include "base/histogram.h"
#include "container/container.h"
#include "persist/frame.h"
#include "persist/manifest.h"

enum {
	JOURNAL_GAP = 65536,
	JOURNAL_FRAME_MAX = 4 * 1024 * 1024,   /* payload after which a batch goes on in another frame */
	JOURNAL_UNSYNCED_MAX = 1024 * 1024,    /* bytes that may wait for a sync */
	JOURNAL_FIRST_SEGMENT = 1024 * 1024,   /* a segment made while somebody waits for it */
};
#define JOURNAL_RELAXED_NS (100 * (int64_t)NS_PER_MS)
#define JOURNAL_SEAL_NS (100 * (int64_t)NS_PER_MS)
#define JOURNAL_RETRY_NS NS_PER_S

struct journal;

/* A segment that is kept until everything in it is in checkpoint files. */
struct kept_segment {
	uint64_t segno;
	uint64_t before_seq;     /* everything below its first frame */
	struct live before_live; /* right behind before_seq */
	uint64_t last_revision;  /* newest in it; 0 = it holds no change that counts */
	uint64_t used;           /* bytes of frames */
	bool damaged;            /* set aside instead of removed */
};

struct journal_options {
	const struct files *files;
	const struct clock *clock;
	int dir;                /* journal/, borrowed */
	uint8_t store_id[STORE_ID];
	uint64_t segment_bytes;
};

/* Where writing goes on. */
struct journal_start {
	uint64_t next_segno;
	uint64_t durable_seq;      /* proven by what is on disk */
	struct live durable_live;  /* right behind it */
	uint64_t revision;         /* newest revision that may ever have been given out */
	struct live live;          /* behind the copies */
	struct slice copies;       /* whole frames above durable_seq, in their order; borrowed */
	uint64_t copies_seq;       /* seq of the last of them; durable_seq when there are none */
	const struct kept_segment *kept; /* older segments, oldest first; borrowed */
	size_t kept_count;
	uint64_t manifest_last;    /* LastSegment as MANIFEST has it; 0 = there is none yet */
};

/* Begin a segment of our own, which takes over what was not proven durable.  0, or a fault: nothing has changed that a
 * later try, or another start, would mind. */
must_check int journal_open(const struct journal_options *, const struct journal_start *, struct journal **ret, struct err *);
void journal_close(struct journal *); /* accepts NULL; writes nothing */

/* ---- writing: one thread ---- */

/* Append a change to the batch.  <c> gives the bytes of creations (metadata and status) and of status changes.
 * 0 or -ENOMEM, after which the batch must be dropped. */
must_check int journal_add(struct journal *, const struct record *head, const struct container *c);
void journal_drop(struct journal *);

enum journal_answer { JOURNAL_DONE, JOURNAL_UNKNOWN /* wholly there or wholly absent */ };

/* Write the batch; <frees_space>: it holds deletions alone and may use what is reserved for them.  JOURNAL_DONE,
 * JOURNAL_UNKNOWN, or a fault: certainly absent (-ENOSPC, -EDQUOT, -EROFS while nothing can be written, others). */
must_check int journal_commit(struct journal *, bool durable, bool frees_space, struct err *);

/* Make everything shown durable.  0, or -EROFS: not possible now. */
must_check int journal_sync(struct journal *, struct err *);

/* Sync, seal and mend what is due.  The monotonic time at which to be called again.  Faults are told in *err, whose
 * code is set then. */
int64_t journal_upkeep(struct journal *, int64_t mono_ns, struct err *);

/* Sync, then write the CLEAN frame: nothing is given out behind it. */
must_check int journal_finish(struct journal *, struct err *);

uint64_t journal_revision(const struct journal *); /* newest given out */
bool journal_is_durable(const struct journal *);   /* nothing that was shown waits for a sync */

/* ---- the checkpointer's thread ---- */

/* Remove the segments that hold nothing above <revision>; write MANIFEST when anything of it changed.  With <clean>
 * (writing has ended) MANIFEST says so; then UINT64_MAX means everything. */
must_check int journal_retire(struct journal *, uint64_t revision, bool clean, struct err *);

/* Make the spare and the reserve when they are missing.  0, or a fault: try again later. */
must_check int journal_prepare(struct journal *, struct err *);
bool journal_wants_prepare(struct journal *);

/* ---- any thread ---- */

struct journal_figures {
	uint64_t frames, rotations, fences, slow_syncs;
	uint64_t bytes;      /* in segments that are not wholly checkpointed */
	uint64_t durable_seq;
	bool broken;         /* nothing can be written until mended */
	bool full;           /* no spare can be made for want of space */
};
void journal_figures(struct journal *, struct journal_figures *ret);
const struct histogram *journal_sync_times(const struct journal *);

#endif
