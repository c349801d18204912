/* The members of a status, one by one: what is taken, in which forms, what is 422 with which pointer; and containers
 * whose checkpoint could not be read. */
#include <check.h>
#include <string.h>
#include <sys/stat.h>

#include "support/expect.h"
#include "support/script.h"
#include "support/shared.h"
#include "support/suite.h"
#include "support/text.h"

/* Each is PATCHed onto a RUNNING container and answered 422 with this pointer. */
static const struct refused {
	const char *body, *pointer, *hint; /* hint: part of the detail, or NULL */
} refused[] = {
	{ "{\"pid\":-1}", "/pid", NULL },
	{ "{\"pid\":4294967296}", "/pid", NULL },
	{ "{\"pid\":9223372036854775807}", "/pid", NULL },
	{ "{\"pid\":\"7\"}", "/pid", NULL },
	{ "{\"pid\":4711.0}", "/pid", NULL },
	{ "{\"pid\":4.7e3}", "/pid", NULL },
	{ "{\"pid\":true}", "/pid", NULL },
	{ "{\"pid\":[7]}", "/pid", NULL },
	{ "{\"pid\":{}}", "/pid", NULL },
	{ "{\"finishedAt\":20,\"exitCode\":2147483648}", "/exitCode", NULL },
	{ "{\"finishedAt\":20,\"exitCode\":-2147483649}", "/exitCode", NULL },
	{ "{\"finishedAt\":20,\"exitCode\":1.0}", "/exitCode", NULL },
	{ "{\"finishedAt\":20,\"exitCode\":\"1\"}", "/exitCode", NULL },
	{ "{\"startedAt\":\"yesterday\"}", "/startedAt", NULL },
	{ "{\"finishedAt\":\"\"}", "/finishedAt", NULL },
	{ "{\"finishedAt\":\"2026-02-30T00:00:00Z\"}", "/finishedAt", NULL },
	{ "{\"finishedAt\":\"2025-02-29T00:00:00Z\"}", "/finishedAt", NULL },
	{ "{\"finishedAt\":\"2026-13-01T00:00:00Z\"}", "/finishedAt", NULL },
	{ "{\"finishedAt\":\"2026-08-23T24:00:01Z\"}", "/finishedAt", NULL },
	{ "{\"finishedAt\":\"2026-08-23T10:61:00Z\"}", "/finishedAt", NULL },
	{ "{\"finishedAt\":\"2026-08-23T10:00:00\"}", "/finishedAt", NULL },
	{ "{\"finishedAt\":\"2026-08-23\"}", "/finishedAt", NULL },
	{ "{\"finishedAt\":\"2026-08-23T10:00:00.Z\"}", "/finishedAt", NULL },
	{ "{\"finishedAt\":\"2026-08-23T10:00:00Z \"}", "/finishedAt", NULL },
	{ "{\"finishedAt\":\"2026-08-23T10:00:00+2:00\"}", "/finishedAt", NULL },
	{ "{\"finishedAt\":\"2026-08-23T10:00:00+25:00\"}", "/finishedAt", NULL },
	{ "{\"finishedAt\":\"9999-12-31T23:59:59Z\"}", "/finishedAt", NULL },
	{ "{\"finishedAt\":\"9223372036854775808\"}", "/finishedAt", NULL },
	{ "{\"finishedAt\":\"1e9\"}", "/finishedAt", NULL },
	{ "{\"finishedAt\":\"0x10\"}", "/finishedAt", NULL },
	{ "{\"finishedAt\":1.5}", "/finishedAt", NULL },
	{ "{\"finishedAt\":1e18}", "/finishedAt", NULL },
	{ "{\"finishedAt\":true}", "/finishedAt", NULL },
	{ "{\"finishedAt\":{}}", "/finishedAt", NULL },
	{ "{\"reason\":5}", "/reason", NULL },
	{ "{\"reason\":[]}", "/reason", NULL },
	{ "{\"message\":false}", "/message", NULL },
	{ "{\"removing\":\"yes\"}", "/removing", NULL },
	{ "{\"removing\":1}", "/removing", NULL },
	{ "{\"resources\":5}", "/resources", NULL },
	{ "{\"resources\":[]}", "/resources", NULL },
	{ "{\"resources\":\"{}\"}", "/resources", NULL },
	{ "{\"exitcode\":1}", "/exitcode", "exitCode" },
	{ "{\"finishedat\":1}", "/finishedat", "finishedAt" },
	{ "{\"Pid\":1}", "/Pid", "pid" },
	{ "{\"mesage\":\"m\"}", "/mesage", "message" },
	{ "{\"zebra\":1}", "/zebra", NULL },
	{ "{\"a/b~c\":1}", "/a~1b~0c", NULL },
	{ "{\"\":1}", "/", NULL },
	{ "{\"name\":\"n\"}", "/name", NULL },
	{ "{\"config\":{}}", "/config", NULL },
	{ "{\"unknown\":true}", "/unknown", NULL },
};

START_TEST(refused_with_a_pointer)
{
	const struct refused *c = &refused[_i];
	struct script script = {
		c->body,
		{ { "PUT", "/containers/{id}", NULL, "{\"status\":{\"createdAt\":1,\"startedAt\":10,\"pid\":7}}", 201,
			NULL, NULL },
		  { "PATCH", "/containers/{id}/status", NULL, c->body, 422, "validation-failed",
		    c->hint ? text("/errors/0/pointer=%s /errors/0/detail*=did^you^mean /errors/0/detail*=%s",
		        c->pointer, c->hint)
			    : text("/errors/0/pointer=%s", c->pointer) },
		  { "PUT", "/containers/{id}/status", NULL, c->body, 422, "validation-failed", NULL } },
	};

	script_run(shared_http(), &script, shared_id("f"));
}
END_TEST

START_TEST(every_error_is_told)
{
	const char *id = shared_id("errors");
	const struct reply *r;

	(void)shared_create(id, "");
	r = http_ask(shared_http(), "PATCH", text("/containers/%s/status", id), NULL,
		     "{\"pid\":-1,\"reason\":7,\"zebra\":0}");
	expect_problem(r, 422, "validation-failed");
	ck_assert_uint_eq(json_array_size(json_at(r->json, "/errors")), 3);
}
END_TEST

/* pid belongs to RUNNING alone, exitCode to EXITED alone. */
START_TEST(values_outside_their_state)
{
	static const char *const bodies[][3] = {
		{ "", "{\"pid\":5}", "/pid" },
		{ "", "{\"exitCode\":5}", "/exitCode" },
		{ "\"status\":{\"startedAt\":10}", "{\"exitCode\":5}", "/exitCode" },
		{ "", "{\"startedAt\":5,\"exitCode\":5}", "/exitCode" },
		{ "\"status\":{\"startedAt\":10,\"finishedAt\":20}", "{\"pid\":5}", "/pid" },
	};
	const char *id = shared_id(text("o%d", _i));
	const struct reply *r;

	(void)shared_create(id, bodies[_i][0]);
	r = http_ask(shared_http(), "PATCH", text("/containers/%s/status", id), NULL, bodies[_i][1]);
	expect_problem(r, 422, "validation-failed");
	expect_all(r, text("/errors/0/pointer=%s", bodies[_i][2]));
}
END_TEST

/* The forms in which a time may come, and the one in which it goes (RFC 3339, nine digits, Z). */
static const struct {
	const char *in, *out;
} times[] = {
	{ "1500000000000000001", "2017-07-14T02:40:00.000000001Z" },
	{ "\"1500000000000000001\"", "2017-07-14T02:40:00.000000001Z" },
	{ "\"-1\"", "1969-12-31T23:59:59.999999999Z" },
	{ "-1", "1969-12-31T23:59:59.999999999Z" },
	{ "9223372036854775807", "2262-04-11T23:47:16.854775807Z" },
	{ "-9223372036854775808", "1677-09-21T00:12:43.145224192Z" },
	{ "\"2026-08-23T10:00:00.123456789Z\"", "2026-08-23T10:00:00.123456789Z" },
	{ "\"2026-08-23T10:00:00Z\"", "2026-08-23T10:00:00.000000000Z" },
	{ "\"2026-08-23T10:00:00.5Z\"", "2026-08-23T10:00:00.500000000Z" },
	{ "\"2026-08-23T12:00:00.25+02:00\"", "2026-08-23T10:00:00.250000000Z" },
	{ "\"2026-08-22T23:15:00-10:45\"", "2026-08-23T10:00:00.000000000Z" },
	{ "\"2026-08-23T10:00:00+00:00\"", "2026-08-23T10:00:00.000000000Z" },
	{ "\"2026-08-23T10:00:00-00:00\"", "2026-08-23T10:00:00.000000000Z" },
	{ "\"2024-02-29T23:59:59Z\"", "2024-02-29T23:59:59.000000000Z" },
	{ "\"1999-12-31T23:30:00-01:00\"", "2000-01-01T00:30:00.000000000Z" },
	{ "null", "null" },
};

START_TEST(times_in_every_form)
{
	const char *id = shared_id(text("t%d", _i)), *out = times[_i].out;
	const struct reply *r;

	(void)shared_create(id, "");
	r = http_ask(shared_http(), "PATCH", text("/containers/%s/status", id), NULL,
		     text("{\"startedAt\":%s}", times[_i].in));
	expect_status(r, 200);
	expect_all(r, text("/startedAt=%s /createdAt!=null", out));
	expect_all(http_get(shared_http(), text("/containers/%s", id)), text("/status/startedAt=%s", out));
}
END_TEST

START_TEST(ends_of_the_ranges)
{
	static const struct script script = {
		"ends",
		{ { "PUT", "/containers/{id}", NULL, "{\"status\":{\"startedAt\":1,\"pid\":4294967295}}", 201, NULL,
		    "/status/pid=4294967295" },
		  { "PATCH", "/containers/{id}/status", NULL, "{\"pid\":0}", 200, NULL, "etag=new /pid=0" },
		  { "PATCH", "/containers/{id}/status", NULL, "{\"finishedAt\":2,\"exitCode\":-2147483648}", 200,
		      NULL,
		    "/exitCode=-2147483648" },
		  { "PATCH", "/containers/{id}/status", NULL,
		      "{\"startedAt\":3,\"finishedAt\":4,\"exitCode\":2147483647}", 200, NULL,
		    "/exitCode=2147483647" } },
	};

	script_run(shared_http(), &script, shared_id("ends"));
}
END_TEST

START_TEST(lengths_of_texts)
{
	static const struct {
		const char *member;
		size_t most;
	} limits[] = { { "reason", 1024 }, { "message", 16384 } };
	const char *id = shared_id(text("l%d", _i)), *member = limits[_i].member;
	const char *path = text("/containers/%s/status", id);
	const struct reply *r;

	(void)shared_create(id, "");
	r = http_ask(shared_http(), "PATCH", path, NULL, text("{\"%s\":\"%s\"}", member,
		text_repeat("r", limits[_i].most)));
	expect_status(r, 200);
	r = http_ask(shared_http(), "PATCH", path, NULL,
		     text("{\"%s\":\"%s\"}", member, text_repeat("r", limits[_i].most + 1)));
	expect_problem(r, 422, "validation-failed");
	expect_all(r, text("/errors/0/pointer=/%s", member));
}
END_TEST

/* Text comes back to the byte, whatever JSON does with it on the way. */
START_TEST(texts_come_back)
{
	static const char *const texts[][2] = {
		{ "a<b>&\\\"c\\\"", "a<b>&\"c\"" },
		{ "\\u00e9\\ud83d\\ude00", "\xc3\xa9\xf0\x9f\x98\x80" },
		{ "tab\\tnew\\nline\\u001f\\u007f", "tab\tnew\nline\x1f\x7f" },
		{ "\\u2028\\u2029\\/", "\xe2\x80\xa8\xe2\x80\xa9/" },
		{ "\xef\xbf\xbd", "\xef\xbf\xbd" },
	};
	const char *id = shared_id(text("x%d", _i));
	const struct reply *r;

	(void)shared_create(id, "");
	r = http_ask(shared_http(), "PATCH", text("/containers/%s/status", id), NULL,
		text("{\"message\":\"%s\"}", texts[_i][0]));
	expect_status(r, 200);
	ck_assert_str_eq(json_text(r->json, "/message"), texts[_i][1]);
	r = http_get(shared_http(), text("/containers/%s/checkpoint", id));
	ck_assert_str_eq(json_text(r->json, "/Message"), texts[_i][1]);
}
END_TEST

/* UNKNOWN: a checkpoint that cannot be read.  T11, T12 and the removal of such a one. */
static const struct script unknown_scripts[] = {
	{ "what is shown",
	  { { "GET", "/containers/damaged-0", NULL, NULL, 200, NULL,
	      "/status/state=CONTAINER_UNKNOWN /status/exitCode=255 /status/reason=CheckpointDamaged "
	          "/status/message!= /status/pid=0 "
	      "/status/createdAt=null" } } },
	{ "T11 refused",
	  { { "PATCH", "/containers/damaged-1/status", NULL, "{\"startedAt\":10}", 409, "illegal-transition",
	      "/from=CONTAINER_UNKNOWN" },
	    { "PATCH", "/containers/damaged-1/status", NULL, "{\"state\":\"CONTAINER_RUNNING\"}", 409,
	        "illegal-transition", NULL } } },
	{ "T11", { { "PATCH", "/containers/damaged-2/status", NULL, "{\"finishedAt\":20,\"exitCode\":1}", 200, NULL,
		     "/state=CONTAINER_EXITED /exitCode=1" } } },
	{ "T12", { { "PATCH", "/containers/damaged-3/status", NULL, "{\"removing\":true}", 409, "illegal-transition",
		NULL } } },
	{ "removed by force",
	  { { "DELETE", "/containers/damaged-4", NULL, NULL, 409, "container-running", NULL },
	    { "DELETE", "/containers/damaged-4?force=true", NULL, NULL, 204, NULL, NULL },
	    { "GET", "/containers/damaged-4", NULL, NULL, 404, "container-not-found", NULL } } },
};

START_TEST(unreadable_checkpoints)
{
	const char *root = suite_directory();
	struct server *server;
	struct http *http;

	ck_assert_int_eq(mkdir(text("%s/containers", root), 0700), 0);
	for (size_t i = 0; i < COUNT(unknown_scripts); i++) {
		ck_assert_int_eq(mkdir(text("%s/containers/damaged-%zu", root, i), 0700), 0);
		ck_assert_int_eq(text_to_file(text("%s/containers/damaged-%zu/status", root, i),
			"{\"Version\":\"v1\",\"Pid\":"), 0);
	}
	server = server_start_at(root, NULL);
	http = http_new(server_address(server, 0));
	/* Once a write is answered, the records of the damage are written too: nothing moves under the scripts. */
	expect_status(http_ask(http, "PUT", "/containers/other", NULL, "{}"), 201);
	for (size_t i = 0; i < COUNT(unknown_scripts); i++)
		script_run(http, &unknown_scripts[i], text("damaged-%zu", i));
	http_free(http);
	server_end(server);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("fields");
	TCase *c = shared_case(s, "members", NULL);
	TCase *damaged = suite_case(s, "damaged", NULL, NULL);

	tcase_add_loop_test(c, refused_with_a_pointer, 0, COUNT(refused));
	tcase_add_test(c, every_error_is_told);
	tcase_add_loop_test(c, values_outside_their_state, 0, 5);
	tcase_add_loop_test(c, times_in_every_form, 0, COUNT(times));
	tcase_add_test(c, ends_of_the_ranges);
	tcase_add_loop_test(c, lengths_of_texts, 0, 2);
	tcase_add_loop_test(c, texts_come_back, 0, 5);
	tcase_add_test(damaged, unreadable_checkpoints);
	return suite_main(s);
}
