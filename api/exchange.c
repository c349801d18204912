/* The life of a request: begin (the head is there), body (piece by piece), answer (perhaps after a wait for the
 * committer), done.  Phase lives in the exchange, not in the library's arguments. */
#include <errno.h>
#include <string.h>
#include <strings.h>

#include "api/admit.h"
#include "api/problem.h"
#include "api/router.h"
#include "api/server_internal.h"
#include "base/log.h"

enum { SWALLOW_MOST = CAP_BODY }; /* of a body over its cap, so that the 413 can be read */

/* ---- exchanges ---- */

static struct exchange *exchange_new(struct loop *l)
{
	struct exchange *x = l->spares;
	struct arena kept = ARENA;

	if (x) {
		l->spares = x->spare;
		l->spare_count--;
		kept = x->request.arena;
	} else {
		x = malloc(sizeof *x);
	}
	if (!x)
		return NULL;
	memset(x, 0, sizeof *x);
	x->request.arena = kept;
	x->request.body = (struct buf)BUF(CAP_BODY);
	x->reply = (struct reply)REPLY_NONE;
	x->loop = l;
	return x;
}

void exchange_free(struct exchange *x)
{
	arena_free(&x->request.arena);
	free(x);
}

static void exchange_release(struct exchange *x)
{
	struct loop *l = x->loop;

	ticket_clear(&x->request.ticket);
	reply_clear(&x->reply);
	buf_free(&x->request.body);
	atomic_fetch_sub_explicit(&l->server->traffic.body_bytes, x->budgeted, memory_order_relaxed);
	if (l->spare_count == SPARE_EXCHANGES) {
		exchange_free(x);
		return;
	}
	arena_reset(&x->request.arena);
	x->spare = l->spares;
	l->spares = x;
	l->spare_count++;
}

void *exchange_on_target(void *cls, const char *target, struct MHD_Connection *connection)
{
	struct exchange *x = exchange_new(cls);

	(void)connection;
	if (x && strlen(target) <= CAP_TARGET) {
		x->request.target = arena_copy(&x->request.arena, target, strlen(target));
		x->request.no_memory = !x->request.target;
	}
	return x;
}

/* ---- phases ---- */

static size_t *counter_of(struct loop *l, enum phase phase)
{
	switch (phase) {
	case PHASE_BODY:
		return &l->receiving;
	case PHASE_WAITING:
		return &l->waiting;
	case PHASE_SENDING:
		return &l->sending;
	case PHASE_BEGIN:
		break;
	}
	return NULL;
}

static void set_phase(struct exchange *x, enum phase phase)
{
	size_t *before = counter_of(x->loop, x->phase), *now = counter_of(x->loop, phase);

	if (before)
		(*before)--;
	if (now)
		(*now)++;
	x->phase = phase;
	if (x->peer)
		x->peer->reading = phase == PHASE_BEGIN || phase == PHASE_BODY;
}

/* ---- answering ---- */

static void log_answer(const struct exchange *x, enum log_level level)
{
	const struct request *q = &x->request;

	log_at(level, "request", LOG_TEXT("method", q->method_text), LOG_TEXT("path", q->path ? q->path : ""),
	       LOG_NUMBER("status", x->reply.status), LOG_TEXT("problem", x->reply.problem ? x->reply.problem : "-"),
	       LOG_TEXT("id", q->id), LOG_NUMBER("us", (clock_mono(x->loop->server->app->clock) - x->began_ns) / NS_PER_US));
}

static enum MHD_Result send_reply(struct exchange *x)
{
	struct reply *a = &x->reply;
	bool close = a->close || x->request.is_chunked || x->loop->draining || atomic_load(&x->loop->server->app->draining);
	int64_t list_seconds = a->kind == REPLY_LIST ? (int64_t)(list_body_size(a->list) / (256 * 1024)) : 0;
	struct MHD_Response *response = reply_response(a, &x->request, close);
	enum MHD_Result ok;

	if (!response)
		return MHD_NO;
	ok = MHD_queue_response(x->connection, a->status, response);
	MHD_destroy_response(response); /* our hold on it; the connection has its own */
	if (ok != MHD_YES)
		return MHD_NO;
	set_phase(x, PHASE_SENDING);
	x->peer->deadline_ns = x->loop->now_ns + (60 + list_seconds) * NS_PER_S;
	if (a->status == 500 || a->status == 507)
		log_answer(x, LOG_WARN);
	else if (log_wants(LOG_DEBUG))
		log_answer(x, LOG_DEBUG);
	return MHD_YES;
}

/* From the committer's thread, or from the loop itself when the change was refused at once. */
static void on_change_done(struct ticket *t)
{
	struct exchange *x = t->cls;
	struct loop *l = x->loop;

	atomic_fetch_add(&l->resuming, 1);
	MHD_resume_connection(x->connection);
	/* The exchange belongs to its loop again and may be gone by now; the loop itself stays until this is 0. */
	loop_wake(l);
	atomic_fetch_sub(&l->resuming, 1);
}

/* Suspend first, hand over then: the change may be done before this returns. */
static enum MHD_Result submit(struct exchange *x)
{
	struct request *q = &x->request;

	q->ticket = (struct ticket){ .change = &q->change, .done = on_change_done, .cls = x };
	set_phase(x, PHASE_WAITING);
	x->peer->deadline_ns = INT64_MAX; /* the store bounds the wait */
	traffic_count(&x->loop->traffic->suspended);
	MHD_suspend_connection(x->connection);
	store_submit(x->loop->server->app->store, &q->ticket);
	return MHD_YES;
}

static enum MHD_Result answer(struct exchange *x)
{
	struct request *q = &x->request;
	struct app *app = x->loop->server->app;

	if (x->phase == PHASE_WAITING) {
		q->route->finish(app, q, &x->reply);
		return send_reply(x);
	}
	if (x->reply.status)
		return send_reply(x);
	if (q->too_big) {
		problem(&x->reply, q, PROBLEM_BODY_TOO_LARGE, "the body has more than %d bytes", CAP_BODY);
		return send_reply(x);
	}
	q->route->handle(app, q, &x->reply);
	if (x->reply.status || x->reply.failed)
		return send_reply(x);
	return submit(x);
}

/* ---- the head ---- */

static enum MHD_Result take_header(void *cls, enum MHD_ValueKind kind, const char *name, const char *value)
{
	(void)kind;
	request_add_header(cls, name, value ? value : "");
	return MHD_YES;
}

static void make_id(struct loop *l, char ret_id[static 32])
{
	/* Unique for the life of the process and hard to meet elsewhere; nothing rests on it being secret. */
	uint64_t id = l->id_seed + 0x9e3779b97f4a7c15u * ++l->id_count;

	for (int i = 15; i >= 0; i--, id >>= 4)
		ret_id[i] = "0123456789abcdef"[id & 15];
	ret_id[16] = '\0';
}

static void read_head(struct exchange *x, const char *method, const char *version)
{
	const union MHD_ConnectionInfo *size;
	struct request *q = &x->request;
	const char *length;
	char made[32];

	q->method_text = method;
	q->method = method_parse(method);
	q->version = version;
	(void)MHD_get_connection_values(x->connection, MHD_HEADER_KIND, take_header, q);
	size = MHD_get_connection_info(x->connection, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);
	q->head_bytes = size ? size->header_size : 0;
	length = q->header[HEADER_CONTENT_LENGTH];
	q->content_length = length ? strtoull(length, NULL, 10) : 0;
	q->is_chunked = q->header[HEADER_TRANSFER_ENCODING] != NULL;
	q->has_body = q->is_chunked || q->content_length > 0;
	make_id(x->loop, made);
	request_take_id(q, made);
}

/* All bodies in memory together are bounded.  What has come is charged, not what was announced: announcing is free. */
static bool charge_body(struct exchange *x, size_t size)
{
	struct server *s = x->loop->server;

	x->budgeted += size;
	return atomic_fetch_add_explicit(&s->traffic.body_bytes, size, memory_order_relaxed) + size <= s->options.body_budget;
}

static int64_t body_deadline(const struct exchange *x)
{
	uint64_t bytes = x->request.is_chunked ? CAP_BODY : x->request.content_length;
	int64_t seconds = 10 + (int64_t)(bytes < 50u * 65536 ? bytes / 65536 : 50);

	return x->loop->now_ns + seconds * NS_PER_S;
}

/* A refusal waits for a small body to pass, since a reply at this point would cost the client its connection; what is
 * large, of doubtful framing, or waits for a "100 Continue" is answered at once. */
static bool answer_before_body(const struct exchange *x)
{
	const struct request *q = &x->request;

	return x->reply.close ||
	       (q->has_body && (q->is_chunked || q->content_length > CAP_DRAIN || q->header[HEADER_EXPECT]));
}

static enum MHD_Result begin(struct exchange *x, const char *method, const char *version)
{
	const union MHD_ConnectionInfo *peer = MHD_get_connection_info(x->connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
	struct request *q = &x->request;
	bool accepted;

	if (!peer || !peer->socket_context)
		return MHD_NO;
	x->peer = peer->socket_context;
	x->began_ns = clock_mono(x->loop->server->app->clock);
	read_head(x, method, version);
	accepted = admit(x->loop->server->app, q, &x->reply);
	if (!accepted && x->reply.close)
		traffic_count(&x->loop->traffic->bad_framing);
	if (!accepted && answer_before_body(x)) {
		x->reply.close = true;
		return send_reply(x);
	}
	if (accepted && q->has_body && !q->route)
		x->reply.close = true;
	set_phase(x, PHASE_BODY);
	x->peer->deadline_ns = body_deadline(x);
	return MHD_YES;
}

/* ---- the body ---- */

static enum MHD_Result take_body(struct exchange *x, const char *data, size_t size)
{
	struct request *q = &x->request;
	bool wanted = !x->reply.status && !x->reply.failed && q->route && q->route->consumes && !q->too_big;

	if (wanted && !charge_body(x, size)) {
		problem(&x->reply, q, PROBLEM_OVERLOADED, "too many bodies are being received; try again");
		buf_free(&q->body);
		wanted = false;
	}
	if (wanted) {
		int r = buf_add(&q->body, data, size);

		q->too_big = r == -EMSGSIZE;
		x->reply.failed = r == -ENOMEM;
		if (r == 0)
			return MHD_YES;
		buf_free(&q->body);
	}
	/* No reply can be queued while a body arrives: swallow some of it, then hang up. */
	x->swallowed += size;
	return x->swallowed > (q->route && q->route->consumes ? SWALLOW_MOST : CAP_DRAIN) ? MHD_NO : MHD_YES;
}

enum MHD_Result exchange_on_access(void *cls, struct MHD_Connection *connection, const char *url, const char *method,
				   const char *version, const char *data, size_t *size, void **slot)
{
	struct exchange *x = *slot;

	(void)cls;
	(void)url; /* decoded by the library: %2F would be a slash already */
	if (!x)
		return MHD_NO; /* no memory when the target came */
	x->connection = connection;
	if (x->phase == PHASE_BEGIN)
		return begin(x, method, version);
	if (*size > 0) {
		enum MHD_Result ok = take_body(x, data, *size);

		*size = 0;
		return ok;
	}
	return answer(x);
}

/* ---- done ---- */

void exchange_on_done(void *cls, struct MHD_Connection *connection, void **slot, enum MHD_RequestTerminationCode why)
{
	struct exchange *x = *slot;
	struct loop *l = cls;

	(void)connection;
	*slot = NULL;
	if (!x)
		return;
	if (why != MHD_REQUEST_TERMINATED_COMPLETED_OK)
		traffic_count(&l->traffic->gone);
	if (x->phase == PHASE_SENDING)
		traffic_request(l->traffic, x->request.route ? (size_t)(x->request.route - routes) : route_count, x->reply.status,
				clock_mono(l->server->app->clock) - x->began_ns);
	set_phase(x, PHASE_BEGIN);
	if (x->peer)
		x->peer->deadline_ns = peer_idle_deadline(l);
	exchange_release(x);
}
