/* What HTTP itself asks for, whatever the resource: methods, negotiation, limits, ids of requests, the shape of every
 * problem (RFC 9110, RFC 9457), and the listeners. */
#include <check.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/expect.h"
#include "support/script.h"
#include "support/shared.h"
#include "support/suite.h"
#include "support/text.h"

#define C "/containers"
#define ID "/containers/{id}"
#define S "/containers/{id}/status"
#define MADE { "PUT", ID, NULL, "{}", 201, NULL, NULL }

static const struct script scripts[] = {
	{ "unknown paths",
	  { { "GET", "/", NULL, NULL, 404, "not-found", NULL }, { "GET", "/container", NULL, NULL, 404, "not-found",
	      NULL },
	    { "GET", "/v2/containers", NULL, NULL, 404, "not-found", NULL },
	        { "GET", "/v1", NULL, NULL, 404, "not-found", NULL },
	    { "POST", "/nowhere", NULL, "{}", 404, "not-found", NULL },
	        { "DELETE", "/statuses", NULL, NULL, 404, "not-found", NULL },
	    { "OPTIONS", "/nowhere", NULL, NULL, 404, "not-found", NULL },
	    { "GET", "/problems/no-such-problem", NULL, NULL, 404, "not-found", NULL } } },
	{ "unknown paths below a container",
	  { MADE, { "GET", ID "/nope", NULL, NULL, 404, "not-found", NULL },
	      { "GET", ID "/status/x", NULL, NULL, 404, "not-found", NULL },
	    { "GET", ID "/", NULL, NULL, 404, "not-found", NULL },
	        { "GET", ID "/status/", NULL, NULL, 404, "not-found", NULL },
	    { "GET", "/Containers/{id}", NULL, NULL, 404, "not-found", NULL } } },
	{ "405 names what is possible",
	  { MADE, { "DELETE", C, NULL, NULL, 405, "method-not-allowed",
	      "@Allow*=GET @Allow*=HEAD @Allow*=POST @Allow*=OPTIONS" },
	    { "POST", ID, NULL, "{}", 405, "method-not-allowed",
	        "@Allow*=DELETE @Allow*=GET @Allow*=HEAD @Allow*=OPTIONS @Allow*=PUT" },
	    { "DELETE", S, NULL, NULL, 405, "method-not-allowed", "@Allow*=PATCH @Allow*=PUT @Allow*=GET" },
	    { "PUT", ID "/checkpoint", NULL, "{}", 405, "method-not-allowed", "@Allow=GET,^HEAD,^OPTIONS" },
	    { "POST", "/metrics", NULL, NULL, 405, "method-not-allowed", "@Allow*=GET" },
	    { "PATCH", "/livez", NULL, NULL, 405, "method-not-allowed", NULL } } },
	{ "OPTIONS",
	  { MADE, { "OPTIONS", C, NULL, NULL, 204, NULL, "@Allow*=GET @Allow*=POST @Accept-Patch=(absent)" },
	    { "OPTIONS", ID, NULL, NULL, 204, NULL, "@Allow*=DELETE @Allow*=PUT" },
	    { "OPTIONS", S, NULL, NULL, 204, NULL, "@Allow*=PATCH @Accept-Patch*=application/merge-patch+json" },
	    { "OPTIONS", C "/nobody/status", NULL, NULL, 204, NULL, "@Allow*=PATCH" },
	    { "OPTIONS", "*", NULL, NULL, 204, NULL, NULL }, { "GET", "*", NULL, NULL, 400, "bad-request", NULL } } },
	{ "methods that are none",
	  { MADE, { "FROB", C, NULL, NULL, 501, "not-implemented", NULL },
	      { "get", C, NULL, NULL, 501, "not-implemented", NULL },
	    { "Patch", S, NULL, "{}", 501, "not-implemented", NULL } } },
	{ "HEAD as GET",
	  { MADE, { "HEAD", C, NULL, NULL, 200, NULL, "@ETag*=W/" },
	      { "HEAD", ID, NULL, NULL, 200, NULL, "@ETag={etag}" },
	    { "HEAD", S, NULL, NULL, 200, NULL, "@ETag={etag}" },
	        { "HEAD", ID "/checkpoint", NULL, NULL, 200, NULL, NULL },
	    { "HEAD", C "/nobody", NULL, NULL, 404, NULL, "@Content-Type*=application/problem+json" },
	    { "HEAD", "/metrics", NULL, NULL, 200, NULL, NULL } } },
	{ "what a container is offered as",
	  { MADE, { "GET", ID, "Accept: text/plain", NULL, 406, "not-acceptable", NULL },
	    { "GET", ID, "Accept: application/x-ndjson", NULL, 406, "not-acceptable", NULL },
	    { "GET", S, "Accept: text/html, application/*;q=0.1", NULL, 200, NULL, NULL },
	    { "PATCH", S, "Accept: image/png", "{\"startedAt\":1}", 406, "not-acceptable", NULL },
	    { "PUT", ID "2", "Accept: image/png", "{}", 406, "not-acceptable", NULL },
	    { "GET", ID "2", NULL, NULL, 404, "container-not-found", NULL },
	    { "GET", S, "Accept: application/problem+json, application/json", NULL, 200, NULL, NULL } } },
	{ "types of bodies",
	  { MADE, { "POST", C, "Content-Type: text/plain", "{}", 415, "unsupported-media-type", NULL },
	    { "POST", C, "Content-Type: application/x-www-form-urlencoded", "{}", 415, "unsupported-media-type",
	        NULL },
	    { "PUT", S, "Content-Type: application/merge-patch+json", "{}", 415, "unsupported-media-type", NULL },
	    { "PATCH", S, "Content-Type: application/json-patch+json", "[]", 415, "unsupported-media-type",
	      "@Accept-Patch*=application/merge-patch+json" },
	    { "PATCH", S, "Content-Type: application/merge-patch+json", "{\"startedAt\":1}", 200, NULL, "etag=new" },
	    { "PATCH", S, "Content-Type: Application/JSON; charset=UTF-8", "{\"startedAt\":1}", 200, NULL,
	        "etag=same" },
	    { "PUT", S, "Content-Type: application/jsonx", "{}", 415, "unsupported-media-type", NULL } } },
	{ "codings of bodies, and expectations",
	  { MADE, { "PATCH", S, "Content-Encoding: gzip", "{\"startedAt\":1}", 415, "unsupported-media-type", NULL },
	    { "PATCH", S, "Expect: 200-ok", "{\"startedAt\":1}", 417, "expectation-failed", NULL },
	    { "PATCH", S, "Expect: 100-continue", "{\"startedAt\":1}", 200, NULL, "etag=new" },
	    { "GET", S, "Expect: nothing", NULL, 417, "expectation-failed", NULL } } },
	{ "a body where none belongs is ignored",
	  { MADE, { "GET", ID, NULL, "{broken", 200, NULL, "/id={id}" },
	      { "DELETE", ID, NULL, "{broken", 204, NULL, NULL } } },
	{ "cache rules",
	  { MADE, { "GET", ID, NULL, NULL, 200, NULL,
	      "@Cache-Control=no-cache @Vary*=Accept @Vary*=Accept-Encoding" },
	    { "GET", S, NULL, NULL, 200, NULL, "@Cache-Control=no-cache @Vary*=Accept" },
	    { "GET", C, NULL, NULL, 200, NULL, "@Cache-Control=no-cache @Vary*=Accept" },
	    { "GET", "/metrics", NULL, NULL, 200, NULL,
	        "@Cache-Control=no-store @Content-Type*=text/plain;^version=0.0.4" },
	    { "GET", "/livez", NULL, NULL, 200, NULL, "@Content-Type*=text/plain" },
	    { "GET", "/version", NULL, NULL, 200, NULL, "@Cache-Control=no-cache" } } },
	{ "the version's alias of everything",
	  { { "GET", "/v1/version", NULL, NULL, 200, NULL, "/api=v1" },
	      { "GET", "/v1/livez", NULL, NULL, 200, NULL, NULL },
	    { "GET", "/v1/openapi.json", NULL, NULL, 200, NULL, "/openapi=3.1.0" },
	        { "OPTIONS", "/v1/containers", NULL, NULL, 204, NULL, NULL },
	    { "GET", "/v1/v1/containers", NULL, NULL, 404, "not-found", NULL },
	        { "GET", "/V1/containers", NULL, NULL, 404, "not-found", NULL } } },
	{ "what is running",
	  { { "GET", "/version", NULL, NULL, 200, NULL,
	      "/name=tallyd /version!=(absent) /commit!=(absent) /api=v1 /libraries/jansson!=(absent) "
	          "/libraries/libmicrohttpd!=(absent)" },
	    { "GET", "/readyz", NULL, NULL, 200, NULL, NULL }, { "GET", "/readyz?verbose", NULL, NULL, 200, NULL,
	        NULL },
	    { "GET", "/readyz?verbose=true", NULL, NULL, 200, NULL, NULL },
	        { "GET", "/livez?verbose=false", NULL, NULL, 200, NULL, NULL },
	    { "GET", "/openapi.yaml", NULL, NULL, 200, NULL, "@Content-Type*=yaml" },
	    { "GET", "/problems/already-exited", NULL, NULL, 200, NULL, "@Content-Type*=text/plain" } } },
};

START_TEST(scripted)
{
	script_run(shared_http(), &scripts[_i], shared_id(text("p%d", _i)));
}
END_TEST

START_TEST(verbose_health)
{
	const struct reply *r = http_get(shared_http(), "/readyz?verbose");
	size_t lines = 0;

	expect_status(r, 200);
	for (const char *p = r->body; (p = strchr(p, '\n')); p++)
		lines++;
	ck_assert_uint_ge(lines, 2);
	ck_assert_uint_gt(r->len, http_get(shared_http(), "/readyz")->len);
}
END_TEST

/* HEAD's header fields are those of GET, its length too; the connection is kept. */
START_TEST(head_has_the_length_of_get)
{
	static const char *const paths[] = { "/containers", "/containers/h", "/containers/h/status", "/version",
		"/openapi.json" };
	const struct reply *get, *head;

	if (http_get(shared_http(), "/containers/h")->status != 200)
		(void)shared_create("h", "");
	get = http_get(shared_http(), paths[_i]);
	head = http_ask(shared_http(), "HEAD", paths[_i], NULL, NULL);
	expect_status(head, 200);
	ck_assert_uint_eq(head->len, 0);
	ck_assert_str_eq(reply_header(head, "Content-Type"), reply_header(get, "Content-Type"));
	ck_assert_str_eq(reply_header(head, "Content-Length"), text("%zu", get->len));
	ck_assert_int_eq(http_get(shared_http(), "/livez")->connections, 0);
}
END_TEST

START_TEST(request_ids)
{
	static const struct {
		const char *sent;
		bool kept;
	} cases[] = {
		{ "abc-123", true }, { "{\"json\":1}", true }, { "with blank", false }, { "caf\xc3\xa9", false },
			{ NULL, false },
	};
	const char *sent = _i == 4 ? text_repeat("i", 129) : cases[_i].sent, *seen;
	const struct reply *r;

	r = http_ask(shared_http(), "GET", "/containers/nobody-at-all", text("X-Request-Id: %s", sent), NULL);
	expect_problem(r, 404, "container-not-found");
	seen = reply_header(r, "X-Request-Id");
	if (cases[_i].kept)
		ck_assert_str_eq(seen, sent);
	else
		ck_assert_str_ne(seen, sent);
	ck_assert_uint_ge(strlen(seen), 4);
	ck_assert_str_eq(json_text(r->json, "/instance"), seen);
}
END_TEST

START_TEST(request_ids_are_made)
{
	const struct reply *a = http_get(shared_http(), "/containers"), *b = http_get(shared_http(), "/livez");
	const char *longest = text_repeat("j", 128);

	ck_assert_ptr_nonnull(reply_header(a, "X-Request-Id"));
	ck_assert_ptr_nonnull(reply_header(b, "X-Request-Id"));
	ck_assert_str_ne(reply_header(a, "X-Request-Id"), reply_header(b, "X-Request-Id"));
	a = http_ask(shared_http(), "GET", "/containers", text("X-Request-Id: %s", longest), NULL);
	ck_assert_str_eq(reply_header(a, "X-Request-Id"), longest);
}
END_TEST

START_TEST(trace_context_is_echoed)
{
	const char *trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
	const struct reply *r = http_ask(shared_http(), "GET", "/containers", text("traceparent: %s", trace), NULL);
	const char *seen = reply_header(r, "traceparent");

	ck_assert_msg(seen && strstr(seen, "4bf92f3577b34da6a3ce929d0e0e4736"), "traceparent: %s",
		seen ? seen : "(absent)");
	r = http_ask(shared_http(), "GET", "/containers", "traceparent: nonsense", NULL);
	seen = reply_header(r, "traceparent");
	ck_assert_msg(!seen || !strstr(seen, "nonsense"), "traceparent: %s", seen);
}
END_TEST

/* What a client writes comes back inside of JSON: any byte, and cut anywhere, it has to stay JSON. */
START_TEST(problems_stay_json)
{
	static const char *const targets[] = {
		"/containers/%FF", "/%FF%FE", "/containers?%FF=1", "/containers?limit=%FF", "/containers/%22%7D%0A",
			"/%22quoted%22",
		"/containers?fieldSelector=%ED%A0%80=x", "/containers?state=%C3", "/containers/a%E2%82",
			"/problems/%FF",
		"/containers?labelSelector=%80", "/containers?continue=%00",
	};
	const struct reply *r = http_get(shared_http(), targets[_i]);

	ck_assert_msg(r->status == 404 || r->status == 400, "%s: %d", r->request, r->status);
	expect_problem(r, r->status, strrchr(json_text(r->json, "/type"), '/') + 1);
	/* 127 letters and a character of two bytes: details are cut somewhere near. */
	for (size_t n = 120; n < 130; n++) {
		r = http_get(shared_http(), text("/containers/%s%%C3%%A9", text_repeat("x", n)));
		expect_problem(r, 404, "container-not-found");
	}
}
END_TEST

START_TEST(largest_body)
{
	const char *id = shared_id("large");
	char *body = text_repeat(" ", 1024 * 1024 + 1);
	const struct reply *r;

	memcpy(body, "{\"name\":\"l\"}", 12);
	r = http_send(shared_http(), "PUT", text("/containers/%s", id), NULL, body, 1024 * 1024);
	expect_status(r, 201);
	/* It is refused before it is read: who does not wait for the 100 may meet a reset while it still sends. */
	r = http_send(shared_http(), "PUT", text("/containers/%s-2", id), "Expect: 100-continue", body, 1024 * 1024 + 1);
	expect_problem(r, 413, "body-too-large");
	expect_problem(http_get(shared_http(), text("/containers/%s-2", id)), 404, "container-not-found");
}
END_TEST

START_TEST(longest_target)
{
	const char *name = text_repeat("n", 8192 - strlen("/containers?name="));
	const struct reply *r = http_get(shared_http(), text("/containers?name=%s", name));

	expect_status(r, 200);
	r = http_get(shared_http(), text("/containers?name=%sn", name));
	expect_problem(r, 414, "uri-too-long");
}
END_TEST

START_TEST(most_headers)
{
	const char *some = text_repeat("X-Filler: f\n", 80), *many = text_repeat("X-Filler: f\n", 101);
	const struct reply *r = http_ask(shared_http(), "GET", "/containers", some, NULL);

	expect_status(r, 200);
	r = http_ask(shared_http(), "GET", "/containers", text("X-Big: %s", text_repeat("b", 15 * 1024)), NULL);
	expect_status(r, 200);
	expect_problem(http_ask(shared_http(), "GET", "/containers", many, NULL), 431, "headers-too-large");
	r = http_ask(shared_http(), "GET", "/containers", text("X-Big: %s", text_repeat("b", 16 * 1024 + 100)), NULL);
	expect_problem(r, 431, "headers-too-large");
}
END_TEST

/* A small body is read whatever its answer, so that the connection serves the next request. */
START_TEST(refusals_keep_the_connection)
{
	static const struct {
		const char *method, *target, *headers, *body;
	} asked[] = {
		{ "POST", "/containers", "Content-Type: text/plain", "hello" },
		{ "POST", "/containers", NULL, "{broken" },
		{ "POST", "/nowhere", NULL, "{}" },
		{ "DELETE", "/containers", NULL, "{}" },
		{ "GET", "/containers?zebra", NULL, NULL },
		{ "FROB", "/containers", NULL, "{}" },
		{ "PATCH", "/containers/nobody/status", NULL, "{}" },
		{ "GET", "/containers", "Accept: image/png", NULL },
		{ "DELETE", "/containers/-bad", NULL, NULL },
	};
	struct http *http = shared_http();

	(void)http_get(http, "/livez");
	for (size_t i = 0; i < COUNT(asked); i++) {
		const struct reply *r = http_ask(http, asked[i].method, asked[i].target, asked[i].headers,
			asked[i].body);

		ck_assert_msg(r->status >= 400 && r->status < 502, "%s: %d", r->request, r->status);
		r = http_get(http, "/livez");
		expect_status(r, 200);
		ck_assert_msg(r->connections == 0, "the connection was closed after %s %s", asked[i].method,
			asked[i].target);
	}
}
END_TEST

START_TEST(listens_where_it_is_told)
{
	const char *path = text("%s/tallyd.sock", suite_directory()), *listen = text("unix:%s", path);
	const char *const options[] = { "--listen", "127.0.0.1:0", "--listen", listen, NULL };
	struct server *server = server_start(options);
	struct stat st;

	for (size_t i = 0; i < 3; i++) {
		const char *address = server_address(server, i);
		struct http *http;

		ck_assert_msg(address, "listener %zu was not announced:\n%s", i, server_said(server));
		http = http_new(address);
		expect_status(http_ask(http, "PUT", text("/containers/by-%zu", i), NULL, "{}"), 201);
		for (size_t j = 0; j <= i; j++)
			expect_status(http_get(http, text("/containers/by-%zu", j)), 200);
		http_free(http);
	}
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_msg((st.st_mode & 0077) == 0, "the socket is open to others: %o", st.st_mode);
	server_stop(server);
	ck_assert_msg(access(path, F_OK) != 0, "the socket is still there after the stop");
	server_end(server);
}
END_TEST

/* A socket left over by a killed server is taken over; one that somebody listens on is not. */
START_TEST(stale_socket)
{
	const char *listen = text("unix:%s/tallyd.sock", suite_directory());
	const char *const options[] = { "--listen", listen, NULL };
	struct server *first = server_start(options);
	const char *const second[] = { "--root", suite_directory(), "--listen", listen, NULL };
	struct server_run run = server_run(second, NULL);

	ck_assert_int_ne(run.code, 0);
	ck_assert_int_ne(run.code, -1);
	server_kill(first);
	server_restart(first, options);
	server_end(first);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("protocol");
	TCase *c = shared_case(s, "protocol", NULL), *own = suite_case(s, "listeners", NULL, NULL);

	tcase_add_loop_test(c, scripted, 0, COUNT(scripts));
	tcase_add_test(c, verbose_health);
	tcase_add_loop_test(c, head_has_the_length_of_get, 0, 5);
	tcase_add_loop_test(c, request_ids, 0, 5);
	tcase_add_test(c, request_ids_are_made);
	tcase_add_test(c, trace_context_is_echoed);
	tcase_add_loop_test(c, problems_stay_json, 0, 12);
	tcase_add_test(c, largest_body);
	tcase_add_test(c, longest_target);
	tcase_add_test(c, most_headers);
	tcase_add_test(c, refusals_keep_the_connection);
	tcase_add_test(own, listens_where_it_is_told);
	tcase_add_test(own, stale_socket);
	return suite_main(s);
}
