/* Status files: containerd's own byte for byte, what its decoder accepts and refuses, our members and their checksum. */
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "container/codec.h"
#include "unit.h"

/* ---- containerd's lines ---- */

/* A line, and the status it stands for. */
static const struct line {
	const char *name, *bytes;
	struct status status;
} lines[] = {
	{ "E18 B1",
	  "{\"Version\":\"v1\",\"Pid\":0,\"CreatedAt\":1500000000000000001,\"StartedAt\":0,\"FinishedAt\":0,\"ExitCode\":0,"
	  "\"Reason\":\"\",\"Message\":\"\",\"Resources\":null}",
	  { .created_at = 1500000000000000001 } },
	{ "E18 B2",
	  "{\"Version\":\"v1\",\"Pid\":1234,\"CreatedAt\":1500000000000000001,\"StartedAt\":1500000001000000002,"
	  "\"FinishedAt\":0,\"ExitCode\":0,\"Reason\":\"\",\"Message\":\"\",\"Resources\":{\"linux\":{\"cpu_period\":100000,"
	  "\"cpu_quota\":50000,\"cpu_shares\":512,\"memory_limit_in_bytes\":268435456,\"oom_score_adj\":999,"
	  "\"hugepage_limits\":[{\"page_size\":\"2MB\"}],\"unified\":{\"a\":\"b\",\"memory.high\":\"1\"}}}}",
	  { .pid = 1234, .created_at = 1500000000000000001, .started_at = 1500000001000000002,
	    .resources = "{\"linux\":{\"cpu_period\":100000,\"cpu_quota\":50000,\"cpu_shares\":512,"
			 "\"memory_limit_in_bytes\":268435456,\"oom_score_adj\":999,"
			 "\"hugepage_limits\":[{\"page_size\":\"2MB\"}],\"unified\":{\"a\":\"b\",\"memory.high\":\"1\"}}}" } },
	{ "E18 B3",
	  "{\"Version\":\"v1\",\"Pid\":0,\"CreatedAt\":1500000000000000001,\"StartedAt\":1500000001000000002,"
	  "\"FinishedAt\":1500000002000000003,\"ExitCode\":137,\"Reason\":\"OOMKilled\","
	  "\"Message\":\"a\\u003cb\\u003e\\u0026\\\"c\\\"\\n\\u2028\xc3\xa9\\ufffd/\",\"Resources\":null}",
	  { .created_at = 1500000000000000001, .started_at = 1500000001000000002, .finished_at = 1500000002000000003,
	    .exit_code = 137, .reason = "OOMKilled", .message = "a<b>&\"c\"\n\xe2\x80\xa8\xc3\xa9\xff/" } },
	{ "E18 B4",
	  "{\"Version\":\"v1\",\"Pid\":4294967295,\"CreatedAt\":-9223372036854775808,\"StartedAt\":9223372036854775807,"
	  "\"FinishedAt\":0,\"ExitCode\":-2147483648,\"Reason\":\"\",\"Message\":\"\",\"Resources\":null}",
	  { .pid = UINT32_MAX, .created_at = INT64_MIN, .started_at = INT64_MAX, .exit_code = INT32_MIN } },
	{ "E18 B5",
	  "{\"Version\":\"v1\",\"Pid\":0,\"CreatedAt\":0,\"StartedAt\":0,\"FinishedAt\":0,\"ExitCode\":255,"
	  "\"Reason\":\"Unknown\",\"Message\":\"\",\"Resources\":null}",
	  { .exit_code = 255, .reason = "Unknown" } },
	{ "E18 B6",
	  "{\"Version\":\"v1\",\"Pid\":0,\"CreatedAt\":1,\"StartedAt\":0,\"FinishedAt\":0,\"ExitCode\":0,\"Reason\":\"\","
	  "\"Message\":\"\",\"Resources\":{}}",
	  { .created_at = 1, .resources = "{}" } },
};
enum { GOOD = 0 }; /* any line will do where "good" is asked for */

static const struct stamp our_stamp = { .present = true, .id = "test-id", .revision = 42, .created = 7 };

static struct slice slice_of(const char *text)
{
	return (struct slice){ text, strlen(text) };
}

/* Decode; -EBADMSG or 0.  The target must be untouched by a refusal. */
static int decode(struct slice file, struct arena *arena, struct status *ret, struct stamp *ret_stamp)
{
	const struct status before = { .pid = 99, .reason = "before", .message = "before", .removing = true };
	struct status s = before;
	struct stamp stamp = { .id = "before", .revision = 99 };
	struct err err = { 0 };
	int r = codec_status_from_disk(file, arena, &s, &stamp, &err);

	if (r < 0) {
		ck_assert_int_eq(r, err.code);
		ck_assert_str_ne(err.text, "");
		ck_assert(status_equal(&s, &before));
		ck_assert_str_eq(stamp.id, "before");
		return r;
	}
	*ret = s;
	*ret_stamp = stamp;
	return 0;
}

static struct status expect_good(const char *text, struct arena *arena)
{
	struct status s;
	struct stamp stamp;

	ck_assert_msg(decode(slice_of(text), arena, &s, &stamp) == 0, "refused: %s", text);
	return s;
}

static void expect_refused(struct slice file)
{
	auto_arena struct arena arena = ARENA;
	struct status s;
	struct stamp stamp;
	int r = decode(file, &arena, &s, &stamp);

	ck_assert_msg(r == -EBADMSG, "not refused (%d): %.*s", r, (int)file.len, file.at);
}

/* The file of a status, in the arena. */
static const char *written(const struct status *s, const struct stamp *stamp, struct arena *arena)
{
	auto_buf struct buf b = BUF(1 << 20);
	const char *text;

	ck_assert_int_eq(codec_status_to_disk(&b, s, stamp), 0);
	text = arena_copy(arena, b.at, b.len);
	ck_assert_ptr_nonnull(text);
	return text;
}

/* Without our members and the newline: what containerd would have written. */
static const char *stripped(const char *file, const char *first_of_ours, struct arena *arena)
{
	const char *ours = strstr(file, first_of_ours);
	const char *text;

	ck_assert_ptr_nonnull(ours);
	ck_assert_int_eq(file[strlen(file) - 1], '\n');
	text = arena_printf(arena, "%.*s}", (int)(ours - file), file);
	ck_assert_ptr_nonnull(text);
	return text;
}

static struct status repaired(const struct line *l)
{
	struct status s = unit_status(l->status);

	if (strchr(s.message, '\xff'))
		s.message = "a<b>&\"c\"\n\xe2\x80\xa8\xc3\xa9\xef\xbf\xbd/";
	return s;
}

/* A decoder that knows containerd's keys alone. */
static void expect_read_by_others(const char *file, const struct status *s)
{
	json_t *j = json_loads(file, 0, NULL), *resources = json_object_get(j, "Resources");
	char *text = json_is_null(resources) ? NULL : json_dumps(resources, JSON_COMPACT);

	ck_assert_ptr_nonnull(j);
	ck_assert_str_eq(json_string_value(json_object_get(j, "Version")), "v1");
	ck_assert_int_eq(json_integer_value(json_object_get(j, "Pid")), s->pid);
	ck_assert_int_eq(json_integer_value(json_object_get(j, "CreatedAt")), s->created_at);
	ck_assert_int_eq(json_integer_value(json_object_get(j, "StartedAt")), s->started_at);
	ck_assert_int_eq(json_integer_value(json_object_get(j, "FinishedAt")), s->finished_at);
	ck_assert_int_eq(json_integer_value(json_object_get(j, "ExitCode")), s->exit_code);
	ck_assert_str_eq(json_string_value(json_object_get(j, "Reason")), s->reason);
	ck_assert_str_eq(json_string_value(json_object_get(j, "Message")), s->message);
	ck_assert(s->resources ? text && !strcmp(text, s->resources) : !text);
	free(text);
	json_decref(j);
}

/* E18 for each line: from its values, identical bytes; the file as written reads equal, here and elsewhere. */
START_TEST(line_from_values)
{
	auto_arena struct arena arena = ARENA;
	const struct line *l = &lines[_i];
	const struct status s = unit_status(l->status);
	const char *file = written(&s, &our_stamp, &arena);
	struct status again = expect_good(file, &arena), expected = repaired(l);

	ck_assert_str_eq(stripped(file, ",\"Id\":", &arena), l->bytes);
	unit_expect_status(l->name, &again, expected);
	expect_read_by_others(file, &expected);
	again = expect_good(l->bytes, &arena);
	unit_expect_status(l->name, &again, expected);
}
END_TEST

START_TEST(E1_transient_flags_are_not_kept)
{
	auto_arena struct arena arena = ARENA;
	struct status s = { .pid = 1234, .created_at = 1, .started_at = 2, .finished_at = 3, .exit_code = 1,
			    .reason = "test-reason", .message = "test-message", .removing = true, .unknown = true };
	struct status again = expect_good(written(&s, &our_stamp, &arena), &arena);

	s.removing = s.unknown = false;
	unit_expect_status("E1", &again, s);
}
END_TEST

/* Documents that are refused, by vector. */
static const struct {
	const char *name, *text;
} refused[] = {
	{ "E2", "{\"Version\":\"random-test-version\"}" },
	{ "E3 absent", "{\"Pid\":1}" },
	{ "E3 empty", "{\"Version\":\"\"}" },
	{ "E3 V1", "{\"Version\":\"V1\"}" },
	{ "E3 no member", "{}" },
	{ "E3 null document", "null" },
	{ "E3 null", "{\"Version\":null}" },
	{ "E4 number", "{\"Version\":1}" },
	{ "E4 array", "[]" },
	{ "E4 string", "\"v1\"" },
	{ "E5 empty", "" },
	{ "E13 Pid -1", "{\"Version\":\"v1\",\"Pid\":-1}" },
	{ "E13 Pid 4294967296", "{\"Version\":\"v1\",\"Pid\":4294967296}" },
	{ "E13 Pid a string", "{\"Version\":\"v1\",\"Pid\":\"7\"}" },
	{ "E13 ExitCode 1.0", "{\"Version\":\"v1\",\"ExitCode\":1.0}" },
	{ "E13 ExitCode 1e0", "{\"Version\":\"v1\",\"ExitCode\":1e0}" },
	{ "E13 ExitCode 2147483648", "{\"Version\":\"v1\",\"ExitCode\":2147483648}" },
	{ "E13 ExitCode -2147483649", "{\"Version\":\"v1\",\"ExitCode\":-2147483649}" },
	{ "E13 CreatedAt 9223372036854775808", "{\"Version\":\"v1\",\"CreatedAt\":9223372036854775808}" },
	{ "E13 CreatedAt a string", "{\"Version\":\"v1\",\"CreatedAt\":\"1\"}" },
	{ "E13 Reason a number", "{\"Version\":\"v1\",\"Reason\":1}" },
	{ "E13 Resources an array", "{\"Version\":\"v1\",\"Resources\":[]}" },
	{ "E13 Restore a number", "{\"Version\":\"v1\",\"Restore\":1}" },
	{ "E16 byte 0xff", "{\"Version\":\"v1\",\"Reason\":\"a\xff\"}" },
	{ "E16 lone surrogate", "{\"Version\":\"v1\",\"Reason\":\"\\ud800\"}" },
	{ "trailing comma", "{\"Version\":\"v1\",}" },
	{ "two documents", "{\"Version\":\"v1\"}{\"Version\":\"v1\"}" },
};

START_TEST(document_is_refused)
{
	expect_refused(slice_of(refused[_i].text));
}
END_TEST

START_TEST(E5_cut)
{
	expect_refused((struct slice){ lines[GOOD].bytes, 40 });
}
END_TEST

START_TEST(E6_anything_around_it)
{
	auto_arena struct arena arena = ARENA;
	const char *good = lines[GOOD].bytes;

	expect_refused((struct slice){ "\0\0\0\0", 4 });
	expect_refused(slice_of(arena_printf(&arena, "\xef\xbb\xbf%s", good)));
	expect_refused(slice_of(arena_printf(&arena, "%sx", good)));
	expect_refused(slice_of(arena_printf(&arena, "%s%s", good, good)));
	expect_refused((struct slice){ good, strlen(good) + 1 });
}
END_TEST

START_TEST(E7_blanks_around_it)
{
	auto_arena struct arena arena = ARENA;
	struct status s = expect_good(arena_printf(&arena, "%s\n", lines[GOOD].bytes), &arena);

	unit_expect_status("newline", &s, lines[GOOD].status);
	s = expect_good(arena_printf(&arena, " \t\r\n %s \n\t ", lines[GOOD].bytes), &arena);
	unit_expect_status("blanks", &s, lines[GOOD].status);
}
END_TEST

/* Documents that are accepted, and what they say. */
static const struct {
	const char *name, *text;
	struct status status;
} accepted[] = {
	{ "E8", "{\"Version\":\"v1\"}", { 0 } },
	{ "E9", "{\"Version\":\"v1\",\"Later\":{\"Pid\":3,\"a\":[1,{}]},\"Pid\":5}", { .pid = 5 } },
	{ "E10", "{\"Version\":\"v1\",\"Pid\":7,\"Pid\":8}", { .pid = 8 } },
	{ "E11", "{\"Version\":\"v1\",\"pid\":9,\"CREATEDAT\":5}", { .pid = 9, .created_at = 5 } },
	{ "E11 version", "{\"version\":\"v1\",\"pid\":9,\"CREATEDAT\":5}", { .pid = 9, .created_at = 5 } },
	{ "E12", "{\"Version\":\"v1\",\"Pid\":null,\"Reason\":null,\"Resources\":null}", { 0 } },
	{ "E15", "{\"Version\":\"v1\",\"Removing\":true,\"Starting\":true,\"Unknown\":true}", { 0 } },
	{ "E16 escaped NUL", "{\"Version\":\"v1\",\"Reason\":\"a\\u0000b\"}", { .reason = "a\xef\xbf\xbd" "b" } },
	{ "E17 without Resources", "{\"Version\":\"v1\",\"Pid\":1}", { .pid = 1 } },
	{ "E17 null", "{\"Version\":\"v1\",\"Resources\":null}", { 0 } },
	{ "E17 false", "{\"Version\":\"v1\",\"Restore\":false}", { .restore = RESTORE_FALSE } },
	{ "E17 true", "{\"Version\":\"v1\",\"Restore\":true}", { .restore = RESTORE_TRUE } },
	{ "order of members", "{\"Version\":\"v1\",\"Resources\":{\"z\":1,\"a\":{\"c\":2.5,\"b\":[]}}}",
	  { .resources = "{\"z\":1,\"a\":{\"c\":2.5,\"b\":[]}}" } },
	{ "short escapes", "{\"Version\":\"v1\",\"Reason\":\"\\b\\f\\u0008\\/\"}", { .reason = "\b\f\b/" } },
};

START_TEST(document_is_accepted)
{
	auto_arena struct arena arena = ARENA;
	struct status s = expect_good(accepted[_i].text, &arena);

	unit_expect_status(accepted[_i].name, &s, accepted[_i].status);
	ck_assert_int_eq(status_state(&s), status_state(&accepted[_i].status));
	/* What was read is written, and read again as the same. */
	s = expect_good(written(&s, &our_stamp, &arena), &arena);
	unit_expect_status(accepted[_i].name, &s, accepted[_i].status);
}
END_TEST

START_TEST(E14_extremes_round_trip)
{
	auto_arena struct arena arena = ARENA;
	struct status s = expect_good(lines[3].bytes, &arena);

	ck_assert_str_eq(stripped(written(&s, &our_stamp, &arena), ",\"Id\":", &arena), lines[3].bytes);
}
END_TEST

START_TEST(E17_restore_survives_the_next_write)
{
	auto_arena struct arena arena = ARENA;
	struct status s = expect_good("{\"Version\":\"v1\",\"Pid\":0,\"Resources\":null,\"Restore\":false}", &arena);
	const char *file = written(&s, &our_stamp, &arena);

	ck_assert_ptr_nonnull(strstr(file, ",\"Resources\":null,\"Restore\":false,"));
}
END_TEST

/* Go reads ten thousand levels, jansson two: what is deeper was not written by either. */
START_TEST(deep_nesting_is_refused)
{
	auto_buf struct buf b = BUF(1 << 20);

	(void)buf_add_text(&b, "{\"Version\":\"v1\",\"Later\":");
	for (int i = 0; i < 3000; i++)
		(void)buf_add_byte(&b, '[');
	for (int i = 0; i < 3000; i++)
		(void)buf_add_byte(&b, ']');
	(void)buf_add_byte(&b, '}');
	ck_assert_int_eq(b.failed, 0);
	expect_refused((struct slice){ b.at, b.len });
}
END_TEST

/* ---- our members ---- */

START_TEST(stamp_round_trip)
{
	auto_arena struct arena arena = ARENA;
	const struct stamp stamps[] = {
		our_stamp,
		{ .present = true, .id = "a", .revision = INT64_MAX, .created = 1, .transient = true },
	};

	for (size_t i = 0; i < COUNT(stamps); i++) {
		struct status zero = unit_status((struct status){ 0 }), s;
		struct stamp seen;

		ck_assert_int_eq(decode(slice_of(written(&zero, &stamps[i], &arena)), &arena, &s, &seen), 0);
		ck_assert(seen.present);
		ck_assert_str_eq(seen.id, stamps[i].id);
		ck_assert_uint_eq(seen.revision, stamps[i].revision);
		ck_assert_uint_eq(seen.created, stamps[i].created);
		ck_assert(seen.transient == stamps[i].transient);
	}
}
END_TEST

START_TEST(containerd_has_no_stamp)
{
	auto_arena struct arena arena = ARENA;
	struct status s;
	struct stamp seen;

	ck_assert_int_eq(decode(slice_of(lines[1].bytes), &arena, &s, &seen), 0);
	ck_assert(!seen.present);
}
END_TEST

/* Go matches keys in any case: one of ours that equals one of containerd's would be read as it. */
START_TEST(our_keys_are_nobody_elses)
{
	static const char *const theirs[] = { "Version", "Pid", "CreatedAt", "StartedAt", "FinishedAt", "ExitCode", "Reason",
					      "Message", "Resources", "Restore", "Removing", "Starting", "Unknown" };
	static const char *const ours[] = { "Id", "Revision", "Created", "Transient", "Crc32" };

	for (size_t i = 0; i < COUNT(ours); i++)
		for (size_t j = 0; j < COUNT(theirs); j++)
			ck_assert_msg(strcasecmp(ours[i], theirs[j]) != 0, "%s", ours[i]);
}
END_TEST

/* No flipped bit of a stamped file goes unnoticed, nor does a cut. */
START_TEST(every_damaged_bit_is_found)
{
	auto_arena struct arena arena = ARENA;
	const struct status s = unit_status(lines[2].status);
	const char *file = written(&s, &our_stamp, &arena);
	size_t len = strlen(file);
	char *copy = arena_copy(&arena, file, len);

	ck_assert_ptr_nonnull(copy);
	for (size_t i = 0; i < len; i++)
		for (int bit = 0; bit < 8; bit++) {
			copy[i] = (char)(file[i] ^ 1 << bit);
			if (i == len - 1 && strchr(" \t\r", copy[i]))
				continue;
			expect_refused((struct slice){ copy, len });
			copy[i] = file[i];
		}
	for (size_t cut = 0; cut < len; cut++)
		expect_refused((struct slice){ file, cut });
}
END_TEST

START_TEST(stamp_of_a_snapshot)
{
	struct metadata_value m = METADATA_ZERO;
	struct status s = { .created_at = 1, .reason = "", .message = "", .removing = true };
	auto_buf struct buf b = BUF(4096);
	struct container *c;
	struct stamp stamp;

	m.id = "abc";
	c = unit_container(&m, &s, 12);
	stamp = codec_stamp(c);
	ck_assert_str_eq(stamp.id, "abc");
	ck_assert_uint_eq(stamp.revision, 12);
	ck_assert_uint_eq(stamp.created, 12);
	ck_assert(stamp.present && stamp.transient);
	ck_assert_int_eq(codec_checkpoint(&b, c), 0);
	ck_assert_ptr_nonnull(strstr(buf_text(&b), "\"Id\":\"abc\",\"Revision\":12,\"Created\":12,\"Transient\":true,\"Crc32\":\""));
	container_unref(c);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("codec");
	TCase *c;

	for (size_t i = 0; i < COUNT(lines); i++)
		unit_vector(s, lines[i].name, line_from_values, (int)i);
	for (size_t i = 0; i < COUNT(refused); i++)
		unit_vector(s, refused[i].name, document_is_refused, (int)i);
	for (size_t i = 0; i < COUNT(accepted); i++)
		unit_vector(s, accepted[i].name, document_is_accepted, (int)i);
	c = unit_case(s, "status files");
	tcase_add_test(c, E1_transient_flags_are_not_kept);
	tcase_add_test(c, E5_cut);
	tcase_add_test(c, E6_anything_around_it);
	tcase_add_test(c, E7_blanks_around_it);
	tcase_add_test(c, E14_extremes_round_trip);
	tcase_add_test(c, E17_restore_survives_the_next_write);
	tcase_add_test(c, deep_nesting_is_refused);
	c = unit_case(s, "our members");
	tcase_add_test(c, stamp_round_trip);
	tcase_add_test(c, containerd_has_no_stamp);
	tcase_add_test(c, our_keys_are_nobody_elses);
	tcase_add_test(c, every_damaged_bit_is_found);
	tcase_add_test(c, stamp_of_a_snapshot);
	return unit_main(s);
}
