/* checkpoint.h - brings what is durable in the journal into each container's own files, in the background.
 *
 *   checkpoint_new -> checkpoint_add... -> checkpoint_start -> (checkpoint_reserve, checkpoint_note)...
 *                  -> checkpoint_stop -> checkpoint_free
 *
 * A container that changed is dirty; after CHECKPOINT_AGE_NS its newest durable snapshot is written once, however many
 * changes there were.  Work goes in rounds: some workers write files, then one sync of containers/ makes all new and
 * removed directories of the round durable, then what succeeded is clean, then the journal may let go of segments.
 *
 * Invariants
 * 1. Only what is durable in the journal is noted here: no checkpoint overtakes the journal.
 * 2. A container is with one worker at a time; its deletion is simply its next state.
 * 3. An item's first_revision is the oldest change of the container that is in no checkpoint.  The journal is told to
 *    keep everything from the oldest of them on, and everything that was not noted yet.
 * 4. What failed stays dirty with its first_revision, and is written again as a whole. */
#ifndef PERSIST_CHECKPOINT_H
#define PERSIST_CHECKPOINT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/compiler.h"
#include "base/err.h"
#include "base/fsx.h"
#include "persist/checkpoint_file.h"
#include "persist/journal.h"

#define CHECKPOINT_AGE_NS (400 * (int64_t)NS_PER_MS) /* what changes often is written at most so often */
#define CHECKPOINT_LATE_NS NS_PER_S /* older than this: less polite to the journal's syncs */
#define CHECKPOINT_VERY_LATE_NS (3 * NS_PER_S) /* older than this: not at all */
enum { CHECKPOINT_WORKERS = 4 };

struct checkpointer;

struct checkpoint_options {
	const struct files *files;
	const struct clock *clock;
	int containers;          /* borrowed */
	struct journal *journal; /* borrowed: retire and prepare are called */
	uint64_t journal_cap;
	void (*report)(void *cls, const struct err *); /* from this module's thread; may be NULL */
	void *report_cls;
};

/* NULL when memory runs out. */
must_check struct checkpointer *checkpoint_new(const struct checkpoint_options *);
void checkpoint_free(struct checkpointer *); /* accepts NULL; stops first */

/* ---- before the start ---- */

/* What recovery found to do for a container: <first_revision> = oldest record that needs the journal, UINT64_MAX =
 * none.  <held>: only once a change is noted.  0 or -ENOMEM. */
must_check int checkpoint_add(struct checkpointer *, struct container *c, unsigned todo, uint64_t first_revision, bool held);

/* Start the thread and its workers; everything up to <noted> was added.  0, or a fault. */
must_check int checkpoint_start(struct checkpointer *, uint64_t noted, struct err *);

/* ---- the committer's thread ---- */

/* Make sure that <n> more changes can be noted without memory. */
must_check int checkpoint_reserve(struct checkpointer *, size_t n);

/* The container changed, durably: <todo> is what the change means for its files. */
struct checkpoint_change {
	struct container *container; /* borrowed */
	unsigned todo;               /* TODO_STATUS, TODO_METADATA or both; TODO_DELETE */
};

/* Note changes in their order; everything up to revision <noted> is noted then. */
void checkpoint_note(struct checkpointer *, const struct checkpoint_change *, size_t n, uint64_t noted);

/* The journal has a new segment: there is a spare to make, perhaps something to remove. */
void checkpoint_kick(struct checkpointer *);

/* Let the checkpointer get ahead: returns when a round has ended, or after <ns>. */
void checkpoint_wait(struct checkpointer *, int64_t ns);

/* Write what is dirty for at most <within_ns>, then end the threads.  UINT64_MAX when nothing is left to write, else
 * the newest revision up to which everything is in files. */
uint64_t checkpoint_stop(struct checkpointer *, int64_t within_ns);

/* ---- any thread ---- */

struct checkpoint_figures {
	uint64_t written, failed, waiting;
	int64_t lag_ns; /* age of the oldest change that is in no checkpoint */
};
void checkpoint_figures(struct checkpointer *, struct checkpoint_figures *ret);

#endif
