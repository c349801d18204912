#include "api/outcome.h"

#include <inttypes.h>
#include <string.h>

#include "container/id.h"
#include "container/json_text.h"
#include "container/timestamp.h"

/* ---- before ---- */

static bool read_flag(struct request *q, struct reply *a, const char *name, bool *flag)
{
	const char *value = request_parameter(q, name);

	if (!value)
		return true;
	if (strcmp(value, "true") != 0 && strcmp(value, "false") != 0) {
		problem(a, q, PROBLEM_INVALID_PARAMETER, "%s must be true or false, not %.64s", name, value);
		return false;
	}
	*flag = value[0] == 't';
	return true;
}

bool outcome_begin(struct request *q, struct reply *a, enum change_kind kind)
{
	bool sync = true;
	const char *id = q->segment_count > 1 ? q->segment[1] : NULL;

	q->change = (struct change){
		.kind = kind,
		.arena = &q->arena,
		.id = id,
		.precondition = { q->header[HEADER_IF_MATCH], q->header[HEADER_IF_NONE_MATCH] },
		.patch = STATUS_PATCH_NONE,
	};
	if (id && !id_is_valid(id, strlen(id))) {
		problem(a, q, PROBLEM_INVALID_PARAMETER, "the id in the path must match ^[A-Za-z0-9][A-Za-z0-9_.-]{0,127}$");
		return false;
	}
	if (!read_flag(q, a, "dryRun", &q->change.dry_run) || !read_flag(q, a, "sync", &sync) ||
	    !read_flag(q, a, "force", &q->change.force))
		return false;
	q->change.relaxed = !sync;
	return true;
}

static void add_errors(struct reply *a, const struct field_errors *errors)
{
	struct buf *b = &a->bytes;

	(void)buf_add_text(b, ",\"errors\":[");
	for (size_t i = 0; i < errors->count; i++) {
		(void)buf_add_text(b, i ? ",{\"pointer\":" : "{\"pointer\":");
		(void)json_text_add(b, errors->at[i].pointer);
		(void)buf_add_text(b, ",\"detail\":");
		(void)json_text_add(b, errors->at[i].detail);
		(void)buf_add_byte(b, '}');
	}
	(void)buf_add_byte(b, ']');
}

void outcome_undecodable(struct request *q, struct reply *a, int answer, const struct field_errors *errors)
{
	if (answer < 0 || errors->count == 0) {
		problem(a, q, PROBLEM_INTERNAL, "out of memory; nothing was changed");
	} else if (answer == CODEC_E_MALFORMED) {
		problem(a, q, PROBLEM_MALFORMED_JSON, "%s", errors->at[0].detail);
	} else {
		const char *pointer = errors->at[0].pointer;

		problem_start(a, q, PROBLEM_VALIDATION_FAILED, "%s %s", pointer[0] ? pointer : "the body", errors->at[0].detail);
		add_errors(a, errors);
		problem_end(a, PROBLEM_VALIDATION_FAILED);
	}
}

/* ---- after ---- */

/* `,"from":...,"to":...,"allowed":[...]`. */
static void add_moves(struct buf *b, const struct verdict *v)
{
	unsigned moves = state_moves(v->from);
	bool first = true;

	(void)buf_addf(b, ",\"from\":\"%s\",\"to\":\"%s\",\"allowed\":[", state_name(v->from), state_name(v->to));
	for (unsigned s = 0; s < CONTAINER_STATE_COUNT; s++)
		if (moves >> s & 1u) {
			(void)buf_addf(b, "%s\"%s\"", first ? "" : ",", state_name((enum container_state)s));
			first = false;
		}
	(void)buf_add_byte(b, ']');
}

static void tell_transition(struct request *q, struct reply *a, const struct verdict *v)
{
	problem_start(a, q, PROBLEM_ILLEGAL_TRANSITION, "%s cannot become %s by this change", state_name(v->from), state_name(v->to));
	add_moves(&a->bytes, v);
	problem_end(a, PROBLEM_ILLEGAL_TRANSITION);
}

static void tell_exited(struct request *q, struct reply *a, const struct verdict *v)
{
	const struct status *s = container_status(q->ticket.container);
	char finished[TIMESTAMP_LEN + 1];

	timestamp_format(s->finished_at, finished);
	problem_start(a, q, PROBLEM_ALREADY_EXITED, "it exited at %s with code %d, and the first exit of a run wins", finished,
		      s->exit_code);
	add_moves(&a->bytes, v);
	problem_end(a, PROBLEM_ALREADY_EXITED);
}

static void tell_mismatch(struct request *q, struct reply *a, uint64_t current)
{
	problem_start(a, q, PROBLEM_REVISION_MISMATCH, "the container is at revision %" PRIu64, current);
	(void)buf_addf(&a->bytes, ",\"current\":\"%" PRIu64 "\"", current);
	reply_etag(a, q, current);
	problem_end(a, PROBLEM_REVISION_MISMATCH);
}

static void tell_stale(struct request *q, struct reply *a, const struct container *current)
{
	if (current)
		tell_mismatch(q, a, container_revision(current));
	else
		problem(a, q, PROBLEM_REVISION_MISMATCH, "there is no such container");
}

static void tell_exists(struct request *q, struct reply *a, const struct verdict *v)
{
	problem_start(a, q, PROBLEM_ALREADY_EXISTS, "there is a container %s, with %s metadata", q->change.id,
		      v->identical ? "the same" : "other");
	(void)buf_addf(&a->bytes, ",\"identical\":%s", v->identical ? "true" : "false");
	if (q->ticket.container)
		reply_etag(a, q, container_revision(q->ticket.container));
	problem_end(a, PROBLEM_ALREADY_EXISTS);
}

static void tell_invalid(struct request *q, struct reply *a, const struct verdict *v)
{
	struct field_errors errors = { .arena = &q->arena };

	field_error(&errors, v->pointer, "%s", v->detail);
	outcome_undecodable(q, a, CODEC_E_INVALID, &errors);
}

static void tell_unknown_outcome(struct request *q, struct reply *a)
{
	problem_start(a, q, PROBLEM_CHECKPOINT_FAILED, "the disk failed, and so did the roll-back: the change may have been kept");
	(void)buf_add_text(&a->bytes, ",\"outcome\":\"unknown\"");
	problem_end(a, PROBLEM_CHECKPOINT_FAILED);
}

/* A write names its container by the full id; what a reader would have found is offered. */
static void tell_no_container(struct app *app, struct request *q, struct reply *a)
{
	struct candidates few = { 0 };
	struct container *c = NULL;
	enum store_find found = store_find(app->store, q->change.id, &c, &few);

	if (c)
		few = (struct candidates){ 1, { c } };
	problem_start(a, q, PROBLEM_CONTAINER_NOT_FOUND,
		      found == STORE_NOT_FOUND ? "there is no container %s" : "there is no container with the full id %s", q->change.id);
	if (few.count)
		problem_candidates(a, &few);
	problem_end(a, PROBLEM_CONTAINER_NOT_FOUND);
	candidates_free(&few);
}

/* Ends that need no words of their own beyond these. */
static const struct {
	enum change_end end;
	enum problem problem;
	const char *detail;
} plain_ends[] = {
	{ CHANGE_E_IMMUTABLE, PROBLEM_IMMUTABLE_METADATA, "the container exists with other metadata" },
	{ CHANGE_E_REMOVING, PROBLEM_CONTAINER_REMOVING, "the container is being removed; only removing=false is taken" },
	{ CHANGE_E_ALREADY_REMOVING, PROBLEM_ALREADY_REMOVING, "the container is being removed already" },
	{ CHANGE_E_CHECKPOINT_FAILED, PROBLEM_CHECKPOINT_FAILED, "the disk failed; the change was rolled back" },
	{ CHANGE_E_NO_SPACE, PROBLEM_INSUFFICIENT_STORAGE, "the disk is full; nothing was changed, reads and deletions go on" },
	{ CHANGE_E_OVERLOADED, PROBLEM_OVERLOADED, "too many changes wait; nothing was changed" },
	{ CHANGE_E_SHUTTING_DOWN, PROBLEM_SHUTTING_DOWN, "the service is shutting down; nothing was changed" },
	{ CHANGE_E_NO_MEMORY, PROBLEM_INTERNAL, "out of memory; nothing was changed" },
};

static void tell_plainly(struct request *q, struct reply *a, enum change_end end)
{
	for (size_t i = 0; i < COUNT(plain_ends); i++)
		if (plain_ends[i].end == end) {
			problem(a, q, plain_ends[i].problem, "%s", plain_ends[i].detail);
			return;
		}
	problem(a, q, PROBLEM_INTERNAL, "the change ended as \"%s\", which is no refusal", change_end_name(end));
}

static void tell_read_only(struct app *app, struct request *q, struct reply *a)
{
	const char *cause = store_read_only(app->store);

	problem(a, q, PROBLEM_READ_ONLY, "changes are not taken: %s", cause ? cause : "the store was read-only");
}

void outcome_refused(struct app *app, struct request *q, struct reply *a)
{
	const struct verdict *v = &q->ticket.verdict;

	switch (v->end) {
	case CHANGE_E_NOT_FOUND:
		tell_no_container(app, q, a);
		break;
	case CHANGE_E_EXISTS:
		tell_exists(q, a, v);
		break;
	case CHANGE_E_STALE:
		tell_stale(q, a, q->ticket.container);
		break;
	case CHANGE_E_ALREADY_EXITED:
		tell_exited(q, a, v);
		break;
	case CHANGE_E_ILLEGAL_TRANSITION:
		tell_transition(q, a, v);
		break;
	case CHANGE_E_RUNNING:
		problem(a, q, PROBLEM_CONTAINER_RUNNING, "the container is %s, or would be; report its exit first, or delete it with force=true",
			state_name(v->to));
		break;
	case CHANGE_E_INVALID:
		tell_invalid(q, a, v);
		break;
	case CHANGE_E_OUTCOME_UNKNOWN:
		tell_unknown_outcome(q, a);
		break;
	case CHANGE_E_READ_ONLY:
		tell_read_only(app, q, a);
		break;
	default:
		tell_plainly(q, a, v->end);
	}
}

void outcome_made(struct request *q, struct reply *a, unsigned status, struct slice (*body)(const struct container *))
{
	struct container *c = take(q->ticket.container);

	if (!q->change.dry_run)
		reply_etag(a, q, container_revision(c));
	if (!q->minimal) {
		reply_snapshot(a, status, c, body(c));
		return;
	}
	container_unref(c);
	reply_empty(a, status == 201 ? 201 : 204);
	reply_header(a, "Preference-Applied", "return=minimal");
}

/* ---- reading ---- */

bool outcome_precondition(struct request *q, struct reply *a, uint64_t revision)
{
	const char *match = q->header[HEADER_IF_MATCH], *none_match = q->header[HEADER_IF_NONE_MATCH];

	if (match && !etag_list_matches(match, revision, false)) {
		tell_mismatch(q, a, revision);
		return true;
	}
	if (none_match && etag_list_matches(none_match, revision, true)) {
		reply_empty(a, 304);
		reply_etag(a, q, revision);
		return true;
	}
	return false;
}

void outcome_not_found(struct request *q, struct reply *a, enum store_find found, const char *ref, struct candidates *takes)
{
	if (found != STORE_AMBIGUOUS && found != STORE_AMBIGUOUS_NAME) {
		problem(a, q, PROBLEM_CONTAINER_NOT_FOUND, "no container has the id %.128s, begins with it, or alone bears it as a name", ref);
		return;
	}
	problem_start(a, q, PROBLEM_AMBIGUOUS_ID, found == STORE_AMBIGUOUS ? "the ids of several containers begin with %.128s" :
		      "several containers bear the name %.128s", ref);
	problem_candidates(a, takes);
	problem_end(a, PROBLEM_AMBIGUOUS_ID);
	candidates_free(takes);
}
