/* Opaque values come back as they were: numbers in their shortest form, members in their order, strings as Go writes them. */
#include <jansson.h>
#include <string.h>

#include "container/json_value.h"
#include "unit.h"

/* What comes back just so. */
static const char *const kept[] = {
	"{}", "[]", "null", "true", "false", "\"\"", "0", "-1", "9223372036854775807", "-9223372036854775808",
	"0.1", "-0.5", "1.5", "0.30000000000000004", "1.7976931348623157e+308", "1.0", "-0.0", "100000.0", "1e+22",
	"{\"z\":1,\"a\":{\"c\":[1,2.5,null,{\"d\":[]}],\"b\":true}}", "[[[[[[\"deep\"]]]]]]",
	"\"\\u003ca\\u003e\\u0026 \\\"b\\\" \\\\ \\n\\u2028 \xc3\xa9 \xf0\x9f\x98\x80 /\"", "{\"\":0,\" \":1,\"\\u003c\":2}",
};

/* What comes back in another form of the same value. */
static const struct {
	const char *from, *to;
} changed[] = {
	{ " [ 1 , 2 ] ", "[1,2]" },
	{ "1e3", "1000.0" },
	{ "0.10000000000000001", "0.1" },
	{ "-0", "0" },
	{ "\"\\u00e9\\/\\u0041\"", "\"\xc3\xa9/A\"" },
	{ "\"\\ud83d\\ude00\"", "\"\xf0\x9f\x98\x80\"" },
	/* C text cannot hold it; nothing behind it may be lost */
	{ "\"a\\u0000b\"", "\"a\xef\xbf\xbd" "b\"" },
};

static void expect(const char *from, const char *to)
{
	auto_arena struct arena arena = ARENA;
	json_t *j = json_loads(from, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
	size_t len = 0;
	const char *text;

	ck_assert_msg(j, "%s", from);
	text = json_compact(j, &arena, &len);
	ck_assert_ptr_nonnull(text);
	ck_assert_str_eq(text, to);
	ck_assert_uint_eq(len, strlen(to));
	ck_assert_ptr_nonnull(json_compact(j, &arena, NULL));
	json_decref(j);
}

START_TEST(comes_back_as_it_was)
{
	expect(kept[_i], kept[_i]);
}
END_TEST

START_TEST(comes_back_as_the_same_value)
{
	expect(changed[_i].from, changed[_i].to);
	expect(changed[_i].to, changed[_i].to);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("json_value");
	TCase *c = unit_case(s, "json_value");

	tcase_add_loop_test(c, comes_back_as_it_was, 0, (int)COUNT(kept));
	tcase_add_loop_test(c, comes_back_as_the_same_value, 0, (int)COUNT(changed));
	return unit_main(s);
}
