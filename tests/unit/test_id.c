/* What may name a container, and so a directory. */
#include <string.h>

#include "container/id.h"
#include "unit.h"

START_TEST(valid)
{
	static const char *const ids[] = { "a", "Z", "0", "web-1", "a.b_c-d", "a..b", "a-", "a.", "1.status", "CON",
					   "99b36c2c326ccc11e726eee6ee78a0baf166ef96" };
	char longest[ID_MAX + 1];

	for (size_t i = 0; i < COUNT(ids); i++)
		ck_assert_msg(id_is_valid(ids[i], strlen(ids[i])), "%s", ids[i]);
	memset(longest, 'x', sizeof longest);
	ck_assert(id_is_valid(longest, ID_MAX));
	ck_assert(!id_is_valid(longest, ID_MAX + 1));
}
END_TEST

START_TEST(invalid)
{
	static const char *const ids[] = { "", ".", "..", "...", ".a", "-a", "_a", "a b", " a", "a ", "a/b", "/", "a\\b", "a\n",
					   "a:b", "a+b", "a%2Fb", "\xc3\xa4", "a\xff", "~a", "a*" };

	for (size_t i = 0; i < COUNT(ids); i++)
		ck_assert_msg(!id_is_valid(ids[i], strlen(ids[i])), "%s", ids[i]);
	ck_assert(!id_is_valid("a\0b", 3));
	ck_assert(!id_is_valid("\0", 1));
	ck_assert(id_is_valid("ab c", 2));
}
END_TEST

/* Every byte, alone and behind a letter. */
START_TEST(every_byte)
{
	for (int c = 0; c < 256; c++) {
		const char one = (char)c, two[2] = { 'a', (char)c };
		bool alphanumeric = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');

		ck_assert_msg(id_is_valid(&one, 1) == alphanumeric, "byte %d", c);
		ck_assert_msg(id_is_valid(two, 2) == (alphanumeric || c == '_' || c == '.' || c == '-'), "byte %d", c);
	}
}
END_TEST

START_TEST(generated)
{
	char a[ID_GENERATED + 1], b[ID_GENERATED + 1];

	ck_assert_int_eq(id_generate(a), 0);
	ck_assert_int_eq(id_generate(b), 0);
	ck_assert_uint_eq(strlen(a), ID_GENERATED);
	ck_assert_uint_eq(strspn(a, "0123456789abcdef"), ID_GENERATED);
	ck_assert(id_is_valid(a, ID_GENERATED));
	ck_assert_str_ne(a, b);
}
END_TEST

/* FNV-1a with 64 bits, by its published test values: the journal's account of live ids rests on it. */
START_TEST(hash)
{
	ck_assert_uint_eq(id_hash(""), UINT64_C(0xcbf29ce484222325));
	ck_assert_uint_eq(id_hash("a"), UINT64_C(0xaf63dc4c8601ec8c));
	ck_assert_uint_eq(id_hash("foobar"), UINT64_C(0x85944171f73967e8));
}
END_TEST

int main(void)
{
	Suite *s = suite_create("id");
	TCase *c = unit_case(s, "id");

	tcase_add_test(c, valid);
	tcase_add_test(c, invalid);
	tcase_add_test(c, every_byte);
	tcase_add_test(c, generated);
	tcase_add_test(c, hash);
	return unit_main(s);
}
