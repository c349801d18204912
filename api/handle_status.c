#include "api/handlers.h"
#include "api/outcome.h"
#include "container/codec.h"

/* Find the container of a read and check its conditions.  The caller's reference; NULL: the reply holds the answer. */
static struct container *find(struct app *app, struct request *q, struct reply *a, const char *sub)
{
	struct candidates few = { 0 };
	struct container *c = NULL;
	enum store_find found = store_find(app->store, q->segment[1], &c, &few);

	if (!c) {
		outcome_not_found(q, a, found, q->segment[1], &few);
		return NULL;
	}
	if (found != STORE_EXACT)
		reply_header(a, "Content-Location", arena_printf(&q->arena, "/containers/%s/%s", container_id(c), sub));
	if (outcome_precondition(q, a, container_revision(c))) {
		container_unref(c);
		return NULL;
	}
	return c;
}

void get_status(struct app *app, struct request *q, struct reply *a)
{
	struct container *c = find(app, q, a, "status");

	if (!c)
		return;
	reply_header(a, "ETag", container_etag(c));
	reply_snapshot(a, 200, c, container_status_json(c));
}

void get_checkpoint(struct app *app, struct request *q, struct reply *a)
{
	struct container *c = find(app, q, a, "checkpoint");

	if (!c)
		return;
	reply_etag(a, q, container_revision(c));
	(void)codec_checkpoint(&a->bytes, c);
	container_unref(c);
	reply_bytes(a, 200, MEDIA_JSON);
}

static void change_status_of(struct request *q, struct reply *a, enum change_kind kind)
{
	struct field_errors errors = { .arena = &q->arena };
	int r;

	if (!outcome_begin(q, a, kind))
		return;
	r = codec_status_from_wire((struct slice){ q->body.at, q->body.len }, &q->change, &errors);
	if (r != CODEC_OK)
		outcome_undecodable(q, a, r, &errors);
}

void put_status(struct app *app, struct request *q, struct reply *a)
{
	(void)app;
	change_status_of(q, a, CHANGE_REPLACE);
}

void patch_status(struct app *app, struct request *q, struct reply *a)
{
	(void)app;
	change_status_of(q, a, CHANGE_PATCH);
}

void changed_status(struct app *app, struct request *q, struct reply *a)
{
	if (change_end_is_success(q->ticket.verdict.end))
		outcome_made(q, a, 200, container_status_json);
	else
		outcome_refused(app, q, a);
}
