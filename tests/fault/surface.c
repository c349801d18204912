#include "fault/surface.h"

#include <microhttpd.h>
#include <stdlib.h>
#include <string.h>

#include "api/admit.h"
#include "api/list.h"
#include "api/reply.h"
#include "api/request.h"
#include "api/router.h"

/* ---- the head ---- */

static void add_field(struct request *q, const char *name, const char *value)
{
	request_add_header(q, name, value);
	q->head_bytes += strlen(name) + strlen(value) + 4;
}

static void read_head(struct request *q, const struct surface_request *r)
{
	q->method_text = r->method;
	q->method = method_parse(r->method);
	q->version = "HTTP/1.1";
	q->target = arena_copy(&q->arena, r->target, strlen(r->target));
	q->no_memory = !q->target;
	q->head_bytes = strlen(r->method) + 1 + strlen(r->target) + 1 + strlen(q->version) + 2 + 2;
	add_field(q, "Host", "here");
	if (r->body)
		add_field(q, "Content-Type", "application/json");
	for (size_t i = 0; r->fields[i]; i += 2)
		add_field(q, r->fields[i], r->fields[i + 1]);
	q->content_length = r->body ? strlen(r->body) : 0;
	q->has_body = r->body != NULL;
	request_take_id(q, "0123456789abcdef");
}

/* ---- the answer ---- */

static void copy_body(const struct reply *a, struct surface_answer *ret)
{
	struct list_cursor cursor = { 0 };
	struct slice s = { "", 0 };

	switch (a->kind) {
	case REPLY_EMPTY:
		break;
	case REPLY_BYTES:
		s = (struct slice){ a->bytes.at, a->bytes.len };
		break;
	case REPLY_STATIC:
	case REPLY_SNAPSHOT:
		s = a->slice;
		break;
	case REPLY_LIST:
		ret->len = list_body_read(a->list, &cursor, ret->body, sizeof ret->body);
		return;
	}
	if (s.len > sizeof ret->body)
		abort();
	if (s.len > 0)
		memcpy(ret->body, s.at, s.len);
	ret->len = s.len;
}

static void handle(struct app *app, struct request *q, struct reply *a, struct surface_answer *ret)
{
	q->route->handle(app, q, a);
	if (a->status || a->failed)
		return;
	q->ticket = (struct ticket){ .change = &q->change };
	store_change(app->store, &q->ticket);
	ret->submitted = true;
	ret->end = q->ticket.verdict.end;
	q->route->finish(app, q, a);
}

void surface_ask(struct app *app, const struct surface_request *r, struct surface_answer *ret)
{
	struct request q = { .body = BUF(CAP_BODY) };
	struct reply a = REPLY_NONE;
	struct MHD_Response *response;

	memset(ret, 0, offsetof(struct surface_answer, body));
	read_head(&q, r);
	if (admit(app, &q, &a) && !a.status && !a.failed) {
		a.failed = r->body && buf_add(&q.body, r->body, strlen(r->body)) < 0;
		if (!a.failed)
			handle(app, &q, &a, ret);
	}
	ret->failed = a.failed;
	ret->status = a.failed ? 500 : a.status;
	if (!a.failed)
		copy_body(&a, ret);
	response = reply_response(&a, &q, false);
	if (response)
		MHD_destroy_response(response);
	else
		ret->status = 0;
	ticket_clear(&q.ticket);
	reply_clear(&a);
	buf_free(&q.body);
	arena_free(&q.arena);
}
