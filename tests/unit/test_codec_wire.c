/* Bodies as clients see and send them: strict, in camelCase, every refusal with the place of what is wrong. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "container/codec.h"
#include "unit.h"

static struct slice slice_of(const char *text)
{
	return (struct slice){ text, strlen(text) };
}

/* ---- replies ---- */

static const char container_body[] =
	"{\"id\":\"3f1c\",\"name\":\"web\",\"sandboxId\":\"s\",\"imageRef\":\"nginx:1.27\",\"logPath\":\"/l\","
	"\"config\":{\"labels\":{\"app\":\"web\"}},\"status\":{\"state\":\"CONTAINER_EXITED\",\"pid\":0,"
	"\"createdAt\":\"2026-08-23T10:00:00.123456789Z\",\"startedAt\":null,"
	"\"finishedAt\":\"1970-01-01T00:00:00.000000005Z\",\"exitCode\":137,\"reason\":\"Error\",\"message\":\"a\\u003cb\","
	"\"removing\":false,\"resources\":null,\"revision\":\"1042\"},\"revision\":\"1042\"}";

START_TEST(container_as_it_is_shown)
{
	struct metadata_value m = METADATA_ZERO;
	struct status s = { .created_at = 1787479200123456789, .finished_at = 5, .exit_code = 137, .reason = "", .message = "a<b" };
	struct container *c;
	struct slice json, status;

	m.id = "3f1c";
	m.name = "web";
	m.sandbox_id = "s";
	m.image_ref = "nginx:1.27";
	m.log_path = "/l";
	m.config = "{\"labels\":{\"app\":\"web\"}}";
	c = unit_container(&m, &s, 1042);
	json = container_json(c);
	status = container_status_json(c);
	ck_assert_uint_eq(json.len, strlen(container_body));
	ck_assert_int_eq(memcmp(json.at, container_body, json.len), 0);
	/* The status is a part of the same bytes. */
	ck_assert(status.at > json.at && status.at + status.len < json.at + json.len);
	ck_assert_int_eq(strncmp(status.at, "{\"state\":\"CONTAINER_EXITED\"", 27), 0);
	ck_assert_int_eq(strncmp(status.at + status.len - 18, "\"revision\":\"1042\"}", 18), 0);
	container_unref(c);
}
END_TEST

/* ---- requests ---- */

/* Bodies of a status: how they are taken, and for a refusal the first pointer and a word of its detail. */
static const struct body {
	const char *text;
	int answer;
	const char *pointer, *word;
} status_bodies[] = {
	{ "{}", CODEC_OK, NULL, NULL },
	{ " { \"pid\" : 7 } \n", CODEC_OK, NULL, NULL },
	{ "{\"state\":\"CONTAINER_RUNNING\",\"pid\":4711}", CODEC_OK, NULL, NULL },
	{ "{\"revision\":\"7\",\"pid\":1}", CODEC_OK, NULL, NULL },
	{ "{\"revision\":7}", CODEC_OK, NULL, NULL },
	{ "{\"pid\":4294967295,\"exitCode\":-2147483648}", CODEC_OK, NULL, NULL },
	{ "{\"pid\":null,\"createdAt\":null,\"exitCode\":null,\"reason\":null,\"removing\":null,\"resources\":null}", CODEC_OK,
	  NULL, NULL },
	{ "{\"startedAt\":\"2026-08-23T10:00:00Z\"}", CODEC_OK, NULL, NULL },
	{ "{\"startedAt\":\"2026-08-23T12:00:00.5+02:00\"}", CODEC_OK, NULL, NULL },
	{ "{\"startedAt\":\"1787479200123456789\"}", CODEC_OK, NULL, NULL },
	{ "{\"startedAt\":1787479200123456789}", CODEC_OK, NULL, NULL },
	{ "{\"resources\":{\"linux\":{}}}", CODEC_OK, NULL, NULL },
	/* not JSON */
	{ "", CODEC_E_MALFORMED, "", "empty" },
	{ " ", CODEC_E_MALFORMED, "", NULL },
	{ "{", CODEC_E_MALFORMED, "", "line 1" },
	{ "{\"pid\":1,}", CODEC_E_MALFORMED, "", NULL },
	{ "{'pid':1}", CODEC_E_MALFORMED, "", NULL },
	{ "{\"pid\":01}", CODEC_E_MALFORMED, "", NULL },
	{ "{\"pid\":1}x", CODEC_E_MALFORMED, "", NULL },
	{ "{\"pid\":1}{\"pid\":1}", CODEC_E_MALFORMED, "", NULL },
	{ "\xef\xbb\xbf{}", CODEC_E_MALFORMED, "", NULL },
	{ "{\"pid\":NaN}", CODEC_E_MALFORMED, "", NULL },
	{ "{\"pid\":1,\"pid\":1}", CODEC_E_MALFORMED, "", "duplicate" },
	{ "{\"reason\":\"\xff\"}", CODEC_E_MALFORMED, "", NULL },
	{ "{\"reason\":\"\\ud800\"}", CODEC_E_MALFORMED, "", NULL },
	{ "{\"reason\":\"\\u0000\"}", CODEC_E_MALFORMED, "", NULL },
	{ "{\"reason\":\"a\nb\"}", CODEC_E_MALFORMED, "", NULL },
	{ "{\"pid\":18446744073709551616}", CODEC_E_MALFORMED, "", NULL },
	/* JSON, but not a status */
	{ "[]", CODEC_E_INVALID, "", "object" },
	{ "null", CODEC_E_INVALID, "", "object" },
	{ "7", CODEC_E_INVALID, "", "object" },
	{ "\"x\"", CODEC_E_INVALID, "", "object" },
	{ "{\"Pid\":1}", CODEC_E_INVALID, "/Pid", "did you mean \"pid\"" },
	{ "{\"exit_code\":1}", CODEC_E_INVALID, "/exit_code", "did you mean \"exitCode\"" },
	{ "{\"startetAt\":null}", CODEC_E_INVALID, "/startetAt", "did you mean \"startedAt\"" },
	{ "{\"colour\":1}", CODEC_E_INVALID, "/colour", "not a known member" },
	{ "{\"a/b~c\":1}", CODEC_E_INVALID, "/a~1b~0c", "not a known member" },
	{ "{\"\":1}", CODEC_E_INVALID, "/", "not a known member" },
	{ "{\"pid\":-1}", CODEC_E_INVALID, "/pid", "4294967295" },
	{ "{\"pid\":4294967296}", CODEC_E_INVALID, "/pid", "4294967295" },
	{ "{\"pid\":4711.0}", CODEC_E_INVALID, "/pid", "whole number" },
	{ "{\"pid\":\"7\"}", CODEC_E_INVALID, "/pid", "whole number" },
	{ "{\"exitCode\":1e0}", CODEC_E_INVALID, "/exitCode", "whole number" },
	{ "{\"exitCode\":2147483648}", CODEC_E_INVALID, "/exitCode", "2147483647" },
	{ "{\"startedAt\":\"yesterday\"}", CODEC_E_INVALID, "/startedAt", "RFC 3339" },
	{ "{\"startedAt\":\"2026-02-29T00:00:00Z\"}", CODEC_E_INVALID, "/startedAt", "RFC 3339" },
	{ "{\"startedAt\":1.5}", CODEC_E_INVALID, "/startedAt", "RFC 3339" },
	{ "{\"startedAt\":true}", CODEC_E_INVALID, "/startedAt", "RFC 3339" },
	{ "{\"removing\":1}", CODEC_E_INVALID, "/removing", "true or false" },
	{ "{\"reason\":7}", CODEC_E_INVALID, "/reason", "string" },
	{ "{\"resources\":[]}", CODEC_E_INVALID, "/resources", "object" },
	{ "{\"state\":\"RUNNING\"}", CODEC_E_INVALID, "/state", "CONTAINER_RUNNING" },
	{ "{\"state\":7}", CODEC_E_INVALID, "/state", "string" },
	{ "{\"id\":\"a\"}", CODEC_E_INVALID, "/id", "not a known member" },
};

static void expect_answer(int answer, const struct body *b, const struct field_errors *errors)
{
	ck_assert_msg(answer == b->answer, "%s: expected %d, seen %d (%s)", b->text, b->answer, answer,
		      errors->count ? errors->at[0].detail : "");
	if (answer == CODEC_OK)
		return;
	ck_assert_msg(errors->count > 0, "%s", b->text);
	ck_assert_str_eq(errors->at[0].pointer, b->pointer);
	ck_assert_msg(!b->word || strstr(errors->at[0].detail, b->word), "%s: %s", b->text, errors->at[0].detail);
}

START_TEST(status_body)
{
	auto_arena struct arena arena = ARENA;
	struct field_errors errors = { .arena = &arena };
	struct change change = { .kind = _i % 2 ? CHANGE_PATCH : CHANGE_REPLACE, .id = "a" };
	int r = codec_status_from_wire(slice_of(status_bodies[_i].text), &change, &errors);

	expect_answer(r, &status_bodies[_i], &errors);
}
END_TEST

START_TEST(members_that_were_given)
{
	auto_arena struct arena arena = ARENA;
	struct field_errors errors = { .arena = &arena };
	struct change change = { .kind = CHANGE_PATCH, .id = "a" };
	const char *text = "{\"state\":\"CONTAINER_EXITED\",\"pid\":null,\"createdAt\":3,\"finishedAt\":\"2026-08-23T10:00:00Z\","
			   "\"exitCode\":-3,\"reason\":\"r\",\"message\":null,\"removing\":true,\"resources\":{\"b\":1,\"a\":2},"
			   "\"revision\":\"9\"}";
	struct status expected = { .created_at = 3, .finished_at = 1787479200 * INT64_C(1000000000), .exit_code = -3,
				   .reason = "r", .removing = true, .resources = "{\"b\":1,\"a\":2}" };

	ck_assert_int_eq(codec_status_from_wire(slice_of(text), &change, &errors), CODEC_OK);
	ck_assert_uint_eq(change.patch.given, GIVEN_STATE | GIVEN_PID | GIVEN_CREATED_AT | GIVEN_FINISHED_AT | GIVEN_EXIT_CODE |
						      GIVEN_REASON | GIVEN_MESSAGE | GIVEN_REMOVING | GIVEN_RESOURCES);
	ck_assert_int_eq(change.patch.state, CONTAINER_EXITED);
	unit_expect_status("the patch", &change.patch.value, expected);
}
END_TEST

/* Several things wrong are told at once, up to a number. */
START_TEST(all_that_is_wrong)
{
	auto_arena struct arena arena = ARENA;
	struct field_errors errors = { .arena = &arena };
	struct change change = { .kind = CHANGE_PATCH, .id = "a" };
	auto_buf struct buf b = BUF(4096);

	ck_assert_int_eq(codec_status_from_wire(slice_of("{\"pid\":-1,\"x\":1,\"state\":\"no\"}"), &change, &errors), CODEC_E_INVALID);
	ck_assert_uint_eq(errors.count, 3);
	errors.count = 0;
	(void)buf_add_byte(&b, '{');
	for (int i = 0; i < 100; i++)
		(void)buf_addf(&b, "%s\"unknown%d\":1", i ? "," : "", i);
	(void)buf_add_byte(&b, '}');
	ck_assert_int_eq(codec_status_from_wire((struct slice){ b.at, b.len }, &change, &errors), CODEC_E_INVALID);
	ck_assert_uint_eq(errors.count, FIELD_ERRORS_MAX);
}
END_TEST

/* Texts at their caps are taken, a byte more is refused by name: 422, not 413. */
static const struct {
	const char *before, *after, *pointer;
	size_t cap, overhead; /* overhead: bytes of the value that are not the filling */
	bool create;
} caps[] = {
	{ "{\"reason\":\"", "\"}", "/reason", CAP_REASON, 0, false },
	{ "{\"message\":\"", "\"}", "/message", CAP_MESSAGE, 0, false },
	{ "{\"resources\":{\"a\":\"", "\"}}", "/resources", CAP_RESOURCES, 8, false },
	{ "{\"name\":\"", "\"}", "/name", CAP_NAME, 0, true },
	{ "{\"sandboxId\":\"", "\"}", "/sandboxId", CAP_NAME, 0, true },
	{ "{\"imageRef\":\"", "\"}", "/imageRef", CAP_NAME, 0, true },
	{ "{\"logPath\":\"", "\"}", "/logPath", CAP_LOG_PATH, 0, true },
	{ "{\"config\":{\"a\":\"", "\"}}", "/config", CAP_CONFIG, 8, true },
	{ "{\"status\":{\"reason\":\"", "\"}}", "/status/reason", CAP_REASON, 0, true },
};

START_TEST(texts_at_their_caps)
{
	size_t cap = caps[_i].cap - caps[_i].overhead;

	for (size_t len = cap; len <= cap + 1; len++) {
		auto_arena struct arena arena = ARENA;
		struct field_errors errors = { .arena = &arena };
		struct change change = { .kind = caps[_i].create ? CHANGE_CREATE : CHANGE_PATCH, .id = "a" };
		auto_buf struct buf b = BUF(1 << 20);
		int r;

		(void)buf_add_text(&b, caps[_i].before);
		for (size_t i = 0; i < len; i++)
			(void)buf_add_byte(&b, 'x');
		ck_assert_int_eq(buf_add_text(&b, caps[_i].after), 0);
		r = caps[_i].create ? codec_create_from_wire((struct slice){ b.at, b.len }, &change, &errors) :
				      codec_status_from_wire((struct slice){ b.at, b.len }, &change, &errors);
		ck_assert_int_eq(r, len > cap ? CODEC_E_INVALID : CODEC_OK);
		if (len > cap)
			ck_assert_str_eq(errors.at[0].pointer, caps[_i].pointer);
	}
}
END_TEST

static const struct body create_bodies[] = {
	{ "{}", CODEC_OK, NULL, NULL },
	{ "{\"id\":\"a\"}", CODEC_OK, NULL, NULL },
	{ "{\"id\":null,\"name\":null,\"config\":null,\"status\":null}", CODEC_OK, NULL, NULL },
	{ "{\"id\":\"a\",\"status\":{\"state\":\"CONTAINER_RUNNING\",\"pid\":3}}", CODEC_OK, NULL, NULL },
	{ "{\"config\":{\"Anything\":[1,{\"goes\":null}],\"labels\":[]}}", CODEC_OK, NULL, NULL },
	{ "{\"id\":\"\"}", CODEC_E_INVALID, "/id", "must match" },
	{ "{\"id\":\"..\"}", CODEC_E_INVALID, "/id", "must match" },
	{ "{\"id\":\"a b\"}", CODEC_E_INVALID, "/id", "must match" },
	{ "{\"id\":\"a/b\"}", CODEC_E_INVALID, "/id", "must match" },
	{ "{\"id\":7}", CODEC_E_INVALID, "/id", "string" },
	{ "{\"revision\":\"7\"}", CODEC_E_INVALID, "/revision", "server" },
	{ "{\"status\":{\"revision\":\"7\"}}", CODEC_E_INVALID, "/status/revision", "server" },
	{ "{\"status\":[]}", CODEC_E_INVALID, "/status", "object" },
	{ "{\"status\":{\"pid\":-1}}", CODEC_E_INVALID, "/status/pid", "4294967295" },
	{ "{\"status\":{\"state\":\"on\"}}", CODEC_E_INVALID, "/status/state", "CONTAINER_RUNNING" },
	{ "{\"status\":{\"pidd\":1}}", CODEC_E_INVALID, "/status/pidd", "did you mean \"pid\"" },
	{ "{\"config\":\"{}\"}", CODEC_E_INVALID, "/config", "object" },
	{ "{\"config\":[]}", CODEC_E_INVALID, "/config", "object" },
	{ "{\"sandboxID\":\"s\"}", CODEC_E_INVALID, "/sandboxID", "did you mean \"sandboxId\"" },
	{ "{\"image\":\"s\"}", CODEC_E_INVALID, "/image", "not a known member" },
	{ "{\"stopSignal\":\"s\"}", CODEC_E_INVALID, "/stopSignal", "not a known member" },
	{ "{\"config\":{\"a\":1,\"a\":2}}", CODEC_E_MALFORMED, "", "duplicate" },
	{ "{\"config\":{\"a\":\"\\u0000\"}}", CODEC_E_MALFORMED, "", NULL },
};

START_TEST(create_body)
{
	auto_arena struct arena arena = ARENA;
	struct field_errors errors = { .arena = &arena };
	struct change change = { .kind = CHANGE_CREATE };

	expect_answer(codec_create_from_wire(slice_of(create_bodies[_i].text), &change, &errors), &create_bodies[_i], &errors);
}
END_TEST

START_TEST(metadata_and_labels)
{
	auto_arena struct arena arena = ARENA;
	struct field_errors errors = { .arena = &arena };
	struct change change = { .kind = CHANGE_CREATE };
	const char *text = "{\"id\":\"a\",\"name\":\"n\",\"sandboxId\":\"s\",\"imageRef\":\"i\",\"logPath\":\"l\","
			   "\"config\": {\"labels\": {\"app\":\"web\",\"n\":7,\"empty\":\"\"} , \"x\":1.5}}";
	const struct metadata_value *m = &change.metadata;

	ck_assert_int_eq(codec_create_from_wire(slice_of(text), &change, &errors), CODEC_OK);
	ck_assert_str_eq(m->id, "a");
	ck_assert_str_eq(m->name, "n");
	ck_assert_str_eq(m->sandbox_id, "s");
	ck_assert_str_eq(m->image_ref, "i");
	ck_assert_str_eq(m->log_path, "l");
	ck_assert_str_eq(m->config, "{\"labels\":{\"app\":\"web\",\"n\":7,\"empty\":\"\"},\"x\":1.5}");
	ck_assert_uint_eq(m->label_count, 2);
	ck_assert_str_eq(m->labels[0].key, "app");
	ck_assert_str_eq(m->labels[1].key, "empty");
	ck_assert_uint_eq(change.patch.given, 0);
}
END_TEST

/* What GET returned can be PUT again: its id, status and revision do not stand in the way. */
START_TEST(put_takes_what_get_gave)
{
	auto_arena struct arena arena = ARENA;
	struct field_errors errors = { .arena = &arena };
	struct change change = { .kind = CHANGE_PUT, .id = "3f1c" };

	ck_assert_int_eq(codec_create_from_wire(slice_of(container_body), &change, &errors), CODEC_OK);
	ck_assert_str_eq(change.metadata.id, "3f1c");
	change.id = "other";
	ck_assert_int_eq(codec_create_from_wire(slice_of(container_body), &change, &errors), CODEC_E_INVALID);
	ck_assert_str_eq(errors.at[0].pointer, "/id");
	errors.count = 0;
	ck_assert_int_eq(codec_create_from_wire(slice_of("{\"name\":\"n\"}"), &change, &errors), CODEC_OK);
	ck_assert_str_eq(change.metadata.id, "other");
}
END_TEST

START_TEST(same_json)
{
	static const struct {
		const char *a, *b;
		int same;
	} rows[] = {
		{ NULL, NULL, 1 },
		{ NULL, "{}", 0 },
		{ "{}", NULL, 0 },
		{ "{}", "{ }", 1 },
		{ "{\"a\":1,\"b\":[1,2]}", "{\"b\":[1,2],\"a\":1}", 1 },
		{ "{\"a\":[1,2]}", "{\"a\":[2,1]}", 0 },
		{ "{\"a\":1}", "{\"a\":1,\"b\":1}", 0 },
	};

	for (size_t i = 0; i < COUNT(rows); i++)
		ck_assert_msg(codec_same_json(rows[i].a, rows[i].b) == rows[i].same, "row %zu", i);
}
END_TEST

/* Depth has a bound, and meeting it is an answer like any other. */
START_TEST(deep_bodies)
{
	auto_arena struct arena arena = ARENA;
	struct field_errors errors = { .arena = &arena };
	struct change change = { .kind = CHANGE_CREATE };
	auto_buf struct buf b = BUF(1 << 20);

	(void)buf_add_text(&b, "{\"config\":{\"a\":");
	for (int i = 0; i < 100000; i++)
		(void)buf_add_byte(&b, '[');
	ck_assert_int_eq(b.failed, 0);
	ck_assert_int_eq(codec_create_from_wire((struct slice){ b.at, b.len }, &change, &errors), CODEC_E_MALFORMED);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("codec_wire");
	TCase *c = unit_case(s, "bodies");

	tcase_add_loop_test(c, status_body, 0, (int)COUNT(status_bodies));
	tcase_add_loop_test(c, create_body, 0, (int)COUNT(create_bodies));
	tcase_add_loop_test(c, texts_at_their_caps, 0, (int)COUNT(caps));
	c = unit_case(s, "values");
	tcase_add_test(c, container_as_it_is_shown);
	tcase_add_test(c, members_that_were_given);
	tcase_add_test(c, all_that_is_wrong);
	tcase_add_test(c, metadata_and_labels);
	tcase_add_test(c, put_takes_what_get_gave);
	tcase_add_test(c, same_json);
	tcase_add_test(c, deep_bodies);
	return unit_main(s);
}
