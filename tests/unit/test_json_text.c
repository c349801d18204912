/* Strings as Go's encoder writes them. */
#include <jansson.h>
#include <string.h>

#include "container/json_text.h"
#include "unit.h"

static const struct {
	const char *text, *json;
} pairs[] = {
	{ "", "\"\"" },
	{ "plain", "\"plain\"" },
	{ "a\"b\\c/", "\"a\\\"b\\\\c/\"" },
	{ "<>&", "\"\\u003c\\u003e\\u0026\"" },
	{ "\n\r\t\b\f", "\"\\n\\r\\t\\b\\f\"" },
	{ "\x01\x1f\x0b", "\"\\u0001\\u001f\\u000b\"" },
	{ "\x7f", "\"\x7f\"" },
	{ "\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80", "\"\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80\"" },
	{ "\xe2\x80\xa8\xe2\x80\xa9", "\"\\u2028\\u2029\"" },
	{ "\xe2\x80\xa7\xe2\x80\xaa", "\"\xe2\x80\xa7\xe2\x80\xaa\"" },
	{ "\xef\xbf\xbd", "\"\xef\xbf\xbd\"" },
	/* each byte that begins no character by itself */
	{ "\xff", "\"\\ufffd\"" },
	{ "a\x80z", "\"a\\ufffdz\"" },
	{ "\xc3", "\"\\ufffd\"" },
	{ "\xc3(", "\"\\ufffd(\"" },
	{ "\xc0\xaf", "\"\\ufffd\\ufffd\"" },
	{ "\xe2\x80", "\"\\ufffd\\ufffd\"" },
	{ "\xe0\x80\x80", "\"\\ufffd\\ufffd\\ufffd\"" },
	{ "\xed\xa0\x80", "\"\\ufffd\\ufffd\\ufffd\"" }, /* a surrogate */
	{ "\xf4\x90\x80\x80", "\"\\ufffd\\ufffd\\ufffd\\ufffd\"" }, /* above U+10FFFF */
	{ "\xf0\x9f\x98", "\"\\ufffd\\ufffd\\ufffd\"" },
	{ "\xf4\x8f\xbf\xbf", "\"\xf4\x8f\xbf\xbf\"" },
};

START_TEST(as_go_writes_it)
{
	auto_buf struct buf b = BUF(1024);

	ck_assert_int_eq(json_text_add(&b, pairs[_i].text), 0);
	ck_assert_str_eq(buf_text(&b), pairs[_i].json);
}
END_TEST

/* Whatever the bytes, the result is JSON, and without invalid bytes it reads back as it was. */
START_TEST(any_two_bytes)
{
	auto_buf struct buf b = BUF(1024);

	for (int first = 1; first < 256; first++)
		for (int second = 1; second < 256; second++) {
			const char text[3] = { (char)first, (char)second, '\0' };
			json_t *j;

			buf_reset(&b);
			ck_assert_int_eq(json_text_add(&b, text), 0);
			j = json_loadb(b.at, b.len, JSON_DECODE_ANY, NULL);
			ck_assert_msg(j, "%02x %02x", first, second);
			if (first < 0x80 && second < 0x80)
				ck_assert_str_eq(json_string_value(j), text);
			ck_assert_ptr_null(memchr(b.at, '<', b.len));
			json_decref(j);
		}
}
END_TEST

START_TEST(key)
{
	auto_buf struct buf b = BUF(1024), small = BUF(3);

	ck_assert_int_eq(json_key_add(&b, "createdAt"), 0);
	ck_assert_str_eq(buf_text(&b), "\"createdAt\":");
	ck_assert_int_lt(json_key_add(&small, "createdAt"), 0);
	ck_assert_int_lt(json_text_add(&small, "createdAt"), 0);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("json_text");
	TCase *c = unit_case(s, "json_text");

	tcase_add_loop_test(c, as_go_writes_it, 0, (int)COUNT(pairs));
	tcase_add_test(c, any_two_bytes);
	tcase_add_test(c, key);
	return unit_main(s);
}
