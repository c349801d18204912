/* backend.h - where containers are made durable; what memory, a disk and later a cluster have in common.
 *
 * Calling order: load once (reads are served afterwards); open until it succeeds; then commit and upkeep, all from
 * the committer's thread; close once.  figures may be called from any thread between load and close.
 *
 * A backend gives revisions: the committer proposes newest + 1, + 2, ...; a commit hands back the final ones.  Nothing above may
 * count on a step of exactly 1. */
#ifndef STORE_BACKEND_H
#define STORE_BACKEND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/err.h"
#include "base/histogram.h"
#include "container/container.h"

struct backend;

/* ---- load ---- */

/* What loading found about a container that must be written down before clients' writes open.  The backend reports;
 * the committer makes the changes, as it makes all others. */
enum {
	FOUND_DAMAGED = 1 << 0,   /* its status could not be read: stands as status_damaged() */
	FOUND_ADOPTED = 1 << 1,   /* from a directory that containerd wrote; no record of ours yet */
	FOUND_TRANSIENT = 1 << 2, /* it had a transient flag at this revision: show the cleared flag under a new one */
};

struct backend_loader {
	/* Takes the reference.  Each container once, in any order, from one thread at a time. */
	void (*found)(void *cls, struct container *, unsigned flags);
	/* Long work goes on: <done> of <total> containers.  May be NULL. */
	void (*progress)(void *cls, size_t done, size_t total);
	void *cls;
};

struct backend_loaded {
	uint64_t revision; /* the newest ever given out, or higher; the next is this + 1 */
	uint64_t shown;    /* that of the state itself: what readers are shown until there is a change; not above <revision> */
	uint8_t token_key[32]; /* secret that signs continue tokens; the same on every replica */
};

/* ---- commit ---- */

enum backend_kind { BACKEND_CREATE, BACKEND_STATUS, BACKEND_DELETE, BACKEND_DAMAGE, BACKEND_ADOPT };

enum backend_result {
	BACKEND_DONE,
	BACKEND_CONFLICT, /* somebody else's change came first (never on disk or in memory) */
	BACKEND_UNKNOWN,  /* wholly there or wholly absent: the fence could not be written either */
};

struct backend_change {
	enum backend_kind kind;
	struct container *previous; /* borrowed; NULL: there was none */
	struct container *next;     /* borrowed; a deletion's is the last object, at the deletion's revision */
	uint64_t revision;          /* in: proposed, also in <next>; out: final */
	enum backend_result result; /* out */
};

/* ---- figures ---- */

/*        what became of something that loading met, and its name for people and metrics */
#define BACKEND_RECOVERIES(X)                                                                        \
	X(LOADED, "loaded") X(REPLAYED, "replayed") X(REPAIRED, "repaired") X(UNKNOWN, "unknown")    \
	X(QUARANTINED, "quarantined") X(MISSING, "missing") X(IGNORED, "ignored")

enum backend_recovery {
#define X(id_, name_) RECOVERY_##id_,
	BACKEND_RECOVERIES(X)
#undef X
	RECOVERY_COUNT
};

/* Figures for people and metrics; what a backend does not have stays zero. */
struct backend_figures {
	const struct histogram *fsync;      /* fdatasync of the journal; lives as long as the backend; NULL = none */
	const char *read_only;              /* static text: why writes are refused; NULL = they are not */
	uint64_t journal_bytes;             /* not yet covered by checkpoints */
	uint64_t journal_frames, journal_rotations, journal_fences, torn_tails, slow_syncs;
	uint64_t checkpoints_written, checkpoints_failed, checkpoints_waiting;
	int64_t checkpoint_lag_ns;          /* age of the oldest change that is in no checkpoint yet */
	uint64_t recovered[RECOVERY_COUNT];
	int64_t recovery_ns;
	const char *warnings[4];            /* static texts for /readyz?verbose; NULL-terminated when fewer */
};

struct backend_ops {
	const char *name; /* "disk", "memory" */

	/* Deliver every container and the newest revision.  Only reads.  0, or a fault. */
	int (*load)(struct backend *, const struct backend_loader *, struct backend_loaded *ret, struct err *);

	/* Become writable.  0, or a fault: then it may be tried again later. */
	int (*open)(struct backend *, struct err *);

	/* Make all <n> changes durable in their order (<durable> false: written, durable within 100 ms).
	 * 0: each change has its result and revision.  Negative: certainly none of it happened:
	 * -ENOSPC or -EDQUOT the disk is full, -EROFS read-only until upkeep mends it, -EAGAIN too much waits for
	 * checkpoints, anything else a failed disk.  A batch that frees space (deletions alone) may pass where others cannot. */
	int (*commit)(struct backend *, struct backend_change *, size_t n, bool durable, struct err *);

	/* Do what time has made due (sync what is relaxed, prove the tail, try again what failed).  Returns the
	 * monotonic ns at which it wants to be called again; INT64_MAX: not before the next commit. */
	int64_t (*upkeep)(struct backend *, int64_t mono_ns);

	void (*figures)(struct backend *, struct backend_figures *ret);

	/* Write down what can be within a bounded time, and free everything.  Also after a failed load. */
	void (*close)(struct backend *);
};

/* The first member of every backend. */
struct backend {
	const struct backend_ops *ops;
};

#endif
