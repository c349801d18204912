/* store.h - every container there is: read by many, changed by one.
 *
 * Reads take a reference to a snapshot under the read lock and let go of it; they wait for no disk and no encoding.
 * Changes are handed to the committer, the only writer: it takes all that wait, decides each against the newest
 * snapshot, makes the batch durable with one call of the backend, then shows it under the write lock and answers.
 *
 *   store_new -> store_load (reads work) -> store_start (writes work) -> store_stop -> store_free */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/compiler.h"
#include "base/err.h"
#include "container/change.h"
#include "container/container.h"
#include "container/filter.h"
#include "store/backend.h"

struct store;

enum { STORE_CANDIDATES = 10, STORE_QUEUE_CAP = 10000, STORE_BATCH_MAX = 1024 };

struct store_options {
	const struct clock *clock; /* outlives the store */
	int64_t wait_ns;           /* a change not taken up within this is withdrawn; 0 = 10 s */
	/* Told, from the committer's thread, what a person should know; may be NULL. */
	void (*report)(void *cls, const struct err *);
	void *report_cls;
};

/* Takes the backend, also on failure.  NULL when memory runs out. */
must_check struct store *store_new(struct backend *, const struct store_options *);

/* Load everything; afterwards reads work.  0, or a fault. */
must_check int store_load(struct store *, void (*progress)(void *cls, size_t done, size_t total), void *cls, struct err *);

/* Start the committer, which opens the backend for writing in its own thread.  0, or a fault. */
must_check int store_start(struct store *, struct err *);

/* Answer what waits, refuse what comes, end the committer, close the backend.  May be called without store_start. */
void store_stop(struct store *);
void store_free(struct store *); /* accepts NULL; stops first */

/* ---- reading: any thread ---- */

enum store_find {
	STORE_EXACT,     /* the id itself */
	STORE_PREFIX,    /* the only id that begins with it */
	STORE_NAME,      /* the name that only one container bears */
	STORE_NOT_FOUND,
	STORE_AMBIGUOUS,      /* several ids begin with it: up to STORE_CANDIDATES of them in ret_candidates */
	STORE_AMBIGUOUS_NAME, /* no id begins with it, and several containers bear the name: likewise */
};

struct candidates {
	size_t count;
	struct container *at[STORE_CANDIDATES]; /* references; give back with candidates_free */
};
void candidates_free(struct candidates *);

/* Find by reference: exact id, then unique id prefix, then a name that only one bears.  *ret is the caller's
 * reference when found.  <ret_candidates> may be NULL. */
enum store_find store_find(struct store *, const char *ref, struct container **ret, struct candidates *ret_candidates);

/* Those whose id begins with <start> and goes on, the first in order.  How many; the caller's references. */
size_t store_find_begun(struct store *, const char *start, struct candidates *ret);

/* The exact id alone; NULL when there is none.  The caller's reference. */
must_check struct container *store_get(struct store *, const char *id);

/* A list at one revision: references that live as long as the listing.  Shared by reference. */
struct listing;
must_check int store_list(struct store *, struct filter *, struct listing **ret); /* 0 or -ENOMEM */
struct listing *listing_ref(struct listing *);
void listing_unref(struct listing *); /* accepts NULL */
size_t listing_count(const struct listing *);
uint64_t listing_revision(const struct listing *);
struct container *listing_at(const struct listing *, size_t i); /* borrowed */

uint64_t store_revision(struct store *);
const uint8_t *store_token_key(const struct store *); /* 32 bytes, after store_load */

/* ---- changing: any thread ---- */

/* The clock the store was given. */
const struct clock *store_clock(const struct store *);

/* A change on its way.  Owned by the caller, untouched by it between submit and done. */
struct ticket {
	struct change *change; /* in; borrowed until done */
	/* Called once, as the very last thing the store does with the ticket, mostly from the committer's thread; it must
	 * not block. */
	void (*done)(struct ticket *);
	void *cls; /* the caller's own */
	/* out */
	struct verdict verdict;
	struct container *container; /* reference, the caller's (ticket_clear): the newest snapshot after it, or the one that refused it; NULL = none */
	/* the store's own */
	struct ticket *next;
	int64_t queued_ns;
};

/* Queue it.  Always ends in exactly one call of done, also when the store refuses (then from this very call). */
void store_submit(struct store *, struct ticket *);

/* Answer with CHANGE_E_OVERLOADED what has waited too long untaken (a disk that hangs).  Called about once a second by
 * whoever serves; done is then called from that thread. */
void store_withdraw_late(struct store *);

/* Submit and wait: for tests and tools, never for a thread that serves others. */
void store_change(struct store *, struct ticket *);
void ticket_clear(struct ticket *);

/* Writes are refused for this reason (static text); NULL: they are taken.  Before writes are open: "starting". */
const char *store_read_only(struct store *);

/* ---- figures ---- */

struct store_figures {
	uint64_t containers[CONTAINER_STATE_COUNT];
	uint64_t transitions[CONTAINER_STATE_COUNT][CONTAINER_STATE_COUNT]; /* from, to */
	uint64_t created, deleted;
	uint64_t commits, changes;      /* batches made durable, and what was in them */
	uint64_t commit_failures, withdrawn, refused_full;
	uint64_t waiting;               /* in the queue now */
	const struct histogram *commit; /* seconds per batch */
	uint64_t batch_sizes[11];       /* batches of at most 1, 2, 4, ... 1024 changes, each range alone */
	uint64_t revision;
	uint64_t loaded_revision;       /* every change since the load has a higher one */
	struct backend_figures backend;
	const char *backend_name;
};
void store_figures(struct store *, struct store_figures *ret);

#endif
