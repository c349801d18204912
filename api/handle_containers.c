#include <inttypes.h>
#include <string.h>

#include "api/handlers.h"
#include "api/list.h"
#include "api/outcome.h"
#include "container/codec.h"
#include "container/id.h"

static const char *path_of(struct request *q, const char *id)
{
	return arena_printf(&q->arena, "/containers/%s", id);
}

/* ---- reading ---- */

void get_container(struct app *app, struct request *q, struct reply *a)
{
	const char *ref = q->segment[1];
	struct candidates few = { 0 };
	struct container *c = NULL;
	enum store_find found = store_find(app->store, ref, &c, &few);

	if (!c) {
		outcome_not_found(q, a, found, ref, &few);
		return;
	}
	if (found != STORE_EXACT)
		reply_header(a, "Content-Location", path_of(q, container_id(c)));
	if (outcome_precondition(q, a, container_revision(c))) {
		container_unref(c);
		return;
	}
	reply_header(a, "ETag", container_etag(c));
	reply_snapshot(a, 200, c, container_json(c));
}

/* ---- creating ---- */

/* Decode the body of POST or PUT into the change.  False: the reply holds the refusal. */
static bool read_body(struct request *q, struct reply *a)
{
	struct field_errors errors = { .arena = &q->arena };
	int r = codec_create_from_wire((struct slice){ q->body.at, q->body.len }, &q->change, &errors);

	if (r == CODEC_OK)
		return true;
	outcome_undecodable(q, a, r, &errors);
	return false;
}

void create_container(struct app *app, struct request *q, struct reply *a)
{
	char made[ID_GENERATED + 1];

	(void)app;
	if (!outcome_begin(q, a, CHANGE_CREATE) || !read_body(q, a))
		return;
	if (q->change.metadata.id[0] == '\0') {
		if (id_generate(made) == 0)
			q->change.metadata.id = arena_copy(&q->arena, made, ID_GENERATED);
		if (!q->change.metadata.id || q->change.metadata.id[0] == '\0') {
			problem(a, q, PROBLEM_INTERNAL, "the system has no random bytes for an id");
			return;
		}
	}
	q->change.id = q->change.metadata.id;
}

void put_container(struct app *app, struct request *q, struct reply *a)
{
	(void)app;
	if (outcome_begin(q, a, CHANGE_PUT))
		(void)read_body(q, a);
}

void created_container(struct app *app, struct request *q, struct reply *a)
{
	if (q->ticket.verdict.end != CHANGE_CREATED) {
		outcome_refused(app, q, a);
		return;
	}
	reply_header(a, "Location", path_of(q, q->change.id));
	outcome_made(q, a, 201, container_json);
}

void finished_put(struct app *app, struct request *q, struct reply *a)
{
	if (q->ticket.verdict.end == CHANGE_SAME)
		outcome_made(q, a, 200, container_json);
	else
		created_container(app, q, a);
}

/* ---- deleting ---- */

void delete_container(struct app *app, struct request *q, struct reply *a)
{
	(void)app;
	(void)outcome_begin(q, a, CHANGE_DELETE);
}

void deleted_container(struct app *app, struct request *q, struct reply *a)
{
	struct candidates few;

	if (!change_end_is_success(q->ticket.verdict.end)) {
		outcome_refused(app, q, a);
		return;
	}
	reply_empty(a, 204);
	/* Most likely a short id: "gone" would be a lie about a container that is there.  Names are nobody's id. */
	if (q->ticket.verdict.end != CHANGE_ABSENT || store_find_begun(app->store, q->change.id, &few) == 0)
		return;
	problem_start(a, q, PROBLEM_FULL_ID_REQUIRED, "%s is nobody's id, but begins one", q->change.id);
	problem_candidates(a, &few);
	problem_end(a, PROBLEM_FULL_ID_REQUIRED);
	candidates_free(&few);
}

/* ---- listing ---- */

void list_containers(struct app *app, struct request *q, struct reply *a)
{
	struct list_query query;

	if (!list_read_query(q, a, &query))
		return;
	list_answer(app, q, a, &query);
}
