#include "api/list.h"

#include <inttypes.h>
#include <string.h>

#include "api/negotiate.h"
#include "api/problem.h"

/* ---- the query ---- */

/* FNV-1a, a text and its end at a time: 0xff stands in no text. */
static uint64_t mix(uint64_t hash, const char *text)
{
	for (; *text; text++)
		hash = (hash ^ (unsigned char)*text) * UINT64_C(0x100000001b3);
	return (hash ^ 0xff) * UINT64_C(0x100000001b3);
}

static bool read_filters(struct request *q, struct reply *a, struct list_query *query)
{
	query->filter = filter_new(&q->arena);
	query->hash = UINT64_C(0xcbf29ce484222325);
	if (!query->filter)
		a->failed = true;
	for (const char *const *name = filter_parameters; *name && !a->failed; name++) {
		const char *value = request_parameter(q, *name), *detail = "";
		int r;

		if (!value)
			continue;
		r = filter_add(query->filter, *name, value, &detail);
		if (r > 0)
			problem(a, q, PROBLEM_INVALID_PARAMETER, "%s", detail);
		if (r > 0)
			return false;
		a->failed |= r < 0;
		query->hash = mix(mix(query->hash, *name), value);
	}
	if (a->failed)
		problem(a, q, PROBLEM_INTERNAL, "out of memory");
	return !a->failed;
}

static bool read_limit(struct request *q, struct reply *a, struct list_query *query)
{
	const char *text = request_parameter(q, "limit");
	size_t limit = 0;

	query->limit = q->media == MEDIA_NDJSON ? SIZE_MAX : LIST_LIMIT_DEFAULT;
	if (!text)
		return true;
	for (const char *p = text; *p >= '0' && *p <= '9' && limit <= LIST_LIMIT_MAX; p++)
		limit = 10 * limit + (size_t)(*p - '0');
	if (strspn(text, "0123456789") != strlen(text) || limit < 1 || limit > LIST_LIMIT_MAX) {
		problem(a, q, PROBLEM_INVALID_PARAMETER, "limit must be a number from 1 to %d, not %.32s", LIST_LIMIT_MAX, text);
		return false;
	}
	query->limit = limit;
	return true;
}

bool list_read_query(struct request *q, struct reply *a, struct list_query *ret)
{
	ret->token = request_parameter(q, "continue");
	return read_limit(q, a, ret) && read_filters(q, a, ret);
}

/* ---- the page ---- */

/* A page: items [from, to) of a listing, and how to go on. */
struct page {
	struct listing *listing; /* owned reference until it goes to the body */
	size_t from, to;
	const char *token; /* NULL: the last page */
};

static bool continue_walk(struct app *app, struct request *q, struct reply *a, const struct list_query *query, struct page *p)
{
	uint64_t shown = 0;

	switch (walk_find(app->walks, query->token, query->hash, &p->listing, &shown)) {
	case WALK_FOUND:
		p->from = shown < listing_count(p->listing) ? (size_t)shown : listing_count(p->listing);
		return true;
	case WALK_E_FORGED:
		problem(a, q, PROBLEM_INVALID_PARAMETER, "continue is no token of this server; send it back as it came");
		break;
	case WALK_E_OTHER:
		problem(a, q, PROBLEM_INVALID_PARAMETER, "continue belongs to another query; repeat the filters and the order it came with");
		break;
	case WALK_E_EXPIRED:
		problem(a, q, PROBLEM_CONTINUE_EXPIRED, "this walk is no longer kept; begin again without continue");
		break;
	}
	return false;
}

static bool open_page(struct app *app, struct request *q, struct reply *a, const struct list_query *query, struct page *p)
{
	if (query->token) {
		if (!continue_walk(app, q, a, query, p))
			return false;
	} else if (store_list(app->store, query->filter, &p->listing) < 0) {
		problem(a, q, PROBLEM_INTERNAL, "out of memory");
		return false;
	}
	p->to = listing_count(p->listing);
	if (p->to - p->from <= query->limit)
		return true;
	p->to = p->from + query->limit;
	p->token = walk_continue(app->walks, p->listing, query->hash, p->to, &q->arena);
	a->failed |= !p->token;
	return true;
}

/* ---- its forms ---- */

enum { CAP_LINK = 6 * 1024 }; /* what a connection's pool has left for the head of a reply */

/* The query again with another token (RFC 8288).  Values were decoded, so they are encoded anew. */
static const char *next_link(struct request *q, const char *token)
{
	auto_buf struct buf b = BUF(CAP_LINK);

	(void)buf_addf(&b, "<%s?", q->path);
	for (size_t i = 0; i < q->parameter_count; i++) {
		if (!strcmp(q->parameter[i].name, "continue"))
			continue;
		(void)buf_addf(&b, "%s=", q->parameter[i].name);
		for (const char *p = q->parameter[i].value; *p; p++) {
			bool plain = (*p >= '0' && *p <= '9') || (*p >= 'A' && *p <= 'Z') || (*p >= 'a' && *p <= 'z') ||
				     strchr("-._~,!", *p);

			if (plain)
				(void)buf_add_byte(&b, *p);
			else
				(void)buf_addf(&b, "%%%02X", (unsigned char)*p);
		}
		(void)buf_add_byte(&b, '&');
	}
	(void)buf_addf(&b, "continue=%s>; rel=\"next\"", token);
	return b.failed ? "" : arena_copy(&q->arena, b.at, b.len);
}

static void add_envelope(struct list_body *l, const struct page *p)
{
	(void)buf_add_text(&l->head, "{\"items\":[");
	(void)buf_addf(&l->tail, "],\"metadata\":{\"revision\":\"%" PRIu64 "\"", listing_revision(p->listing));
	if (p->token)
		(void)buf_addf(&l->tail, ",\"continue\":\"%s\",\"remainingItemCount\":%zu", p->token,
			       listing_count(p->listing) - p->to);
	(void)buf_add_text(&l->tail, "}}\n");
}

static struct list_body *make_body(const struct request *q, const struct page *p)
{
	struct list_body *l = calloc(1, sizeof *l);

	if (!l)
		return NULL;
	l->listing = p->listing;
	l->from = p->from;
	l->to = p->to;
	l->head = l->tail = (struct buf)BUF(1024);
	l->is_lines = q->media == MEDIA_NDJSON;
	l->separator = l->is_lines ? "\n" : ",";
	if (!l->is_lines)
		add_envelope(l, p);
	return l;
}

static void send_table(struct reply *a, const struct page *p)
{
	(void)list_add_table(&a->bytes, p->listing, p->from, p->to);
	if (p->token)
		(void)buf_addf(&a->bytes, "... and %zu more; add limit=, or ask for application/x-ndjson to have all\n",
			       listing_count(p->listing) - p->to);
	listing_unref(p->listing);
	reply_bytes(a, 200, MEDIA_TEXT);
}

static void send_page(struct request *q, struct reply *a, const struct page *p)
{
	const char *link = p->token ? next_link(q, p->token) : "";
	struct list_body *l;

	if (!link || link[0]) /* one that is too long is left out: the token stands in the body */
		reply_header(a, "Link", link);
	if (q->media == MEDIA_TEXT) {
		send_table(a, p);
		return;
	}
	l = make_body(q, p);
	if (!l) {
		listing_unref(p->listing);
		a->failed = true;
		return;
	}
	if (l->head.failed || l->tail.failed) { /* before it is packed, when nobody sees it any more */
		list_body_free(l);
		a->failed = true;
		return;
	}
	if (negotiate_gzip(q->header[HEADER_ACCEPT_ENCODING]) && list_compress(a, l)) {
		reply_bytes(a, 200, (enum media)q->media);
		reply_header(a, "Content-Encoding", "gzip");
		return;
	}
	reply_list(a, 200, (enum media)q->media, l);
}

/* Lists have a weak tag: the order of equal members and the form may differ, the containers do not. */
static void add_weak_etag(struct request *q, struct reply *a, uint64_t revision)
{
	reply_header(a, "ETag", arena_printf(&q->arena, "W/\"%" PRIu64 "\"", revision));
}

void list_answer(struct app *app, struct request *q, struct reply *a, const struct list_query *query)
{
	const char *none_match = q->header[HEADER_IF_NONE_MATCH];
	uint64_t newest = none_match && !query->token ? store_revision(app->store) : 0;
	struct page p = { 0 };

	/* The newest revision is enough to know that nothing changed: no list is made to say so. */
	if (newest && etag_list_matches(none_match, newest, true)) {
		reply_empty(a, 304);
		add_weak_etag(q, a, newest);
		return;
	}
	if (!open_page(app, q, a, query, &p))
		return;
	add_weak_etag(q, a, listing_revision(p.listing));
	send_page(q, a, &p);
}
