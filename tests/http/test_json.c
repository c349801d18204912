/* Bodies that are not what they should be.  Syntax (RFC 8259, and no key twice) is 400 malformed-json; JSON of the wrong
 * shape is 422 validation-failed; after either the store is what it was.  And odd bodies that are right. */
#include <check.h>
#include <string.h>

#include "support/expect.h"
#include "support/shared.h"
#include "support/suite.h"
#include "support/text.h"

/* A body with its length, for those with a NUL inside. */
#define B(s) s, sizeof(s) - 1

struct body {
	const char *bytes;
	size_t len;
};

static const struct body malformed[] = {
	{ B("") }, { B(" ") }, { B("\n\t ") },
	/* structure */
	{ B("{") }, { B("}") }, { B("{}}") }, { B("{}{}") }, { B("{} x") }, { B("{},") }, { B("{}[]") }, { B("[") },
		{ B("[}") },
	{ B("{]") }, { B("{\"a\"") }, { B("{\"a\":") }, { B("{\"a\":1") }, { B("{\"a\":1,") }, { B("{\"a\":1,}") },
		{ B("{,}") },
	{ B("{,\"a\":1}") }, { B("{\"a\" 1}") }, { B("{\"a\"::1}") }, { B("{\"a\",1}") }, { B("{\"a\":1 \"b\":2}") },
	{ B("{\"a\":1,,\"b\":2}") }, { B("{a:1}") }, { B("{'a':1}") }, { B("{1:1}") }, { B("{null:1}") },
		{ B("{\"a\":}") },
	{ B("{\"config\":[1,]}") }, { B("{\"config\":[,1]}") }, { B("{\"config\":[1 2]}") }, { B("{\"config\":[1}") },
	{ B("{\"config\":{]}") }, { B("{\"a\":(1)}") }, { B("<a/>") }, { B("{\"a\"=1}") }, { B("{\"a\":1;\"b\":2}") },
	/* comments, and what else people add */
	{ B("{} // end") }, { B("/**/{}") }, { B("{\"a\":/* one */1}") }, { B("# x\n{}") }, { B("{}\0") },
		{ B("\0{}") }, { B("{\0}") },
	{ B("{\"a\":1\0}") }, { B("\xef\xbb\xbf{}") }, { B("{}\xef\xbb\xbf") }, { B("\xff\xfe{\0}\0") },
		{ B("\x0c{}") },
	{ B("\xc2\xa0{}") }, { B("{}\x1a") },
	/* literals */
	{ B("{\"a\":True}") }, { B("{\"a\":nul}") }, { B("{\"a\":NULL}") }, { B("{\"a\":truee}") },
		{ B("{\"a\":undefined}") },
	{ B("{\"a\":NaN}") }, { B("{\"a\":Infinity}") }, { B("{\"a\":-Infinity}") }, { B("nul") }, { B("tru") },
	/* numbers */
	{ B("{\"a\":01}") }, { B("{\"a\":-01}") }, { B("{\"a\":+1}") }, { B("{\"a\":.5}") }, { B("{\"a\":5.}") },
		{ B("{\"a\":-}") },
	{ B("{\"a\":1e}") }, { B("{\"a\":1e+}") }, { B("{\"a\":1.e1}") }, { B("{\"a\":0x10}") },
		{ B("{\"a\":1_000}") },
	{ B("{\"a\":1 000}") }, { B("{\"a\":--1}") }, { B("{\"a\":1.2.3}") }, { B("{\"a\":1a}") },
		{ B("{\"a\":\xef\xbc\x91}") },
	{ B("{\"config\":{\"a\":1e400}}") }, { B("{\"config\":{\"a\":9223372036854775808}}") },
	{ B("{\"config\":{\"a\":-9223372036854775809}}") },
		{ B("{\"config\":{\"a\":123456789012345678901234567890}}") },
	/* strings */
	{ B("{\"name\":\"a}") }, { B("{\"name\":a\"}") }, { B("{\"name\":'a'}") }, { B("{\"name\":\"a\nb\"}") },
	{ B("{\"name\":\"a\tb\"}") }, { B("{\"name\":\"a\0b\"}") }, { B("{\"name\":\"\x1f\"}") },
		{ B("{\"name\":\"\\\"}") },
	{ B("{\"name\":\"\\x41\"}") }, { B("{\"name\":\"\\a\"}") }, { B("{\"name\":\"\\u12\"}") },
		{ B("{\"name\":\"\\u12G4\"}") },
	{ B("{\"name\":\"\\U00e9\"}") }, { B("{\"name\":\"\\'\"}") }, { B("{\"name\":\"\\") },
		{ B("{\"name\":\"a\"\"b\"}") },
	{ B("{\"name\":\"\\u0000\"}") }, { B("{\"na\\u0000me\":1}") },
	/* surrogates alone, and upside down */
	{ B("{\"name\":\"\\ud800\"}") }, { B("{\"name\":\"\\udc00\"}") }, { B("{\"name\":\"\\ud800\\u0041\"}") },
	{ B("{\"name\":\"\\udc00\\ud800\"}") }, { B("{\"name\":\"\\ud800\\ud800\"}") }, { B("{\"\\udfff\":1}") },
	/* bytes that are no UTF-8: alone, cut, overlong, surrogates, beyond U+10FFFF */
	{ B("{\"name\":\"\xff\"}") }, { B("{\"name\":\"\x80\"}") }, { B("{\"name\":\"\xc3\"}") },
		{ B("{\"name\":\"\xc3(\"}") },
	{ B("{\"name\":\"\xe2\x82\"}") }, { B("{\"name\":\"\xc0\xaf\"}") }, { B("{\"name\":\"\xe0\x80\xaf\"}") },
	{ B("{\"name\":\"\xf0\x80\x80\xaf\"}") }, { B("{\"name\":\"\xed\xa0\x80\"}") },
		{ B("{\"name\":\"\xf4\x90\x80\x80\"}") },
	{ B("{\"name\":\"\xfe\"}") }, { B("{\"name\":\"\xe9t\xe9\"}") }, { B("{\"\xff\":1}") }, { B("{\xff}") },
	/* keys twice, at any depth, also when written differently */
	{ B("{\"name\":\"a\",\"name\":\"a\"}") }, { B("{\"name\":\"a\",\"name\":\"b\"}") },
		{ B("{\"name\":\"a\",\"n\\u0061me\":\"b\"}") },
	{ B("{\"config\":{\"k\":1,\"k\":1}}") }, { B("{\"config\":[{\"k\":{\"l\":1,\"m\":2,\"l\":3}}]}") },
		{ B("{\"\":1,\"\":2}") },
	{ B("{\"status\":{\"pid\":1,\"pid\":2}}") }, { B("{\"zebra\":1,\"zebra\":2}") },
};

/* Well-formed, but no container; with the pointer of the first error. */
static const struct {
	const char *bytes, *pointer;
} misshapen[] = {
	{ "[]", "" }, { "[{}]", "" }, { "null", "" }, { "true", "" }, { "7", "" }, { "\"x\"", "" }, { "-0.5e-3", "" },
	{ "{\"id\":7}", "/id" }, { "{\"id\":\"\"}", "/id" }, { "{\"id\":{}}", "/id" },
	{ "{\"name\":7}", "/name" }, { "{\"name\":[]}", "/name" },
		{ "{\"imageRef\":true}", "/imageRef" },
	{ "{\"sandboxId\":{}}", "/sandboxId" }, { "{\"logPath\":1.5}", "/logPath" }, { "{\"config\":7}", "/config" },
	{ "{\"config\":\"{}\"}", "/config" }, { "{\"config\":[]}", "/config" }, { "{\"config\":true}", "/config" },
	{ "{\"status\":7}", "/status" }, { "{\"status\":[]}", "/status" }, { "{\"status\":\"running\"}", "/status" },
	{ "{\"Name\":\"x\"}", "/Name" }, { "{\"labels\":{}}", "/labels" }, { "{\"pid\":1}", "/pid" },
		{ "{\"a/b\":1}", "/a~1b" },
	{ "{\"~\":1}", "/~0" }, { "{\"status\":{\"pod\":1}}", "/status/pod" },
		{ "{\"status\":{\"pid\":1.0,\"startedAt\":1}}", "/status/pid" },
	{ "{\"status\":{\"pid\":4711.0,\"startedAt\":1}}", "/status/pid" },
		{ "{\"status\":{\"pid\":1e0,\"startedAt\":1}}", "/status/pid" },
	{ "{\"status\":{\"state\":\"sleeping\"}}", "/status/state" },
		{ "{\"status\":{\"createdAt\":\"now\"}}", "/status/createdAt" },
	{ "{\"status\":{\"exitCode\":3}}", "/status/exitCode" }, { "{\"status\":{\"pid\":3}}", "/status/pid" },
	{ "{\"__proto__\":{}}", "/__proto__" }, { "{\"\\ud83d\\ude00\":1}", "/\xf0\x9f\x98\x80" },
};

/* Odd, and right: each makes a container. */
static const char *const accepted[] = {
	"{}", " \r\n\t{ }\n", "{\"name\":\"\"}", "{\"config\":null}", "{\"config\":{}}", "{\"config\":{\"\":\"\"}}",
	"{\"config\":{\"a\":-0}}", "{\"config\":{\"a\":1E5,\"b\":-1.5e-7,\"c\":9223372036854775807}}",
		"{\"n\\u0061me\":\"x\"}",
	"{\"name\":\"\\ud83d\\ude00 \\/ \\b\\f\\n\\r\\t\\\\ \\u00e9\"}",
		"{\"name\":\"\xf0\x9f\x98\x80\xed\x9f\xbf\xf4\x8f\xbf\xbf\"}",
	"{\"config\":{\"a\":[[[[[[]]]]]],\"b\":{\"c\":{}}}}", "{\"config\":{\"k\":1,\"K\":1}}", "{\"status\":{}}",
		"{\"name\":null,\"logPath\":null,\"status\":null}",
	"{\"status\":{\"createdAt\":null,\"resources\":{}}}", "{\"config\":{\"id\":1,\"id \":2,\"labels\":null}}",
};

/* The newest revision there is: it tells whether anything changed anywhere. */
static const char *newest(void)
{
	return text("%s", json_text(http_get(shared_http(), "/containers?limit=1")->json, "/metadata/revision"));
}

static void refuse_everywhere(const char *bytes, size_t len, int status, const char *slug)
{
	static const char *const writes[][2] = {
		{ "POST", "/containers" }, { "PUT", "/containers/json-1" }, { "PUT", "/containers/json-2/status" },
		{ "PATCH", "/containers/json-2/status" },
	};
	const char *before;

	if (http_get(shared_http(), "/containers/json-2")->status == 404)
		(void)shared_create("json-2", "");
	before = newest();
	for (size_t i = 0; i < COUNT(writes); i++)
		expect_problem(http_send(shared_http(), writes[i][0], writes[i][1], NULL, bytes, len), status, slug);
	ck_assert_str_eq(before, newest());
}

START_TEST(malformed_bodies)
{
	refuse_everywhere(malformed[_i].bytes, malformed[_i].len, 400, "malformed-json");
}
END_TEST

START_TEST(misshapen_bodies)
{
	const char *before = newest();
	const struct reply *r = http_ask(shared_http(), "POST", "/containers", NULL, misshapen[_i].bytes);

	expect_problem(r, 422, "validation-failed");
	ck_assert_str_eq(json_text(r->json, "/errors/0/pointer"), misshapen[_i].pointer);
	ck_assert_str_ne(json_text(r->json, "/errors/0/detail"), "(absent)");
	ck_assert_str_eq(before, newest());
}
END_TEST

START_TEST(odd_and_right)
{
	const struct reply *r = http_ask(shared_http(), "POST", "/containers", NULL, accepted[_i]), *again;

	expect_status(r, 201);
	again = http_get(shared_http(), reply_header(r, "Location"));
	expect_status(again, 200);
	ck_assert_str_eq(again->body, r->body);
}
END_TEST

START_TEST(depth)
{
	static const struct {
		const char *open, *close;
	} kinds[] = { { "[", "]" }, { "{\"a\":", "}" } };
	size_t deep = 100000;
	const char *bottom = _i == 1 ? "1" : "";
	const char *body = text("{\"config\":%s%s%s}", text_repeat(kinds[_i].open, deep), bottom,
		text_repeat(kinds[_i].close, deep));

	refuse_everywhere(body, strlen(body), 400, "malformed-json");
	/* Never closed: a parser that recurses without a bound would meet its end here. */
	body = text_repeat(kinds[_i].open, deep);
	refuse_everywhere(body, strlen(body), 400, "malformed-json");
	/* Moderate depth is nobody's harm. */
	body = text("{\"config\":{\"d\":%s%s%s}}", text_repeat(kinds[_i].open, 50), bottom,
		text_repeat(kinds[_i].close, 50));
	expect_status(http_ask(shared_http(), "POST", "/containers", NULL, body), 201);
}
END_TEST

START_TEST(huge_tokens)
{
	const char *digits = text_repeat("9", 100000), *letters = text_repeat("k", 300000);
	const char *body = text("{\"config\":{\"a\":%s}}", digits);

	refuse_everywhere(body, strlen(body), 400, "malformed-json");
	body = text("{\"config\":{\"a\":0.%s}}", digits);
	expect_status(http_ask(shared_http(), "POST", "/containers", NULL, body), 201);
	body = text("{\"%s\":1}", letters);
	expect_problem(http_ask(shared_http(), "POST", "/containers", NULL, body), 422, "validation-failed");
	body = text("{\"config\":{\"%s\":1}}", letters);
	expect_problem(http_ask(shared_http(), "POST", "/containers", NULL, body), 422, "validation-failed");
	body = text("{\"name\":\"%s\"}", text_repeat("\\u00e9", 170000));
	ck_assert_int_lt(http_ask(shared_http(), "POST", "/containers", NULL, body)->status, 500);
}
END_TEST

/* Every beginning of a good body is a bad body. */
START_TEST(every_cut)
{
	static const char good[] = "{\"name\":\"w\\u00e9b\",\"config\":{\"l\":[1,2.5e1,true,null]},"
		"\"status\":{\"startedAt\":1}}";
	const char *before = newest();

	for (size_t len = 0; len < sizeof good - 1; len++)
		expect_problem(http_send(shared_http(), "POST", "/containers", NULL, good, len), 400,
			"malformed-json");
	ck_assert_str_eq(before, newest());
	expect_status(http_send(shared_http(), "POST", "/containers", NULL, good, sizeof good - 1), 201);
}
END_TEST

/* The checks stop nowhere half-way: many errors are told, and the answer stays small. */
START_TEST(many_errors)
{
	char *body = text("{\"x0\":1");
	const struct reply *r;

	for (int i = 1; i < 500; i++)
		body = text("%s,\"x%d\":1", body, i);
	r = http_ask(shared_http(), "POST", "/containers", NULL, text("%s}", body));
	expect_problem(r, 422, "validation-failed");
	ck_assert_uint_ge(json_array_size(json_at(r->json, "/errors")), 2);
	ck_assert_uint_lt(r->len, 64 * 1024);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("json");
	TCase *c = shared_case(s, "bodies", NULL);

	tcase_add_loop_test(c, malformed_bodies, 0, COUNT(malformed));
	tcase_add_loop_test(c, misshapen_bodies, 0, COUNT(misshapen));
	tcase_add_loop_test(c, odd_and_right, 0, COUNT(accepted));
	tcase_add_loop_test(c, depth, 0, 2);
	tcase_add_test(c, huge_tokens);
	tcase_add_test(c, every_cut);
	tcase_add_test(c, many_errors);
	return suite_main(s);
}
