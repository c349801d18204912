/* Long lists: pages of one revision while writes go on, streams, tables, tags and compression. */
#include <check.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "support/crowd.h"
#include "support/expect.h"
#include "support/shared.h"
#include "support/suite.h"
#include "support/text.h"

enum { HELD = 250 };

static void fill(void)
{
	if (http_get(shared_http(), text("/containers/w%03d", HELD - 1))->status == 200)
		return;
	for (int i = 0; i < HELD; i++)
		(void)shared_create(text("w%03d", i),
			text("\"name\":\"n%d\",\"config\":{\"labels\":{\"half\":\"%d\"}}", i, i % 2));
}

/* The target of the Link header with rel="next", or NULL. */
static const char *next_link(const struct reply *r)
{
	const char *link = reply_header(r, "Link"), *end;

	if (!link || *link != '<' || !(end = strchr(link, '>')))
		return NULL;
	ck_assert_msg(strstr(end, "rel=\"next\""), "Link: %s", link);
	return text_copy(link + 1, (size_t)(end - link - 1));
}

struct writers {
	struct server *server;
	atomic_bool stop;
	atomic_int bad;
};

/* Changes, removes and makes containers until told to stop. */
static void write_on(void *arg, size_t number)
{
	struct writers *w = arg;
	struct http *http = http_new(server_address(w->server, 0));

	for (int i = 0; !atomic_load(&w->stop); i++) {
		int victim = (i * 7 + (int)number * 3) % HELD;
		const struct reply *r = http_ask(http, "PATCH", text("/containers/w%03d/status", victim), NULL,
						 text("{\"message\":\"%d\"}", i));

		if (r->status != 200 && r->status != 404)
			atomic_fetch_add(&w->bad, 1);
		(void)http_ask(http, "DELETE", text("/containers/w%03d", (victim * 5) % HELD), NULL, NULL);
		(void)http_ask(http, "PUT", text("/containers/v%zu-%d", number, i), NULL, "{}");
		(void)http_ask(http, "PUT", text("/containers/w%03d", (victim * 5) % HELD), NULL,
			"{\"name\":\"again\"}");
		http_forget(http);
	}
	http_free(http);
}

/* All pages from <first> on: each item once, in order, all at one revision, counts that add up. */
static void walk(struct http *http, const char *first, size_t per_page)
{
	const struct reply *r = http_get(http, first);
	const char *revision = json_text(r->json, "/metadata/revision"), *last = "";
	long total = -1, seen = 0;

	for (;;) {
		json_t *items = json_at(r->json, "/items"), *item;
		json_t *left = json_at(r->json, "/metadata/remainingItemCount");
		size_t i;

		expect_status(r, 200);
		expect_all(r, text("/metadata/revision=%s", revision));
		json_array_foreach(items, i, item) {
			ck_assert_str_lt(last, json_text(item, "/id"));
			last = json_text(item, "/id");
			ck_assert(strtoull(json_text(item, "/revision"), NULL, 10) <= strtoull(revision, NULL, 10));
		}
		seen += (long)json_array_size(items);
		if (total < 0)
			total = seen + (left ? (long)json_integer_value(left) : 0);
		ck_assert_int_eq(total, seen + (left ? (long)json_integer_value(left) : 0));
		if (!next_link(r))
			break;
		ck_assert_uint_eq(json_array_size(items), per_page);
		ck_assert_str_ne(json_text(r->json, "/metadata/continue"), "(absent)");
		r = http_get(http, next_link(r));
	}
	ck_assert_str_eq(json_text(r->json, "/metadata/continue"), "(absent)");
	ck_assert_int_eq(seen, total);
}

START_TEST(pages_of_one_revision)
{
	struct writers writers = { .server = shared_server() };
	struct crowd crowd;
	struct http *http = shared_http_new();

	fill();
	crowd_start(&crowd, 3, write_on, &writers);
	for (int i = 0; i < 4; i++) {
		walk(http, "/containers", 100);
		walk(http, "/containers?limit=7", 7);
		walk(http, "/v1/containers?limit=50&labelSelector=half%3D1&state=created", 50);
		http_forget(http);
	}
	atomic_store(&writers.stop, true);
	crowd_join(&crowd);
	ck_assert_int_eq(atomic_load(&writers.bad), 0);
	http_free(http);
}
END_TEST

/* What was there when the walk began is on its pages, even when it is gone by then. */
START_TEST(a_walk_shows_what_was)
{
	struct http *http = shared_http();
	const struct reply *r;

	fill();
	(void)shared_create("zz-1", "");
	(void)shared_create("zz-2", "");
	r = http_get(http, "/containers?idPrefix=zz-&limit=1");
	expect_all(r, "/items/0/id=zz-1 /metadata/remainingItemCount=1");
	expect_status(http_ask(http, "PATCH", "/containers/zz-2/status", NULL, "{\"startedAt\":1}"), 200);
	expect_status(http_ask(http, "DELETE", "/containers/zz-2?force=true", NULL, NULL), 204);
	r = http_get(http, next_link(r));
	expect_all(r, "/items/0/id=zz-2 /items/0/status/state=CONTAINER_CREATED");
	expect_all(http_get(http, "/containers?idPrefix=zz-"), "/items/1=(absent)");
	expect_status(http_ask(http, "DELETE", "/containers/zz-1", NULL, NULL), 204);
}
END_TEST

START_TEST(sorted_walk)
{
	struct http *http = shared_http();
	const struct reply *r;
	const char *ids = "";

	for (int i = 0; i < 5; i++)
		(void)shared_create(text("so-%d", i), text("\"name\":\"%d\"", 9 - i));
	for (r = http_get(http, "/containers?idPrefix=so-&sort=name&limit=2");; r = http_get(http, next_link(r))) {
		size_t i;
		json_t *item;

		expect_status(r, 200);
		json_array_foreach(json_at(r->json, "/items"), i, item)
			ids = text("%s %s", ids, json_text(item, "/id"));
		if (!next_link(r))
			break;
	}
	ck_assert_str_eq(ids, " so-4 so-3 so-2 so-1 so-0");
}
END_TEST

START_TEST(tampered_continue)
{
	struct http *http = shared_http();
	const struct reply *r;
	const char *token;

	fill();
	r = http_get(http, "/containers?limit=10");
	token = json_text(r->json, "/metadata/continue");
	ck_assert_str_ne(token, "(absent)");
	for (size_t at = 0; at < strlen(token); at += 1 + strlen(token) / 7) {
		char *changed = text("%s", token);

		changed[at] = changed[at] == 'A' ? 'B' : 'A';
		r = http_get(http, text("/containers?limit=10&continue=%s", changed));
		expect_problem(r, 400, "invalid-parameter");
	}
	expect_problem(http_get(http, text("/containers?limit=10&continue=%sA", token)), 400, "invalid-parameter");
	expect_problem(http_get(http, text("/containers?limit=10&name=x&continue=%s", token)), 400,
		"invalid-parameter");
	expect_status(http_get(http, text("/containers?limit=10&continue=%s", token)), 200);
}
END_TEST

/* After a restart the walk is gone, but the token was ours: begin anew, it says. */
START_TEST(lost_continue)
{
	struct server *server = server_start(NULL);
	struct http *http = http_new(server_address(server, 0));
	const char *token;

	for (int i = 0; i < 3; i++)
		expect_status(http_ask(http, "PUT", text("/containers/l%d", i), NULL, "{}"), 201);
	token = text("%s", json_text(http_get(http, "/containers?limit=1")->json, "/metadata/continue"));
	ck_assert_str_ne(token, "(absent)");
	http_free(http);
	server_stop(server);
	server_restart(server, NULL);
	http = http_new(server_address(server, 0));
	expect_problem(http_get(http, text("/containers?limit=1&continue=%s", token)), 410, "continue-expired");
	http_free(http);
	server_end(server);
}
END_TEST

/* The lines of a body that are whole JSON objects; -1 when one is not. */
static long count_ndjson(const struct reply *r)
{
	long n = 0;

	for (const char *line = r->body; *line; n++) {
		size_t len = strcspn(line, "\n");
		json_t *j = json_loadb(line, len, JSON_REJECT_DUPLICATES, NULL);

		if (!j || line[len] != '\n' || !json_at(j, "/status/revision"))
			n = -1000000;
		json_decref(j);
		line += len + (line[len] == '\n');
	}
	return n;
}

START_TEST(ndjson_streams_all)
{
	const struct reply *r;

	fill();
	r = http_ask(shared_http(), "GET", "/containers?idPrefix=w", "Accept: application/x-ndjson", NULL);
	expect_status(r, 200);
	expect_all(r, "@Content-Type*=application/x-ndjson @Vary*=Accept");
	ck_assert_int_eq(count_ndjson(r), HELD);
	r = http_ask(shared_http(), "GET", "/containers?idPrefix=w00&sort=-id", "Accept: application/x-ndjson", NULL);
	ck_assert_int_eq(count_ndjson(r), 10);
	ck_assert_ptr_eq(strstr(r->body, "{\"id\":\"w009\""), r->body);
	r = http_ask(shared_http(), "HEAD", "/containers", "Accept: application/x-ndjson", NULL);
	expect_status(r, 200);
	ck_assert_uint_eq(r->len, 0);
}
END_TEST

START_TEST(table_for_a_terminal)
{
	const struct reply *r;
	long lines = 0;

	fill();
	r = http_ask(shared_http(), "GET", "/containers?idPrefix=w01", "Accept: text/plain", NULL);
	expect_status(r, 200);
	expect_all(r, "@Content-Type*=text/plain");
	for (const char *p = r->body; (p = strchr(p, '\n')); p++)
		lines++;
	ck_assert_int_eq(lines, 11);
	ck_assert_ptr_nonnull(strstr(r->body, "w010"));
	ck_assert_ptr_nonnull(strstr(r->body, "w019"));
	ck_assert_msg(!strncmp(r->body, "ID", 2), "%s", r->body);
	ck_assert_msg(r->body[r->len - 1] == '\n', "%s", r->body);
}
END_TEST

START_TEST(weak_tag_and_304)
{
	struct http *http = shared_http();
	const struct reply *r;
	const char *tag;

	fill();
	(void)shared_create("tag-1", "");
	r = http_get(http, "/containers?idPrefix=tag-");
	tag = reply_header(r, "ETag");
	ck_assert_msg(tag && !strncmp(tag, "W/\"", 3), "ETag: %s", tag ? tag : "(absent)");
	r = http_ask(http, "GET", "/containers?idPrefix=tag-", text("If-None-Match: %s", tag), NULL);
	expect_status(r, 304);
	expect_all(r, text("@ETag=%s", tag));
	ck_assert_uint_eq(r->len, 0);
	expect_status(http_ask(http, "GET", "/containers?idPrefix=tag-", "If-None-Match: W/\"0\"", NULL), 200);
	expect_status(http_ask(http, "PATCH", "/containers/tag-1/status", NULL, "{\"message\":\"m\"}"), 200);
	r = http_ask(http, "GET", "/containers?idPrefix=tag-", text("If-None-Match: %s", tag), NULL);
	expect_status(r, 200);
	ck_assert_str_ne(tag, reply_header(r, "ETag"));
	expect_status(http_ask(http, "DELETE", "/containers/tag-1", NULL, NULL), 204);
}
END_TEST

START_TEST(compressed_when_asked)
{
	static const struct {
		const char *ask;
		bool zipped;
	} cases[] = {
		{ "gzip", true }, { "deflate, gzip;q=0.5", true }, { "br;q=1.0, gzip", true },
		{ "gzip;q=0", false }, { "identity", false }, { "deflate", false }, { "gzip;q=0, *", false },
	};
	const struct reply *plain, *r;

	fill();
	plain = http_get(shared_http(), "/containers?idPrefix=w");
	expect_all(plain, "@Content-Encoding=(absent) @Vary*=Accept-Encoding");
	r = http_ask(shared_http(), "GET", "/containers?idPrefix=w", text("Accept-Encoding: %s", cases[_i].ask),
		NULL);
	expect_status(r, 200);
	expect_all(r, "@Vary*=Accept-Encoding");
	if (cases[_i].zipped != (reply_header(r, "Content-Encoding") != NULL))
		expect_fail(r, "compressed or not, the wrong way round");
	ck_assert_uint_eq(r->len, plain->len);
	ck_assert_str_eq(r->body, plain->body);
}
END_TEST

START_TEST(accept_chooses)
{
	static const struct {
		const char *accept;
		const char *type; /* NULL: 406 */
	} cases[] = {
		{ "*/*", "application/json" },
		{ "application/*", "application/json" },
		{ "application/json", "application/json" },
		{ "Application/JSON;q=0.3", "application/json" },
		{ "text/*", "text/plain" },
		{ "text/plain;q=0.5, application/json;q=0.4", "text/plain" },
		{ "text/plain;q=0.5, application/x-ndjson;q=0.6", "application/x-ndjson" },
		{ "image/png, */*;q=0.1", "application/json" },
		{ "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", "application/json" },
		{ "application/json;q=0", NULL },
		{ "application/json;q=0, text/plain;q=0", NULL },
		{ "image/png", NULL },
		{ "application/xml", NULL },
		{ "text/html", NULL },
	};
	const struct reply *r = http_ask(shared_http(), "GET", "/containers?limit=1",
		text("Accept: %s", cases[_i].accept), NULL);

	if (!cases[_i].type) {
		expect_problem(r, 406, "not-acceptable");
		return;
	}
	expect_status(r, 200);
	expect_all(r, text("@Content-Type*=%s", cases[_i].type));
}
END_TEST

int main(void)
{
	static const char *const memory[] = { "--backend", "memory", NULL };
	Suite *s = suite_create("walk");
	TCase *c = shared_case(s, "quiet", memory), *busy = shared_case(s, "busy", NULL);
	TCase *own = suite_case(s, "restart", NULL, NULL);

	tcase_add_test(c, a_walk_shows_what_was);
	tcase_add_test(c, sorted_walk);
	tcase_add_test(c, tampered_continue);
	tcase_add_test(c, ndjson_streams_all);
	tcase_add_test(c, table_for_a_terminal);
	tcase_add_test(c, weak_tag_and_304);
	tcase_add_loop_test(c, compressed_when_asked, 0, 7);
	tcase_add_loop_test(c, accept_chooses, 0, 14);
	tcase_add_test(busy, pages_of_one_revision);
	tcase_add_test(own, lost_continue);
	return suite_main(s);
}
