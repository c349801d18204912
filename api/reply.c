#include "api/reply.h"

#include <inttypes.h>
#include <microhttpd.h>
#include <string.h>

#include "api/router.h"

const char *media_type(enum media media)
{
	switch (media) {
	case MEDIA_JSON:
		return "application/json";
	case MEDIA_NDJSON:
		return "application/x-ndjson";
	case MEDIA_TEXT:
		return "text/plain; charset=utf-8";
	case MEDIA_YAML:
		return "application/yaml";
	case MEDIA_METRICS:
		return "text/plain; version=0.0.4; charset=utf-8";
	case MEDIA_PROBLEM:
		return "application/problem+json";
	}
	return NULL;
}

void reply_clear(struct reply *a)
{
	buf_free(&a->bytes);
	container_unref(a->container);
	list_body_free(a->list);
	*a = (struct reply)REPLY_NONE;
}

void reply_header(struct reply *a, const char *name, const char *value)
{
	if (!value || a->header_count == REPLY_HEADERS_MAX) {
		a->failed = true;
		return;
	}
	a->header[a->header_count].name = name;
	a->header[a->header_count++].value = value;
}

void reply_etag(struct reply *a, struct request *q, uint64_t revision)
{
	reply_header(a, "ETag", arena_printf(&q->arena, "\"%" PRIu64 "\"", revision));
}

void reply_empty(struct reply *a, unsigned status)
{
	a->status = status;
	a->kind = REPLY_EMPTY;
}

void reply_static(struct reply *a, unsigned status, enum media media, struct slice slice)
{
	a->status = status;
	a->media = media;
	a->kind = REPLY_STATIC;
	a->slice = slice;
}

void reply_bytes(struct reply *a, unsigned status, enum media media)
{
	a->status = status;
	a->media = media;
	a->kind = REPLY_BYTES;
	a->failed |= a->bytes.failed != 0;
}

void reply_snapshot(struct reply *a, unsigned status, struct container *takes, struct slice slice)
{
	a->status = status;
	a->media = MEDIA_JSON;
	a->kind = REPLY_SNAPSHOT;
	a->container = takes;
	a->slice = slice;
}

/* ---- lists ---- */

void reply_list(struct reply *a, unsigned status, enum media media, struct list_body *takes)
{
	a->status = status;
	a->media = media;
	a->kind = REPLY_LIST;
	a->list = takes;
	a->failed |= takes->head.failed || takes->tail.failed;
}

void list_body_free(struct list_body *l)
{
	if (!l)
		return;
	listing_unref(l->listing);
	buf_free(&l->head);
	buf_free(&l->tail);
	free(l);
}

static size_t item_count(const struct list_body *l)
{
	return l->to - l->from;
}

/* What stands behind item i: a separator between items, an end of line behind each. */
static struct slice behind(const struct list_body *l, size_t i)
{
	bool wanted = l->is_lines || i + 1 < item_count(l);

	return wanted ? (struct slice){ l->separator, strlen(l->separator) } : (struct slice){ "", 0 };
}

static struct slice part_of(const struct list_body *l, size_t part)
{
	size_t i = (part - 1) / 2;

	if (part == 0)
		return (struct slice){ l->head.at, l->head.len };
	if (i == item_count(l))
		return (struct slice){ l->tail.at, l->tail.len };
	return part % 2 ? container_json(listing_at(l->listing, l->from + i)) : behind(l, i);
}

uint64_t list_body_size(const struct list_body *l)
{
	uint64_t size = 0;

	for (size_t part = 0; part <= 2 * item_count(l) + 1; part++)
		size += part_of(l, part).len;
	return size;
}

/* The bodies lie anywhere in memory: ask for the one after the next while this one is copied. */
static void look_ahead(const struct list_body *l, size_t part)
{
	size_t i = l->from + part / 2 + 2;

	if (i < l->to)
		__builtin_prefetch(container_json(listing_at(l->listing, i)).at);
}

size_t list_body_read(const struct list_body *l, struct list_cursor *c, char *to, size_t room)
{
	size_t copied = 0;

	while (copied < room && c->part <= 2 * item_count(l) + 1) {
		struct slice s = part_of(l, c->part);
		size_t n = s.len - c->at < room - copied ? s.len - c->at : room - copied;

		if (n > 0)
			memcpy(to + copied, s.at + c->at, n);
		copied += n;
		c->at += n;
		if (c->at == s.len) {
			look_ahead(l, c->part++);
			c->at = 0;
		}
	}
	return copied;
}

/* ---- towards the library ---- */

static void drop_container(void *cls)
{
	container_unref(cls);
}

/* A list on its way out: the body, and how far it was read. */
struct transfer {
	struct list_body *list; /* owned */
	struct list_cursor cursor;
};

static ssize_t read_transfer(void *cls, uint64_t pos, char *to, size_t room)
{
	struct transfer *t = cls;
	size_t n = list_body_read(t->list, &t->cursor, to, room);

	(void)pos; /* always where the last read ended */
	return n ? (ssize_t)n : MHD_CONTENT_READER_END_OF_STREAM;
}

static void free_transfer(void *cls)
{
	struct transfer *t = cls;

	list_body_free(t->list);
	free(t);
}

enum { LIST_BLOCK = 28 * 1024 }; /* about what a connection's pool has free */

static struct MHD_Response *respond_list(struct reply *a)
{
	struct transfer *t = calloc(1, sizeof *t);
	struct MHD_Response *r;

	if (!t)
		return NULL;
	t->list = a->list;
	r = MHD_create_response_from_callback(list_body_size(t->list), LIST_BLOCK, read_transfer, t, free_transfer);
	if (r)
		a->list = NULL;
	else
		free(t);
	return r;
}

static struct MHD_Response *respond_static(struct slice s)
{
	return MHD_create_response_from_buffer(s.len, (void *)(uintptr_t)s.at, MHD_RESPMEM_PERSISTENT);
}

static struct MHD_Response *respond_bytes(struct reply *a)
{
	struct MHD_Response *r;

	if (a->bytes.len == 0)
		return respond_static((struct slice){ "", 0 });
	r = MHD_create_response_from_buffer_with_free_callback(a->bytes.len, a->bytes.at, free);
	if (r)
		a->bytes = (struct buf)BUF(CAP_REPLY);
	return r;
}

static struct MHD_Response *respond(struct reply *a)
{
	struct MHD_Response *r = NULL;

	switch (a->kind) {
	case REPLY_EMPTY:
		return respond_static((struct slice){ "", 0 });
	case REPLY_BYTES:
		return respond_bytes(a);
	case REPLY_STATIC:
		return respond_static(a->slice);
	case REPLY_SNAPSHOT:
		r = MHD_create_response_from_buffer_with_free_callback_cls(a->slice.len, (void *)(uintptr_t)a->slice.at,
									   drop_container, a->container);
		if (r)
			a->container = NULL;
		return r;
	case REPLY_LIST:
		return respond_list(a);
	}
	return NULL;
}

static bool add_own_headers(struct MHD_Response *r, const struct reply *a)
{
	for (size_t i = 0; i < a->header_count; i++)
		if (MHD_add_response_header(r, a->header[i].name, a->header[i].value) != MHD_YES)
			return false;
	return a->kind == REPLY_EMPTY || MHD_add_response_header(r, "Content-Type", media_type(a->media)) == MHD_YES;
}

static const char *cache_rule(const struct reply *a, const struct request *q)
{
	if (a->problem || !q->route)
		return "no-store";
	return q->route->freshness == MOMENTARY ? "no-store" : "no-cache";
}

static bool add_common_headers(struct MHD_Response *r, const struct reply *a, const struct request *q, bool close)
{
	if (MHD_add_response_header(r, "X-Request-Id", q->id) != MHD_YES ||
	    MHD_add_response_header(r, "Cache-Control", cache_rule(a, q)) != MHD_YES)
		return false;
	if (q->route && q->route->freshness == RESOURCE && MHD_add_response_header(r, "Vary", "Accept, Accept-Encoding") != MHD_YES)
		return false;
	if (q->traced && MHD_add_response_header(r, "traceparent", q->header[HEADER_TRACEPARENT]) != MHD_YES)
		return false;
	return !close || MHD_add_response_header(r, "Connection", "close") == MHD_YES;
}

struct MHD_Response *reply_response(struct reply *a, struct request *q, bool close)
{
	static const char no_memory[] =
		"{\"type\":\"/problems/internal\",\"title\":\"Internal error\",\"status\":500,\"detail\":\"out of memory\",\"instance\":\"\"}\n";
	struct MHD_Response *r;

	if (a->failed) {
		reply_clear(a);
		a->problem = "internal";
		reply_static(a, 500, MEDIA_PROBLEM, (struct slice){ no_memory, sizeof no_memory - 1 });
	}
	r = respond(a);
	if (!r)
		return NULL;
	if (add_own_headers(r, a) && add_common_headers(r, a, q, close))
		return r;
	MHD_destroy_response(r);
	return NULL;
}
