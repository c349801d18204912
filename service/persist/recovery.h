/* recovery.h - everything that was acknowledged, found again.
 *
 * Loads the containers' own files, brings the journal's records over them, judges what is damaged, and delivers.  It
 * only reads: it works on a full or read-only disk, and two recoveries in a row give the same.  What it would like to
 * have written it keeps for whoever opens the journal.
 *
 * Invariants
 * 1. Delivered is the state after some revision r, at or above every acknowledged one: a prefix of the changes.
 * 2. A container whose status cannot be read is delivered as unknown, never dropped, never guessed.
 * 3. What is delivered with another body than its revision once had, or with a body nobody wrote, has a fresh revision.
 * 4. A file that is damage is named in the todo list as to be set aside, so that evidence is never overwritten. */
#ifndef PERSIST_RECOVERY_H
#define PERSIST_RECOVERY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/compiler.h"
#include "base/err.h"
#include "persist/journal.h"
#include "persist/root.h"
#include "store/backend.h"

struct recovery;

struct recovery_options {
	const struct root *root; /* borrowed: outlives the recovery */
	const struct clock *clock;
	bool salvage;
	void (*report)(void *cls, const struct err *); /* what a person should know; may be NULL */
	void *report_cls;
};

/* Recover and deliver.  0; DISK_E_DAMAGED, DISK_E_FORMAT; another fault. */
must_check int recovery_run(const struct recovery_options *, const struct backend_loader *, struct recovery **ret, struct err *);
void recovery_free(struct recovery *); /* accepts NULL */

uint64_t recovery_revision(const struct recovery *); /* the newest ever given out, or higher */

/* What readers may be shown before writing is possible: a crash until then may take away what was read, and the next
 * start would begin lower, but never at or below this. */
uint64_t recovery_shown(const struct recovery *);

/* Where the journal goes on; the slices live as long as the recovery. */
struct journal_start recovery_start(const struct recovery *);

/* What the checkpointer has to do from the start on (see checkpoint_add).  0, or what <fn> returned. */
typedef int recovery_todo(void *cls, struct container *c, unsigned todo, uint64_t first_revision, bool held);
must_check int recovery_each_todo(const struct recovery *, recovery_todo *fn, void *cls);

struct recovery_figures {
	uint64_t counts[RECOVERY_COUNT];
	uint64_t torn_tails;
	int64_t took_ns;
};
const struct recovery_figures *recovery_figures(const struct recovery *);

#endif
