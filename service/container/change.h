/* change.h - what a client wants changed, and what becomes of it: pure decisions, no I/O, no locks.
 *
 * A change is an intent (a patch and its precondition), not an outcome: it is decided against the newest snapshot at
 * the moment it is its turn, and may be decided again when somebody else was faster. */
#ifndef CONTAINER_CHANGE_H
#define CONTAINER_CHANGE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/compiler.h"
#include "container/container.h"
#include "container/precondition.h"
#include "container/status.h"

enum change_kind {
	CHANGE_CREATE, /* POST: there must be none */
	CHANGE_PUT,    /* create, or find the very same metadata */
	CHANGE_PATCH,  /* members of the status that were given */
	CHANGE_REPLACE,/* the whole status; what was not given is reset */
	CHANGE_DELETE,
};

/* Which members of a status were given. */
enum {
	GIVEN_PID = 1 << 0, GIVEN_CREATED_AT = 1 << 1, GIVEN_STARTED_AT = 1 << 2, GIVEN_FINISHED_AT = 1 << 3,
	GIVEN_EXIT_CODE = 1 << 4, GIVEN_REASON = 1 << 5, GIVEN_MESSAGE = 1 << 6, GIVEN_REMOVING = 1 << 7,
	GIVEN_RESOURCES = 1 << 8, GIVEN_STATE = 1 << 9,
};

struct status_patch {
	unsigned given;
	struct status value;        /* members not given are zero */
	enum container_state state; /* the shorthand, when given */
};
#define STATUS_PATCH_NONE { .value = STATUS_ZERO }

struct change {
	enum change_kind kind;
	struct arena *arena; /* for what deciding makes; nobody else uses it meanwhile.  NULL: resources are not merged, but replaced */
	const char *id; /* full id, valid by id.h */
	struct precondition precondition;
	bool force;   /* delete: whatever the state */
	bool dry_run; /* decide, change nothing */
	bool relaxed; /* may be answered before it is durable */
	struct metadata_value metadata; /* create and put */
	struct status_patch patch;      /* create, put, patch, replace */
};

/* How a change ends.  The store adds the ends that have to do with durability. */
enum change_end {
	/* done */
	CHANGE_CREATED,
	CHANGE_UPDATED,
	CHANGE_DELETED,
	CHANGE_SAME,   /* it is so already: no new revision */
	CHANGE_ABSENT, /* delete of what is not there */
	/* refused: the container is as it was */
	CHANGE_E_NOT_FOUND,
	CHANGE_E_EXISTS,             /* verdict.identical tells whether the metadata is the same */
	CHANGE_E_IMMUTABLE,          /* put with other metadata */
	CHANGE_E_STALE,              /* the precondition does not hold */
	CHANGE_E_ALREADY_EXITED,     /* the first exit wins */
	CHANGE_E_ILLEGAL_TRANSITION, /* verdict.from, verdict.to */
	CHANGE_E_RUNNING,            /* removing or deleting what runs, or may */
	CHANGE_E_REMOVING,
	CHANGE_E_ALREADY_REMOVING,
	CHANGE_E_INVALID,            /* verdict.pointer, verdict.detail */
	/* not made durable, or not taken up */
	CHANGE_E_CHECKPOINT_FAILED,  /* rolled back */
	CHANGE_E_OUTCOME_UNKNOWN,    /* wholly there or wholly absent, nobody can say */
	CHANGE_E_NO_SPACE,
	CHANGE_E_READ_ONLY,
	CHANGE_E_OVERLOADED,
	CHANGE_E_SHUTTING_DOWN,
	CHANGE_E_NO_MEMORY,
};

/* The container exists (or not) and has changed (or not) as asked. */
static inline bool change_end_is_success(enum change_end end)
{
	return end <= CHANGE_ABSENT;
}

struct verdict {
	enum change_end end;
	struct status next; /* created, updated, and deleted by force: borrows from the change, its arena, the snapshot and static texts;
			     * good until the ticket is done */
	bool identical;
	enum container_state from, to;
	const char *pointer, *detail; /* static texts */
};

/* Decide <change> against the newest snapshot (NULL = there is none) at the time <now_ns>.  0, or -ENOMEM. */
must_check int change_decide(const struct change *, const struct container *newest, int64_t now_ns, struct verdict *ret);

/* The status a patch makes of <old>; <replace> as for CHANGE_REPLACE.  What change_decide uses for a status. */
struct verdict change_status(const struct status *old, const struct status_patch *, bool replace, int64_t now_ns);

/* "created", "illegal transition" ...: for logs and metrics. */
const char *change_end_name(enum change_end);

#endif
