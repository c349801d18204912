#include "container/change.h"

#include <errno.h>
#include <string.h>

#include "container/codec.h"

static const char *const end_names[] = {
	[CHANGE_CREATED] = "created",
	[CHANGE_UPDATED] = "updated",
	[CHANGE_DELETED] = "deleted",
	[CHANGE_SAME] = "same",
	[CHANGE_ABSENT] = "absent",
	[CHANGE_E_NOT_FOUND] = "not-found",
	[CHANGE_E_EXISTS] = "already-exists",
	[CHANGE_E_IMMUTABLE] = "immutable-metadata",
	[CHANGE_E_STALE] = "revision-mismatch",
	[CHANGE_E_ALREADY_EXITED] = "already-exited",
	[CHANGE_E_ILLEGAL_TRANSITION] = "illegal-transition",
	[CHANGE_E_RUNNING] = "container-running",
	[CHANGE_E_REMOVING] = "container-removing",
	[CHANGE_E_ALREADY_REMOVING] = "already-removing",
	[CHANGE_E_INVALID] = "validation-failed",
	[CHANGE_E_CHECKPOINT_FAILED] = "checkpoint-failed",
	[CHANGE_E_OUTCOME_UNKNOWN] = "outcome-unknown",
	[CHANGE_E_NO_SPACE] = "insufficient-storage",
	[CHANGE_E_READ_ONLY] = "read-only",
	[CHANGE_E_OVERLOADED] = "overloaded",
	[CHANGE_E_SHUTTING_DOWN] = "shutting-down",
	[CHANGE_E_NO_MEMORY] = "out-of-memory",
};

const char *change_end_name(enum change_end end)
{
	return end_names[end];
}

/* ---- verdicts ---- */

static struct verdict verdict_of(enum change_end end)
{
	return (struct verdict){ .end = end, .next = STATUS_ZERO };
}

static struct verdict refuse_move(enum change_end end, enum container_state from, enum container_state to)
{
	struct verdict v = verdict_of(end);

	v.from = from;
	v.to = to;
	return v;
}

static struct verdict refuse_member(const char *pointer, const char *detail)
{
	struct verdict v = verdict_of(CHANGE_E_INVALID);

	v.pointer = pointer;
	v.detail = detail;
	return v;
}

static struct verdict accept_status(enum change_end end, const struct status *next)
{
	struct verdict v = verdict_of(end);

	v.next = *next;
	return v;
}

/* ---- rules within one status ---- */

/* NULL-pointer verdicts are not needed: the pointer tells.  Status as a whole, whatever it was before. */
static bool members_agree(const struct status *s, struct verdict *ret_refusal)
{
	enum container_state state = status_state(s);

	if (s->pid != 0 && state != CONTAINER_RUNNING)
		*ret_refusal = refuse_member("/pid", "only a running container has one; leave it out or give 0");
	else if (s->exit_code != 0 && s->finished_at == 0 && state != CONTAINER_UNKNOWN)
		*ret_refusal = refuse_member("/exitCode", "needs finishedAt, or state CONTAINER_EXITED to have the server stamp the time");
	else
		return true;
	return false;
}

static int64_t later_of(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

/* One past it, where int64 allows. */
static int64_t after(int64_t ns)
{
	return ns < INT64_MAX ? ns + 1 : ns;
}

/* ---- a status that is already there ---- */

/* What an update is about: the status before, the patch made complete, and the status it makes. */
struct update {
	const struct status *old;
	struct status_patch patch;
	struct status next;
	enum container_state from;
	bool says_exited; /* `state` said what the container is, as it was shown: EXITED */
	bool new_run;     /* the same id was started again */
};

/* A body that was read, changed in one place and sent back says the rest as it was shown. */
static void forget_what_was_shown(struct update *u)
{
	struct status_patch *p = &u->patch;

	if ((p->given & GIVEN_STATE) && p->state == u->from) {
		u->says_exited = p->state == CONTAINER_EXITED;
		p->given &= ~(unsigned)GIVEN_STATE;
	}
	if ((p->given & GIVEN_REASON) && u->old->reason[0] == '\0' && !strcmp(p->value.reason, status_shown_reason(u->old)))
		p->value.reason = "";
}

/* A replacement resets what it does not give, but for createdAt, and but for removing, which is somebody's and is taken
 * back by name alone; with the shorthand the times left out are the server's to fill. */
static void complete_replacement(struct status_patch *p)
{
	unsigned resets = GIVEN_STATE - 1;

	resets &= ~(unsigned)((GIVEN_CREATED_AT | GIVEN_REMOVING) & ~p->given);
	if (p->given & GIVEN_STATE)
		resets &= ~(unsigned)((GIVEN_STARTED_AT | GIVEN_FINISHED_AT) & ~p->given);
	p->given |= resets;
}

static void merge(struct update *u)
{
	const struct status_patch *p = &u->patch;
	struct status *next = &u->next;

	*next = *u->old;
	if (p->given & GIVEN_PID)
		next->pid = p->value.pid;
	if (p->given & GIVEN_CREATED_AT)
		next->created_at = p->value.created_at;
	if (p->given & GIVEN_STARTED_AT)
		next->started_at = p->value.started_at;
	if (p->given & GIVEN_FINISHED_AT)
		next->finished_at = p->value.finished_at;
	if (p->given & GIVEN_EXIT_CODE)
		next->exit_code = p->value.exit_code;
	if (p->given & GIVEN_REASON)
		next->reason = p->value.reason;
	if (p->given & GIVEN_MESSAGE)
		next->message = p->value.message;
	if (p->given & GIVEN_REMOVING)
		next->removing = p->value.removing;
	if (p->given & GIVEN_RESOURCES)
		next->resources = p->value.resources;
}

/* `state` without the time of the move lets the server stamp it; null is what a reader was shown for "not yet". */
static void stamp_shorthand(struct update *u, int64_t now_ns)
{
	struct status_patch *p = &u->patch;
	const struct status *old = u->old;

	if (!(p->given & GIVEN_STATE))
		return;
	if (p->state == CONTAINER_RUNNING && !((p->given & GIVEN_STARTED_AT) && p->value.started_at)) {
		/* A restart is told by its time: it must count as later even when the clock was set back. */
		int64_t floor = u->from == CONTAINER_EXITED ? after(later_of(old->started_at, old->finished_at)) : now_ns;

		p->value.started_at = u->next.started_at = later_of(now_ns, floor);
		p->given |= GIVEN_STARTED_AT;
	}
	if (p->state == CONTAINER_EXITED && !((p->given & GIVEN_FINISHED_AT) && p->value.finished_at)) {
		p->value.finished_at = u->next.finished_at = now_ns;
		p->given |= GIVEN_FINISHED_AT;
	}
}

/* EXITED and started later than both recorded times: the runtime started the same id again.  Both, because exits are
 * reported that lie before their start; a late "running since" of the old run must not bring the dead back. */
static void begin_new_run(struct update *u)
{
	unsigned given = u->patch.given;
	struct status *next = &u->next;

	u->new_run = u->from == CONTAINER_EXITED && (given & GIVEN_STARTED_AT) &&
		     next->started_at > u->old->started_at && next->started_at > u->old->finished_at;
	if (!u->new_run)
		return;
	if (!(given & GIVEN_FINISHED_AT))
		next->finished_at = 0;
	if (!(given & GIVEN_EXIT_CODE))
		next->exit_code = 0;
	if (!(given & GIVEN_REASON))
		next->reason = "";
	if (!(given & GIVEN_MESSAGE))
		next->message = "";
}

/* What an exit brings with it, asked for or not. */
static void settle_exit(struct update *u)
{
	struct status *next = &u->next;
	unsigned given = u->patch.given;

	if (u->from == CONTAINER_UNKNOWN && (given & GIVEN_FINISHED_AT) && next->finished_at) {
		next->unknown = false;
		if (!(given & GIVEN_REASON))
			next->reason = ""; /* it told of the damage, not of the exit */
		if (!(given & GIVEN_MESSAGE))
			next->message = "";
	}
	if (status_state(next) == CONTAINER_EXITED && (u->from != CONTAINER_EXITED || u->new_run))
		next->pid = 0;
	/* The kernel's word is told once, often before the exit, and what comes later does not know better. */
	if (!strcmp(u->old->reason, "OOMKilled") && !u->new_run && u->from != CONTAINER_CREATED)
		next->reason = u->old->reason;
}

/* The move from EXITED to EXITED: the first exit of a run wins. */
static bool same_exit(const struct update *u, struct verdict *ret_refusal)
{
	const struct status *old = u->old, *next = &u->next;

	if (u->new_run)
		return true;
	if (next->started_at != old->started_at && next->started_at == 0)
		*ret_refusal = refuse_move(CHANGE_E_ILLEGAL_TRANSITION, CONTAINER_EXITED, CONTAINER_CREATED);
	else if (next->started_at != old->started_at || next->finished_at != old->finished_at || next->exit_code != old->exit_code)
		*ret_refusal = refuse_move(CHANGE_E_ALREADY_EXITED, CONTAINER_EXITED, CONTAINER_EXITED);
	else
		return true;
	return false;
}

static bool move_is_legal(const struct update *u, struct verdict *ret_refusal)
{
	enum container_state from = u->from, to = status_state(&u->next);
	bool legal = state_may_become(from, to);

	if (from == CONTAINER_EXITED && to == CONTAINER_EXITED)
		return same_exit(u, ret_refusal);
	if (from == CONTAINER_EXITED)
		legal = legal && u->new_run;
	if (from == CONTAINER_RUNNING)
		legal = legal && u->next.started_at == u->old->started_at;
	if (from == CONTAINER_UNKNOWN)
		legal = legal && to == CONTAINER_EXITED; /* nobody knows what else would be true */
	if (!legal)
		*ret_refusal = refuse_move(CHANGE_E_ILLEGAL_TRANSITION, from, to);
	return legal;
}

/* Nothing but removing is taken back. */
static bool only_lifts_removing(const struct update *u)
{
	struct status lifted = *u->old;

	lifted.removing = false;
	return status_equal(&lifted, &u->next);
}

/* Whoever removes a container has it to himself; `removing` itself asks for a container that is not running. */
static bool removing_allows(const struct update *u, struct verdict *ret_refusal)
{
	const struct status *old = u->old, *next = &u->next;
	enum container_state to = status_state(next);

	if (old->removing && !next->removing && !only_lifts_removing(u))
		*ret_refusal = verdict_of(CHANGE_E_REMOVING);
	else if (old->removing && next->removing)
		*ret_refusal = (u->patch.given & GIVEN_REMOVING) && u->patch.value.removing ?
				       verdict_of(CHANGE_E_ALREADY_REMOVING) :
				       verdict_of(CHANGE_E_REMOVING);
	else if (next->removing && to == CONTAINER_RUNNING)
		*ret_refusal = refuse_move(CHANGE_E_RUNNING, u->from, to);
	else if (next->removing && to == CONTAINER_UNKNOWN)
		*ret_refusal = refuse_move(CHANGE_E_ILLEGAL_TRANSITION, u->from, to);
	else
		return true;
	return false;
}

/* `state` and the times must tell the same story, whatever else is decided. */
static bool state_agrees(const struct update *u, struct verdict *ret_refusal)
{
	enum container_state to = status_state(&u->next);

	if (u->new_run && u->says_exited && to != CONTAINER_EXITED)
		*ret_refusal = refuse_member("/state", "a later startedAt begins a new run; give its finishedAt too, or leave state out");
	else if ((u->patch.given & GIVEN_STATE) && to != u->patch.state)
		*ret_refusal = refuse_member("/state", "contradicts startedAt and finishedAt; leave it out or make them agree");
	else
		return true;
	return false;
}

static bool asks_to_remove_again(const struct update *u)
{
	return u->old->removing && (u->patch.given & GIVEN_REMOVING) && u->patch.value.removing;
}

struct verdict change_status(const struct status *old, const struct status_patch *patch, bool replace, int64_t now_ns)
{
	struct update u = { .old = old, .patch = *patch, .from = status_state(old) };
	struct verdict refusal;

	if (replace)
		complete_replacement(&u.patch);
	forget_what_was_shown(&u);
	merge(&u);
	if ((u.patch.given & GIVEN_STATE) && !state_may_become(u.from, u.patch.state))
		return refuse_move(CHANGE_E_ILLEGAL_TRANSITION, u.from, u.patch.state);
	stamp_shorthand(&u, now_ns);
	begin_new_run(&u);
	settle_exit(&u);
	if (!state_agrees(&u, &refusal))
		return refusal;
	if (status_equal(old, &u.next) && !asks_to_remove_again(&u))
		return verdict_of(CHANGE_SAME);
	if (!removing_allows(&u, &refusal) || !move_is_legal(&u, &refusal) || !members_agree(&u.next, &refusal))
		return refusal;
	return accept_status(CHANGE_UPDATED, &u.next);
}

/* ---- a new container ---- */

static struct verdict first_status(const struct status_patch *patch, int64_t now_ns)
{
	struct status s = patch->value;
	bool shorthand = patch->given & GIVEN_STATE;
	struct verdict refusal;

	if (s.created_at == 0)
		s.created_at = now_ns;
	if (shorthand && patch->state == CONTAINER_RUNNING && s.started_at == 0)
		s.started_at = now_ns;
	if (shorthand && patch->state == CONTAINER_EXITED && s.finished_at == 0)
		s.finished_at = now_ns;
	if (s.removing)
		return refuse_member("/status/removing", "cannot be set at creation");
	if (shorthand && status_state(&s) != patch->state)
		return refuse_member("/status/state", "contradicts the times, or cannot be asked for");
	if (!members_agree(&s, &refusal)) {
		refusal.pointer = s.pid && status_state(&s) != CONTAINER_RUNNING ? "/status/pid" : "/status/exitCode";
		return refusal;
	}
	return accept_status(CHANGE_CREATED, &s);
}

static int same_metadata(const struct metadata_value *a, const struct metadata_value *b)
{
	if (strcmp(a->name, b->name) != 0 || strcmp(a->sandbox_id, b->sandbox_id) != 0 ||
	    strcmp(a->image_ref, b->image_ref) != 0 || strcmp(a->log_path, b->log_path) != 0)
		return 0;
	return codec_same_json(a->config, b->config);
}

static int decide_on_existing(const struct change *change, const struct container *newest, struct verdict *ret)
{
	int same = same_metadata(&change->metadata, metadata_value(container_metadata(newest)));

	if (same < 0)
		return same;
	if (change->kind == CHANGE_CREATE)
		*ret = verdict_of(CHANGE_E_EXISTS);
	else
		*ret = verdict_of(same ? CHANGE_SAME : CHANGE_E_IMMUTABLE);
	ret->identical = same;
	return 0;
}

/* ---- deletion ---- */

/* What is kept as the last word on a container that was deleted while it ran: a lost exit. */
static struct status last_status(const struct status *s, int64_t now_ns)
{
	struct status last = *s;
	enum container_state state = status_state(s);

	if (state != CONTAINER_RUNNING && state != CONTAINER_UNKNOWN)
		return last;
	last.unknown = false;
	last.pid = 0;
	last.finished_at = now_ns;
	last.exit_code = EXIT_CODE_LOST;
	last.reason = "Unknown";
	return last;
}

static struct verdict decide_deletion(const struct change *change, const struct container *newest, int64_t now_ns)
{
	enum container_state state = container_state(newest);
	struct status last = last_status(container_status(newest), now_ns);

	if ((state == CONTAINER_RUNNING || state == CONTAINER_UNKNOWN) && !change->force)
		return refuse_move(CHANGE_E_RUNNING, state, state);
	return accept_status(CHANGE_DELETED, &last);
}

/* ---- a merge patch ---- */

/* Opaque resources are merged member by member, like the rest (RFC 7396).  0; 1: *ret is the refusal; -ENOMEM. */
static int merge_resources(const struct change *change, const struct status *old, struct status_patch *patch, struct verdict *ret)
{
	int r;

	*patch = change->patch;
	if (change->kind != CHANGE_PATCH || !change->arena || !patch->value.resources)
		return 0;
	r = codec_merge(old->resources, patch->value.resources, change->arena, &patch->value.resources);
	if (r == 0 && strlen(patch->value.resources) > CAP_RESOURCES) {
		*ret = refuse_member("/resources", "would be longer than 65536 bytes with what is there already");
		return 1;
	}
	return r;
}

static int decide_status(const struct change *change, const struct container *newest, int64_t now_ns, struct verdict *ret)
{
	struct status_patch patch;
	int r = merge_resources(change, container_status(newest), &patch, ret);

	if (r == 0)
		*ret = change_status(container_status(newest), &patch, change->kind == CHANGE_REPLACE, now_ns);
	return r < 0 ? r : 0;
}

/* ---- all of them ---- */

static struct verdict decide_without(const struct change *change, int64_t now_ns)
{
	bool guarded = change->precondition.if_match;

	switch (change->kind) {
	case CHANGE_CREATE:
	case CHANGE_PUT:
		return guarded ? verdict_of(CHANGE_E_STALE) : first_status(&change->patch, now_ns);
	case CHANGE_DELETE:
		return verdict_of(guarded ? CHANGE_E_STALE : CHANGE_ABSENT);
	case CHANGE_PATCH:
	case CHANGE_REPLACE:
		break;
	}
	return verdict_of(CHANGE_E_NOT_FOUND);
}

int change_decide(const struct change *change, const struct container *newest, int64_t now_ns, struct verdict *ret)
{
	if (!newest) {
		*ret = decide_without(change, now_ns);
		return 0;
	}
	if (!precondition_holds(&change->precondition, container_revision(newest))) {
		*ret = verdict_of(CHANGE_E_STALE);
		return 0;
	}
	switch (change->kind) {
	case CHANGE_CREATE:
	case CHANGE_PUT:
		return decide_on_existing(change, newest, ret);
	case CHANGE_PATCH:
	case CHANGE_REPLACE:
		return decide_status(change, newest, now_ns, ret);
	case CHANGE_DELETE:
		*ret = decide_deletion(change, newest, now_ns);
		break;
	}
	return 0;
}
