/* The ground floor: buffers, arenas, errors, log lines. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/log.h"
#include "unit.h"

/* ---- buf ---- */

START_TEST(buf_grows_to_its_cap_and_not_beyond)
{
	auto_buf struct buf b = BUF(1000);

	for (int i = 0; i < 1000; i++)
		ck_assert_int_eq(buf_add_byte(&b, 'x'), 0);
	ck_assert_uint_eq(b.len, 1000);
	ck_assert_int_eq(buf_add_byte(&b, 'y'), -EMSGSIZE);
	ck_assert_uint_eq(b.len, 1000);
	ck_assert_int_eq(b.failed, -EMSGSIZE);
	ck_assert_int_eq(buf_add(&b, "", 0), 0);
	ck_assert_int_eq(b.failed, -EMSGSIZE);
	ck_assert_ptr_null(buf_text(&b));
	buf_reset(&b);
	ck_assert_int_eq(b.failed, 0);
	ck_assert_int_eq(buf_add_text(&b, "again"), 0);
	ck_assert_str_eq(buf_text(&b), "again");
}
END_TEST

START_TEST(buf_refusal_changes_nothing)
{
	auto_buf struct buf b = BUF(8);

	ck_assert_int_eq(buf_add_text(&b, "abc"), 0);
	ck_assert_int_eq(buf_add_text(&b, "defghi"), -EMSGSIZE);
	ck_assert_int_eq(buf_addf(&b, "%s", "defghi"), -EMSGSIZE);
	ck_assert_int_eq(buf_add_zeros(&b, 6), -EMSGSIZE);
	ck_assert_int_eq(buf_reserve(&b, SIZE_MAX), -EMSGSIZE);
	ck_assert_str_eq(buf_text(&b), "abc");
}
END_TEST

START_TEST(buf_numbers)
{
	static const struct {
		int64_t n;
		const char *text;
	} rows[] = { { 0, "0" }, { -1, "-1" }, { 9, "9" }, { 10, "10" }, { INT64_MAX, "9223372036854775807" },
		     { INT64_MIN, "-9223372036854775808" } };
	auto_buf struct buf b = BUF(100);

	for (size_t i = 0; i < COUNT(rows); i++) {
		buf_reset(&b);
		ck_assert_int_eq(buf_add_i64(&b, rows[i].n), 0);
		ck_assert_str_eq(buf_text(&b), rows[i].text);
	}
	buf_reset(&b);
	ck_assert_int_eq(buf_add_u64(&b, UINT64_MAX), 0);
	ck_assert_str_eq(buf_text(&b), "18446744073709551615");
}
END_TEST

START_TEST(buf_formats_long_texts)
{
	auto_buf struct buf b = BUF(10000);
	char text[3000];

	memset(text, 'a', sizeof text - 1);
	text[sizeof text - 1] = '\0';
	ck_assert_int_eq(buf_addf(&b, "%s-%d", text, 7), 0);
	ck_assert_uint_eq(b.len, sizeof text - 1 + 2);
	ck_assert_str_eq(buf_text(&b) + sizeof text - 1, "-7");
	ck_assert_int_eq(buf_add_zeros(&b, 3), 0);
	ck_assert_int_eq(memcmp(b.at + b.len - 3, "\0\0\0", 3), 0);
}
END_TEST

START_TEST(buf_is_taken)
{
	struct buf b = BUF(100);
	size_t len = 9;
	char *at;

	ck_assert_ptr_null(buf_take(&b, &len));
	ck_assert_uint_eq(len, 0);
	ck_assert_int_eq(buf_add_text(&b, "abc"), 0);
	at = buf_take(&b, &len);
	ck_assert_uint_eq(len, 3);
	ck_assert_int_eq(memcmp(at, "abc", 3), 0);
	ck_assert_uint_eq(b.len, 0);
	ck_assert_ptr_null(b.at);
	ck_assert_uint_eq(b.cap, 100);
	free(at);
}
END_TEST

/* ---- arena ---- */

START_TEST(arena_keeps_everything)
{
	auto_arena struct arena a = ARENA;
	char *texts[1000];

	for (int i = 0; i < 1000; i++) {
		texts[i] = arena_printf(&a, "%d:%0*d", i, i, 0);
		ck_assert_ptr_nonnull(texts[i]);
		ck_assert_uint_eq((uintptr_t)texts[i] % 16, 0);
	}
	for (int i = 0; i < 1000; i++)
		ck_assert_int_eq(atoi(texts[i]), i);
	ck_assert_str_eq(arena_copy(&a, "abcdef", 3), "abc");
	ck_assert_str_eq(arena_copy(&a, "", 0), "");
	ck_assert_ptr_nonnull(arena_alloc(&a, 1 << 20));
	ck_assert_ptr_null(arena_alloc(&a, SIZE_MAX));
}
END_TEST

START_TEST(arena_can_be_used_again)
{
	struct arena a = ARENA;

	arena_reset(&a);
	arena_free(&a);
	for (int i = 0; i < 100; i++) {
		ck_assert_ptr_nonnull(arena_alloc(&a, i % 2 ? 100 : 100000));
		ck_assert_ptr_nonnull(arena_alloc(&a, 3000));
		arena_reset(&a);
	}
	ck_assert_str_eq(arena_printf(&a, "%s", "still"), "still");
	arena_free(&a);
	ck_assert_ptr_null(a.newest);
}
END_TEST

/* ---- err ---- */

START_TEST(err_tells_what_and_why)
{
	struct err e = { 0 };

	ck_assert_int_eq(err_set(&e, -ENOENT, "open %s", "status"), -ENOENT);
	ck_assert_int_eq(e.code, -ENOENT);
	ck_assert_str_eq(e.text, "open status: No such file or directory");
	ck_assert_int_eq(err_wrap(&e, "load %d", 7), -ENOENT);
	ck_assert_str_eq(e.text, "load 7: open status: No such file or directory");
	ck_assert_int_eq(err_say(&e, -EBADMSG, "cut at %d", 3), -EBADMSG);
	ck_assert_str_eq(e.text, "cut at 3");
}
END_TEST

START_TEST(err_shows_a_cut)
{
	struct err e = { 0 };
	char text[1000];

	memset(text, 'a', sizeof text - 1);
	text[sizeof text - 1] = '\0';
	ck_assert_int_eq(err_set(&e, -EIO, "%s", text), -EIO);
	ck_assert_uint_eq(strlen(e.text), sizeof e.text - 1);
	ck_assert_str_eq(e.text + sizeof e.text - 4, "...");
	ck_assert_int_eq(err_say(&e, -EIO, "short"), -EIO);
	ck_assert_int_eq(err_wrap(&e, "%.*s", (int)sizeof e.text - 4, text), -EIO);
	ck_assert_str_eq(e.text + sizeof e.text - 4, "...");
}
END_TEST

/* ---- log ---- */

/* What one call writes on standard error, without its newline. */
static char *logged(enum log_level level, const char *message, const struct log_field *fields)
{
	static char line[8192];
	int fds[2], before = dup(STDERR_FILENO);
	ssize_t n;

	ck_assert_int_eq(pipe(fds), 0);
	ck_assert_int_ge(dup2(fds[1], STDERR_FILENO), 0);
	(void)close(fds[1]);
	log_write(level, message, fields);
	ck_assert_int_ge(dup2(before, STDERR_FILENO), 0); /* closes the pipe's end: a read of nothing does not wait */
	(void)close(before);
	n = read(fds[0], line, sizeof line - 1);
	(void)close(fds[0]);
	ck_assert_int_ge((int)n, 0);
	line[n] = '\0';
	ck_assert(n == 0 || line[n - 1] == '\n');
	if (n > 0)
		line[n - 1] = '\0';
	return line;
}

static const char *behind_the_time(const char *line)
{
	ck_assert_int_eq(strncmp(line, "time=", 5), 0);
	ck_assert_int_eq(line[5 + 24], ' ');
	ck_assert_int_eq(line[5 + 23], 'Z');
	return line + 5 + 25;
}

START_TEST(log_line)
{
	const struct log_field fields[] = { LOG_NUMBER("containers", 3), LOG_TEXT("root", "/var/lib/t"), LOG_TEXT("empty", ""), { 0 } };

	ck_assert_str_eq(behind_the_time(logged(LOG_INFO, "store loaded", fields)),
			 "level=info msg=\"store loaded\" containers=3 root=/var/lib/t empty=\"\"");
}
END_TEST

/* No value can end its quotes, begin a line or look like another field. */
START_TEST(log_cannot_be_forged)
{
	const struct log_field fields[] = { LOG_TEXT("id", "a\nlevel=error msg=\"x\""), LOG_TEXT("k", "a=b"),
					    LOG_TEXT("b", "\\\x7f\x1b"), { 0 } };
	const char *line = logged(LOG_WARN, "m", fields);

	ck_assert_ptr_null(strchr(line, '\n'));
	ck_assert_str_eq(behind_the_time(line),
			 "level=warn msg=m id=\"a\\x0alevel=error msg=\\\"x\\\"\" k=\"a=b\" b=\"\\\\\\x7f\\x1b\"");
}
END_TEST

START_TEST(log_long_line_is_one_line)
{
	char text[10000];
	const struct log_field fields[] = { LOG_TEXT("a", text), LOG_TEXT("b", "after"), { 0 } };

	memset(text, 'a', sizeof text - 1);
	text[sizeof text - 1] = '\0';
	ck_assert_uint_lt(strlen(logged(LOG_ERROR, "m", fields)), 4096);
}
END_TEST

START_TEST(log_levels)
{
	const struct log_field none[] = { { 0 } };

	ck_assert_int_eq(log_level_parse("debug"), LOG_DEBUG);
	ck_assert_int_eq(log_level_parse("error"), LOG_ERROR);
	ck_assert_int_eq(log_level_parse("loud"), -1);
	ck_assert_str_eq(log_level_name(LOG_WARN), "warn");
	ck_assert(!log_wants(LOG_DEBUG));
	ck_assert_str_eq(logged(LOG_DEBUG, "m", none), "");
	log_set_level(LOG_DEBUG);
	ck_assert_str_eq(behind_the_time(logged(LOG_DEBUG, "m", none)), "level=debug msg=m");
	log_set_level(LOG_ERROR);
	ck_assert(!log_wants(LOG_WARN));
	ck_assert(log_wants(LOG_ERROR));
}
END_TEST

int main(void)
{
	Suite *s = suite_create("base");
	TCase *c = unit_case(s, "buf");

	tcase_add_test(c, buf_grows_to_its_cap_and_not_beyond);
	tcase_add_test(c, buf_refusal_changes_nothing);
	tcase_add_test(c, buf_numbers);
	tcase_add_test(c, buf_formats_long_texts);
	tcase_add_test(c, buf_is_taken);
	c = unit_case(s, "arena");
	tcase_add_test(c, arena_keeps_everything);
	tcase_add_test(c, arena_can_be_used_again);
	c = unit_case(s, "err");
	tcase_add_test(c, err_tells_what_and_why);
	tcase_add_test(c, err_shows_a_cut);
	c = unit_case(s, "log");
	tcase_add_test(c, log_line);
	tcase_add_test(c, log_cannot_be_forged);
	tcase_add_test(c, log_long_line_is_one_line);
	tcase_add_test(c, log_levels);
	return unit_main(s);
}
