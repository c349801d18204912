/* Moments as text and back: every int64 has a text, and only real moments are read. */
#include <string.h>

#include "container/timestamp.h"
#include "unit.h"

static const struct {
	int64_t ns;
	const char *text;
} pairs[] = {
	{ 0, "1970-01-01T00:00:00.000000000Z" },
	{ 1, "1970-01-01T00:00:00.000000001Z" },
	{ -1, "1969-12-31T23:59:59.999999999Z" },
	{ -1000000000, "1969-12-31T23:59:59.000000000Z" },
	{ 1787479200123456789, "2026-08-23T10:00:00.123456789Z" },
	{ 951782400000000000, "2000-02-29T00:00:00.000000000Z" },
	{ 951868800000000000, "2000-03-01T00:00:00.000000000Z" },
	{ 4107542399999999999, "2100-02-28T23:59:59.999999999Z" },
	{ 4107542400000000000, "2100-03-01T00:00:00.000000000Z" },
	{ INT64_MAX, "2262-04-11T23:47:16.854775807Z" },
	{ INT64_MIN, "1677-09-21T00:12:43.145224192Z" },
	{ INT64_MIN + 1, "1677-09-21T00:12:43.145224193Z" },
};

START_TEST(format_and_back)
{
	char text[TIMESTAMP_LEN + 1];
	int64_t ns = 1;

	timestamp_format(pairs[_i].ns, text);
	ck_assert_str_eq(text, pairs[_i].text);
	ck_assert(timestamp_parse(text, strlen(text), &ns));
	ck_assert_int_eq(ns, pairs[_i].ns);
}
END_TEST

/* A walk over the whole range with an odd step. */
START_TEST(every_moment_round_trips)
{
	int64_t step = INT64_C(3600000000000) * 24 * 11 + 123456789, ns = INT64_MIN;

	do {
		char text[TIMESTAMP_LEN + 1];
		int64_t again;

		timestamp_format(ns, text);
		ck_assert_uint_eq(strlen(text), TIMESTAMP_LEN);
		ck_assert_msg(timestamp_parse(text, TIMESTAMP_LEN, &again) && again == ns, "%s", text);
	} while (!__builtin_add_overflow(ns, step, &ns));
}
END_TEST

static const struct {
	const char *text;
	int64_t ns;
} read_also[] = {
	{ "1970-01-01T00:00:00Z", 0 },
	{ "1970-01-01t00:00:00z", 0 },
	{ "1970-01-01T00:00:00.5Z", 500000000 },
	{ "1970-01-01T00:00:00.000000001Z", 1 },
	{ "1970-01-01T01:00:00+01:00", 0 },
	{ "1969-12-31T23:30:00-00:30", 0 },
	{ "1970-01-02T00:00:00+23:59", 60000000000 },
	{ "2026-08-23T12:00:00.123456789+02:00", 1787479200123456789 },
	{ "2016-12-31T23:59:60Z", 1483228800000000000 }, /* a leap second is the second after */
	{ "0", 0 },
	{ "-1", -1 },
	{ "1787479200123456789", 1787479200123456789 },
	{ "9223372036854775807", INT64_MAX },
	{ "-9223372036854775808", INT64_MIN },
};

START_TEST(other_texts)
{
	int64_t ns = 99;

	ck_assert_msg(timestamp_parse(read_also[_i].text, strlen(read_also[_i].text), &ns), "%s", read_also[_i].text);
	ck_assert_int_eq(ns, read_also[_i].ns);
}
END_TEST

static const char *const no_moments[] = {
	"", " ", "-", "+1", "1 ", " 1", "1.0", "1e3", "0x10", "9223372036854775808", "-9223372036854775809", "now", "2026-",
	"2026-08-23", "2026-08-23T10:00Z", "2026-08-23T10:00:00", "2026-08-23T10:00:00.Z", "2026-08-23T10:00:00.1234567890Z",
	"2026-08-23T10:00:00,5Z", "2026-08-23T24:00:00Z", "2026-08-23T23:60:00Z", "2026-08-23T23:59:61Z",
	"2026-02-29T00:00:00Z", "2100-02-29T00:00:00Z", "2026-04-31T00:00:00Z", "2026-13-01T00:00:00Z",
	"2026-00-01T00:00:00Z", "2026-01-00T00:00:00Z", "26-01-01T00:00:00Z", "12026-01-01T00:00:00Z",
	"2026-08-23T10:00:00+02", "2026-08-23T10:00:00+0200", "2026-08-23T10:00:00+24:00", "2026-08-23T10:00:00+02:60",
	"2026-08-23T10:00:00ZZ", "2026-08-23T10:00:00 Z", "2026-8-23T10:00:00Z", "2026/08/23T10:00:00Z",
	/* beyond what int64 nanoseconds hold */
	"2262-04-11T23:47:16.854775808Z", "1677-09-21T00:12:43.145224191Z", "9999-12-31T23:59:59Z", "0000-01-01T00:00:00Z",
	"0001-01-01T00:00:00Z",
};

START_TEST(not_a_moment)
{
	int64_t ns = 99;

	ck_assert_msg(!timestamp_parse(no_moments[_i], strlen(no_moments[_i]), &ns), "%s", no_moments[_i]);
	ck_assert_int_eq(ns, 99);
}
END_TEST

/* The length counts, not a NUL: what lies behind is not looked at, and a NUL inside is no digit. */
START_TEST(length_is_what_counts)
{
	int64_t ns = 0;

	ck_assert(timestamp_parse("1970-01-01T00:00:00Zjunk", 20, &ns));
	ck_assert(timestamp_parse("123", 2, &ns));
	ck_assert_int_eq(ns, 12);
	ck_assert(!timestamp_parse("1970-01-01T00:00:00Z", 19, &ns));
	ck_assert(!timestamp_parse("12\0", 3, &ns));
	ck_assert(!timestamp_parse("1970-01-01T00:00:00Z\0", 21, &ns));
}
END_TEST

int main(void)
{
	Suite *s = suite_create("timestamp");
	TCase *c = unit_case(s, "timestamp");

	tcase_add_loop_test(c, format_and_back, 0, (int)COUNT(pairs));
	tcase_add_loop_test(c, other_texts, 0, (int)COUNT(read_also));
	tcase_add_loop_test(c, not_a_moment, 0, (int)COUNT(no_moments));
	tcase_add_test(c, every_moment_round_trips);
	tcase_add_test(c, length_is_what_counts);
	return unit_main(s);
}
