/* Containers as resources: made, found, kept immutable, removed (RFC 9110 for what the headers mean). */
#include <check.h>
#include <string.h>

#include "support/expect.h"
#include "support/script.h"
#include "support/shared.h"
#include "support/suite.h"
#include "support/text.h"

#define C "/containers"
#define ID "/containers/{id}"
#define RUNNING "{\"status\":{\"createdAt\":1,\"startedAt\":10,\"pid\":7}}"
#define EXITED "{\"status\":{\"createdAt\":1,\"startedAt\":10,\"finishedAt\":20,\"exitCode\":3,\"reason\":\"x\"}}"

static const struct script scripts[] = {
	{ "POST answers with the container",
	  { { "POST", C, NULL, "{\"id\":\"{id}\",\"name\":\"web\",\"imageRef\":\"nginx:1.27\",\"sandboxId\":\"s\"}",
	      201, NULL,
	      "@Location=/containers/{id} /id={id} /name=web /imageRef=nginx:1.27 /sandboxId=s /logPath= /config=null "
	      "/status/state=CONTAINER_CREATED /status/pid=0 /status/startedAt=null /status/finishedAt=null "
	      "/status/exitCode=0 /status/reason= /status/message= /status/removing=false /status/resources=null "
	      "@Cache-Control=no-cache @Content-Type*=application/json" },
	    { "GET", ID, NULL, NULL, 200, NULL, "@ETag={etag} /name=web @Content-Location=(absent)" } } },
	{ "POST of an id that exists",
	  { { "POST", C, NULL, "{\"id\":\"{id}\",\"name\":\"a\",\"config\":{\"k\":[1,2]}}", 201, NULL, NULL },
	    { "POST", C, NULL, "{\"id\":\"{id}\",\"name\":\"a\",\"config\":{\"k\":[1,2]}}", 409, "already-exists",
	      "/identical=true" },
	    { "POST", C, NULL, "{\"id\":\"{id}\",\"name\":\"b\",\"config\":{\"k\":[1,2]}}", 409, "already-exists",
	      "/identical=false" },
	    { "POST", C, NULL, "{\"id\":\"{id}\",\"name\":\"a\",\"config\":{\"k\":[1,3]}}", 409, "already-exists",
	      "/identical=false" } } },
	{ "PUT creates, then is idempotent, then immutable",
	  { { "PUT", ID, NULL, "{\"name\":\"n\",\"config\":{\"labels\":{\"a\":\"b\"}}}", 201, NULL,
	      "@Location=/containers/{id} /revision!=" },
	    { "PUT", ID, NULL, "{\"name\":\"n\",\"config\":{\"labels\":{\"a\":\"b\"}}}", 200, NULL,
	      "etag=same @ETag={first} @Location=(absent) /name=n" },
	    { "PUT", ID, NULL,
	        "{\"id\":\"{id}\",\"name\":\"n\",\"config\":{\"labels\":{\"a\":\"b\"}},\"revision\":\"7\"}", 200,
	      NULL, "etag=same" },
	    { "PUT", ID, NULL, "{\"name\":\"other\",\"config\":{\"labels\":{\"a\":\"b\"}}}", 409,
	        "immutable-metadata", NULL },
	    { "PUT", ID, NULL, "{\"name\":\"n\",\"config\":{\"labels\":{\"a\":\"c\"}}}", 409, "immutable-metadata",
	        NULL },
	    { "PUT", ID, NULL, "{}", 409, "immutable-metadata", NULL } } },
	{ "a status in PUT counts at creation alone",
	  { { "PUT", ID, NULL, RUNNING, 201, NULL, "/status/state=CONTAINER_RUNNING /status/pid=7" },
	    { "PUT", ID, NULL, EXITED, 200, NULL, "etag=same /status/state=CONTAINER_RUNNING" } } },
	{ "PUT with another id in the body",
	  { { "PUT", ID, NULL, "{\"id\":\"somebody-else\"}", 422, "validation-failed", "/errors/0/pointer=/id" },
	    { "GET", ID, NULL, NULL, 404, "container-not-found", NULL } } },
	{ "POST takes no revision",
	  { { "POST", C, NULL, "{\"id\":\"{id}\",\"revision\":\"1\"}", 422, "validation-failed",
	      "/errors/0/pointer=/revision" },
	    { "POST", C, NULL, "{\"id\":\"{id}\",\"status\":{\"revision\":\"1\"}}", 422, "validation-failed",
	      "/errors/0/pointer=/status/revision" } } },
	{ "a refused creation leaves nothing",
	  { { "POST", C, NULL, "{\"id\":\"{id}\",\"status\":{\"exitCode\":1}}", 422, "validation-failed",
	      "/errors/0/pointer=/status/exitCode" },
	    { "PUT", ID, NULL, "{\"nmae\":\"web\"}", 422, "validation-failed",
	        "/errors/0/pointer=/nmae /errors/0/detail*=name" },
	    { "GET", ID, NULL, NULL, 404, "container-not-found", NULL },
	    { "POST", C, NULL, "{\"id\":\"{id}\"}", 201, NULL, NULL } } },
	{ "created EXITED",
	  { { "PUT", ID, NULL, EXITED, 201, NULL,
	      "/status/state=CONTAINER_EXITED /status/exitCode=3 /status/reason=x "
	      "/status/createdAt=1970-01-01T00:00:00.000000001Z /status/startedAt=1970-01-01T00:00:00.000000010Z "
	      "/status/finishedAt=1970-01-01T00:00:00.000000020Z" } } },
	{ "created by the shorthand",
	  { { "PUT", ID, NULL, "{\"status\":{\"state\":\"CONTAINER_RUNNING\",\"pid\":9}}", 201, NULL,
	      "/status/state=CONTAINER_RUNNING /status/pid=9 /status/startedAt!=null /status/createdAt!=null" } } },
	{ "create only",
	  { { "PUT", ID, "If-None-Match: *", "{\"name\":\"n\"}", 201, NULL, NULL },
	    { "PUT", ID, "If-None-Match: *", "{\"name\":\"n\"}", 412, "revision-mismatch",
	        "@ETag={first} /current!=(absent)" } } },
	{ "PUT guarded by If-Match",
	  { { "PUT", ID, "If-Match: \"5\"", "{}", 412, "revision-mismatch", "@ETag=(absent) /current=(absent)" },
	    { "PUT", ID, "If-Match: *", "{}", 412, "revision-mismatch", NULL },
	    { "PUT", ID, NULL, "{}", 201, NULL, NULL },
	    { "PUT", ID, "If-Match: {etag}", "{}", 200, NULL, "etag=same" },
	    { "PUT", ID, "If-Match: \"0\"", "{}", 412, "revision-mismatch", "@ETag={etag}" } } },
	{ "DELETE is idempotent",
	  { { "PUT", ID, NULL, "{}", 201, NULL, NULL },
	    { "DELETE", ID, NULL, NULL, 204, NULL, NULL },
	    { "GET", ID, NULL, NULL, 404, "container-not-found", NULL },
	    { "GET", ID "/status", NULL, NULL, 404, "container-not-found", NULL },
	    { "DELETE", ID, NULL, NULL, 204, NULL, NULL },
	    { "PATCH", ID "/status", NULL, "{\"reason\":\"x\"}", 404, "container-not-found", NULL } } },
	{ "DELETE of a running one needs force",
	  { { "PUT", ID, NULL, RUNNING, 201, NULL, NULL },
	    { "DELETE", ID, NULL, NULL, 409, "container-running", NULL },
	    { "DELETE", ID "?force=false", NULL, NULL, 409, "container-running", NULL },
	    { "DELETE", ID "?force=true", NULL, NULL, 204, NULL, NULL },
	    { "GET", ID, NULL, NULL, 404, "container-not-found", NULL } } },
	{ "DELETE guarded by If-Match",
	  { { "DELETE", ID, "If-Match: \"0\"", NULL, 412, "revision-mismatch", NULL },
	    { "PUT", ID, NULL, "{}", 201, NULL, NULL },
	    { "DELETE", ID, "If-Match: \"0\"", NULL, 412, "revision-mismatch", "@ETag={etag}" },
	    { "DELETE", ID, "If-Match: W/{etag}", NULL, 412, "revision-mismatch", NULL },
	    { "DELETE", ID, "If-Match: {etag}", NULL, 204, NULL, NULL } } },
	{ "DELETE wants the full id",
	  { { "PUT", ID "-and-more", NULL, "{\"name\":\"called-{id}\"}", 201, NULL, NULL },
	    { "DELETE", ID, NULL, NULL, 409, "full-id-required", "/candidates/0/id={id}-and-more" },
	    { "DELETE", C "/called-{id}", NULL, NULL, 204, NULL, NULL },
	    { "PUT", ID "-other", NULL, "{\"name\":\"{id}\"}", 201, NULL, NULL }, /* begins two, and is a name */
	    { "DELETE", ID, NULL, NULL, 409, "full-id-required", "/candidates/1/id={id}-other" },
	    { "DELETE", ID "-other", NULL, NULL, 204, NULL, NULL },
	    { "GET", ID "-and-more", NULL, NULL, 200, NULL, NULL },
	    { "DELETE", ID "-and-more", NULL, NULL, 204, NULL, NULL } } },
	{ "created again after DELETE",
	  { { "PUT", ID, NULL, "{\"name\":\"one\"}", 201, NULL, NULL },
	    { "DELETE", ID, NULL, NULL, 204, NULL, NULL },
	    { "PUT", ID, NULL, "{\"name\":\"two\"}", 201, NULL, "@ETag!={first} /name=two" } } },
	{ "dryRun of each write changes nothing",
	  { { "POST", C "?dryRun=true", NULL, "{\"id\":\"{id}\"}", 201, NULL, "/id={id}" },
	    { "PUT", ID "?dryRun=true", NULL, "{\"name\":\"n\"}", 201, NULL, "/name=n" },
	    { "GET", ID, NULL, NULL, 404, "container-not-found", NULL },
	    { "PUT", ID, NULL, RUNNING, 201, NULL, NULL },
	    { "POST", C "?dryRun=true", NULL, "{\"id\":\"{id}\"}", 409, "already-exists", NULL },
	    { "PATCH", ID "/status?dryRun=true", NULL, "{\"finishedAt\":20}", 200, NULL,
	        "etag=same /state=CONTAINER_EXITED" },
	    { "DELETE", ID "?dryRun=true&force=true", NULL, NULL, 204, NULL, "etag=same" },
	    { "DELETE", ID "?dryRun=true", NULL, NULL, 409, "container-running", NULL } } },
	{ "sync=false on each write",
	  { { "POST", C "?sync=false", NULL, "{\"id\":\"{id}\"}", 201, NULL, NULL },
	    { "PATCH", ID "/status?sync=false", NULL, "{\"startedAt\":10}", 200, NULL,
	        "etag=new /state=CONTAINER_RUNNING" },
	    { "PUT", ID "/status?sync=false", NULL, "{\"startedAt\":10,\"finishedAt\":20}", 200, NULL,
	        "/state=CONTAINER_EXITED" },
	    { "DELETE", ID "?sync=false", NULL, NULL, 204, NULL, NULL },
	    { "PUT", ID "?sync=false", NULL, "{}", 201, NULL, NULL } } },
	{ "Prefer: return=minimal on each write",
	  { { "POST", C, "Prefer: return=minimal", "{\"id\":\"{id}\"}", 201, NULL,
	      "@Preference-Applied=return=minimal @Location=/containers/{id} @ETag!=(absent) /id=(no^JSON)" },
	    { "PUT", ID, "Prefer: return=minimal", "{}", 204, NULL,
	        "@Preference-Applied=return=minimal @ETag={etag}" },
	    { "PATCH", ID "/status", "Prefer: respond-async, return=minimal", "{\"startedAt\":10}", 204, NULL,
	      "etag=new @Preference-Applied=return=minimal @ETag!=(absent)" },
	    { "PUT", ID "/status", "Prefer: return=minimal", "{\"startedAt\":10,\"reason\":\"r\"}", 204, NULL,
	      "etag=new @Preference-Applied=return=minimal" },
	    { "PATCH", ID "/status", "Prefer: return=representation", "{\"reason\":\"s\"}", 200, NULL, "/reason=s" },
	    { "PATCH", ID "/status", "Prefer: no-such-thing", "{\"reason\":\"t\"}", 200, NULL,
	      "/reason=t @Preference-Applied=(absent)" } } },
	{ "conditional GET",
	  { { "PUT", ID, NULL, "{}", 201, NULL, NULL },
	    { "GET", ID, "If-None-Match: {etag}", NULL, 304, NULL, "@ETag={etag}" },
	    { "GET", ID, "If-None-Match: \"0\", W/{etag}", NULL, 304, NULL, NULL },
	    { "GET", ID, "If-None-Match: *", NULL, 304, NULL, NULL },
	    { "GET", ID, "If-None-Match: \"0\"", NULL, 200, NULL, NULL },
	    { "GET", ID "/status", "If-None-Match: {etag}", NULL, 304, NULL, "@ETag={etag}" },
	    { "GET", ID, "If-Match: \"0\"", NULL, 412, "revision-mismatch", NULL },
	    { "HEAD", ID, "If-None-Match: {etag}", NULL, 304, NULL, NULL } } },
	{ "the version's prefix is an alias",
	  { { "POST", "/v1/containers", NULL, "{\"id\":\"{id}\"}", 201, NULL, "@Location*=/containers/{id}" },
	    { "GET", "/v1/containers/{id}", NULL, NULL, 200, NULL, "@ETag={etag} /id={id}" },
	    { "PATCH", "/v1/containers/{id}/status", NULL, "{\"startedAt\":5}", 200, NULL,
	        "etag=new /state=CONTAINER_RUNNING" } } },
	{ "ids are case-sensitive and compared to the byte",
	  { { "PUT", ID "-Aa", NULL, "{}", 201, NULL, NULL },
	    { "GET", ID "-aa", NULL, NULL, 404, "container-not-found", NULL },
	    { "GET", ID "-Aa.", NULL, NULL, 404, "container-not-found", NULL },
	    { "GET", ID "-%41a", NULL, NULL, 200, NULL, "/id={id}-Aa @Content-Location=(absent)" },
	    { "DELETE", ID "-Aa", NULL, NULL, 204, NULL, NULL } } },
	{ "config comes back as it went",
	  { { "PUT", ID, NULL,
	      "{\"config\":{\"z\":1,\"a\":{\"n\":null,\"t\":true,\"d\":1.5,\"l\":[[],{},\"\"]},"
	          "\"labels\":{\"b\":\"2\",\"a\":\"1\"}}}", 201,
	      NULL, "/config={\"z\":1,\"a\":{\"n\":null,\"t\":true,\"d\":1.5,\"l\":[[],{},\"\"]},"
	          "\"labels\":{\"b\":\"2\",\"a\":\"1\"}}" },
	    { "GET", ID, NULL, NULL, 200, NULL,
	      "/config={\"z\":1,\"a\":{\"n\":null,\"t\":true,\"d\":1.5,\"l\":[[],{},\"\"]},"
	          "\"labels\":{\"b\":\"2\",\"a\":\"1\"}}" } } },
	{ "what GET gave can be PUT under another id",
	  { { "PUT", ID, NULL,
	      "{\"id\":\"{id}\",\"name\":\"\",\"sandboxId\":\"\",\"imageRef\":\"\",\"logPath\":\"\","
	          "\"config\":null,\"status\":{"
	      "\"state\":\"CONTAINER_EXITED\",\"pid\":0,\"createdAt\":\"1970-01-01T00:00:00.000000001Z\","
	      "\"startedAt\":\"1970-01-01T00:00:00.000000010Z\","
	          "\"finishedAt\":\"1970-01-01T00:00:00.000000020Z\",\"exitCode\":0,"
	      "\"reason\":\"Completed\",\"message\":\"\",\"removing\":false,\"resources\":null,"
	          "\"revision\":\"77\"},\"revision\":\"77\"}",
	      201, NULL, "/status/state=CONTAINER_EXITED /status/reason=Completed /revision!=77" } } },
};

START_TEST(scripted)
{
	script_run(shared_http(), &scripts[_i], shared_id(text("c%d", _i)));
}
END_TEST

START_TEST(server_makes_ids)
{
	const struct reply *a = http_ask(shared_http(), "POST", "/containers", NULL, "{}");
	const struct reply *b = http_ask(shared_http(), "POST", "/containers", NULL, "{}");
	const char *id = json_text(a->json, "/id");

	expect_status(a, 201);
	expect_status(b, 201);
	ck_assert_uint_eq(strlen(id), 64);
	ck_assert_uint_eq(strspn(id, "0123456789abcdef"), 64);
	ck_assert_str_ne(id, json_text(b->json, "/id"));
	ck_assert_str_eq(reply_header(a, "Location"), text("/containers/%s", id));
	ck_assert_str_eq(reply_header(a, "ETag"), text("\"%s\"", json_text(a->json, "/revision")));
	expect_all(a, text("/status/revision=%s", json_text(a->json, "/revision")));
	ck_assert(reply_revision(b) > reply_revision(a));
}
END_TEST

/* Vectors A1 to A7, A11, A12, X3 and X4: exact, then unique prefix, then a name that one bears. */
static const struct {
	const char *ref;
	int status;
	const char *id; /* of 200 */
} references[] = {
	{ "1", 200, "1" },
	{ "2ab", 200, "2abcd" },
	{ "4a3", 200, "4a333" },
	{ "4ab", 200, "4abcd" },
	{ "4a", 409, NULL },
	{ "4", 409, NULL },
	{ "abc", 200, "abc" },
	{ "abcd", 200, "abcde" },
	{ "ab", 409, NULL },
	{ "2abcde", 404, NULL },
	{ "2ABCD", 404, NULL },
	{ "11", 404, NULL },
	{ "99b36c2c326ccc11e726eee6ee78a0baf166ef96", 200, "99b36c2c326ccc11e726eee6ee78a0baf166ef96" },
	{ "99b36cblabla", 200, "99b36cblabla" },
	{ "9", 409, NULL },
	{ "99b3", 409, NULL },
	{ "99b36c", 409, NULL },
	{ "99b36c2", 200, "99b36c2c326ccc11e726eee6ee78a0baf166ef96" },
	{ "99b36cb", 200, "99b36cblabla" },
	{ "e6ee78a0baf166ef96", 404, NULL },
	{ "only-one", 200, "named-1" },
	{ "both", 409, NULL },
	{ "pre", 200, "named-4" }, /* begins pre-1 and pre-2, and is a name: the name wins */
	{ "na%6Ded-1", 200, "named-1" },
	{ "nobody", 404, NULL },
	{ "with%20blank", 200, "named-5" },
	{ "..x", 404, NULL },
};

static void make_references(void)
{
	static const char *const rows[][2] = {
		{ "1", "" }, { "2abcd", "" }, { "4a333", "" }, { "4abcd", "" }, { "abc", "" }, { "abcde", "" },
		{ "99b36c2c326ccc11e726eee6ee78a0baf166ef96", "" }, { "99b36cblabla", "" }, { "named-1", "only-one" },
		{ "named-2", "both" }, { "named-3", "both" }, { "named-4", "pre" }, { "pre-1", "" }, { "pre-2", "" },
		{ "named-5", "with blank" },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct reply *r = http_ask(shared_http(), "PUT", text("/containers/%s", rows[i][0]), NULL,
						 text("{\"name\":\"%s\"}", rows[i][1]));

		ck_assert_msg(r->status == 201 || r->status == 200, "%s: %d %s", r->request, r->status, r->body);
	}
}

START_TEST(found_by_reference)
{
	static const char *const below[] = { "", "/status", "/checkpoint" };
	const char *location;

	make_references();
	for (size_t i = 0; i < COUNT(below); i++) {
		const struct reply *r = http_get(shared_http(), text("/containers/%s%s", references[_i].ref,
			below[i]));

		if (references[_i].status == 404) {
			expect_problem(r, 404, "container-not-found");
			continue;
		}
		if (references[_i].status == 409) {
			expect_problem(r, 409, "ambiguous-id");
			ck_assert_uint_ge(json_array_size(json_at(r->json, "/candidates")), 2);
			continue;
		}
		expect_status(r, 200);
		location = reply_header(r, "Content-Location");
		if (strcmp(references[_i].ref, references[_i].id) == 0 || strchr(references[_i].ref, '%'))
			continue;
		ck_assert_msg(location && !strcmp(location, text("/containers/%s%s", references[_i].id, below[i])),
			      "%s: Content-Location is %s", r->request, location ? location : "absent");
	}
}
END_TEST

START_TEST(candidates_are_at_most_ten)
{
	const struct reply *r;

	for (int i = 0; i < 13; i++)
		(void)shared_create(text("many-%02d", i), text("\"name\":\"n%d\"", i));
	r = http_get(shared_http(), "/containers/many");
	expect_problem(r, 409, "ambiguous-id");
	ck_assert_uint_eq(json_array_size(json_at(r->json, "/candidates")), 10);
	expect_all(r, "/candidates/0/id=many-00 /candidates/0/name=n0 /candidates/9/id=many-09");
	r = http_ask(shared_http(), "DELETE", "/containers/many", NULL, NULL);
	expect_problem(r, 409, "full-id-required");
	ck_assert_uint_eq(json_array_size(json_at(r->json, "/candidates")), 10);
}
END_TEST

START_TEST(status_writes_want_the_full_id)
{
	const struct reply *r;

	(void)shared_create("statusful-1", "\"name\":\"nick\"");
	r = http_ask(shared_http(), "PATCH", "/containers/statusful/status", NULL, "{\"startedAt\":9}");
	expect_problem(r, 404, "container-not-found");
	expect_all(r, "/candidates/0/id=statusful-1 /candidates/0/name=nick");
	r = http_ask(shared_http(), "PUT", "/containers/nick/status", NULL, "{\"startedAt\":9}");
	expect_problem(r, 404, "container-not-found");
	expect_all(r, "/candidates/0/id=statusful-1");
	expect_all(http_get(shared_http(), "/containers/statusful-1/status"), "/state=CONTAINER_CREATED");
}
END_TEST

/* What the pattern of ids refuses, in a body (422) and in the path of a write (400); a read is just not found. */
static const struct {
	const char *in_body, *in_path;
} bad_ids[] = {
	{ "", NULL }, { "a b", "a%20b" }, { "..", NULL }, { ".", NULL }, { ".hidden", ".hidden" }, { "-a", "-a" },
	{ "_a", "_a" }, { "a/b", NULL }, { "a:b", "a:b" }, { "\xc3\xa9", "%C3%A9" }, { "a\\n", "a%0A" },
		{ "a+b", "a+b" },
	{ "long", "long" },
};

START_TEST(ill_formed_ids)
{
	const char *in_body = bad_ids[_i].in_body, *in_path = bad_ids[_i].in_path;
	const struct reply *r;

	if (!strcmp(in_body, "long"))
		in_body = in_path = text_repeat("x", 129);
	r = http_ask(shared_http(), "POST", "/containers", NULL, text("{\"id\":\"%s\"}", in_body));
	expect_problem(r, 422, "validation-failed");
	expect_all(r, "/errors/0/pointer=/id");
	if (!in_path)
		return;
	r = http_ask(shared_http(), "PUT", text("/containers/%s", in_path), NULL, "{}");
	expect_problem(r, 400, "invalid-parameter");
	r = http_ask(shared_http(), "DELETE", text("/containers/%s", in_path), NULL, NULL);
	expect_problem(r, 400, "invalid-parameter");
	r = http_ask(shared_http(), "PATCH", text("/containers/%s/status", in_path), NULL, "{}");
	expect_problem(r, 400, "invalid-parameter");
	expect_problem(http_get(shared_http(), text("/containers/%s", in_path)), 404, "container-not-found");
}
END_TEST

START_TEST(longest_id)
{
	const char *id = text_repeat("y", 128);

	(void)shared_create(id, "");
	expect_all(http_get(shared_http(), text("/containers/%s", id)), text("/id=%s", id));
	expect_status(http_ask(shared_http(), "DELETE", text("/containers/%s", id), NULL, NULL), 204);
}
END_TEST

START_TEST(config_has_a_size)
{
	/* 256 KiB of config in all: {"k":"..."} are 8 bytes around the string. */
	const char *fits = text_repeat("c", 256 * 1024 - 8), *not = text_repeat("c", 256 * 1024 - 7);
	const struct reply *r;

	r = http_ask(shared_http(), "POST", "/containers", NULL, text("{\"config\":{\"k\":\"%s\"}}", fits));
	expect_status(r, 201);
	r = http_ask(shared_http(), "POST", "/containers", NULL, text("{\"config\":{\"k\":\"%s\"}}", not));
	expect_problem(r, 422, "validation-failed");
	expect_all(r, "/errors/0/pointer=/config");
}
END_TEST

/* The checkpoint is containerd's JSON; who reads it finds the values that the wire shows. */
START_TEST(checkpoint_in_containerds_casing)
{
	const char *id = shared_id("cp");
	const struct reply *r;

	(void)shared_create(id, "\"status\":{\"createdAt\":1500000000000000001,\"startedAt\":\"1500000001000000002\","
				"\"finishedAt\":1500000002000000003,\"exitCode\":137,\"reason\":\"OOMKilled\","
				"\"message\":\"a<b>&\\\"c\\\"\"}");
	r = http_get(shared_http(), text("/containers/%s/checkpoint", id));
	expect_status(r, 200);
	expect_all(r, "/Version=v1 /Pid=0 /CreatedAt=1500000000000000001 /StartedAt=1500000001000000002 "
		      "/FinishedAt=1500000002000000003 /ExitCode=137 /Reason=OOMKilled /Resources=null /Crc32!=(absent)");
	expect_all(r, text("/Id=%s", id));
	ck_assert_ptr_eq(strstr(r->body, "{\"Version\":\"v1\",\"Pid\":0,\"CreatedAt\":1500000000000000001,"
					 "\"StartedAt\":1500000001000000002,"
					     "\"FinishedAt\":1500000002000000003,\"ExitCode\":137,"
					 "\"Reason\":\"OOMKilled\","
					     "\"Message\":\"a\\u003cb\\u003e\\u0026\\\"c\\\"\",\"Resources\":null"),
			 r->body);
	ck_assert_int_eq(r->body[r->len - 1], '\n');
}
END_TEST

int main(void)
{
	Suite *s = suite_create("containers");
	static const char *const memory[] = { "--backend", "memory", NULL };
	TCase *disk = shared_case(s, "on disk", NULL);
	TCase *in_memory = shared_case(s, "in memory", memory);

	tcase_add_loop_test(disk, scripted, 0, COUNT(scripts));
	tcase_add_loop_test(in_memory, scripted, 0, COUNT(scripts));
	tcase_add_loop_test(disk, found_by_reference, 0, COUNT(references));
	tcase_add_loop_test(disk, ill_formed_ids, 0, COUNT(bad_ids));
	tcase_add_test(disk, server_makes_ids);
	tcase_add_test(disk, candidates_are_at_most_ten);
	tcase_add_test(disk, status_writes_want_the_full_id);
	tcase_add_test(disk, longest_id);
	tcase_add_test(disk, config_has_a_size);
	tcase_add_test(disk, checkpoint_in_containerds_casing);
	return suite_main(s);
}
