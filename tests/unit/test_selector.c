/* The grammar of label selectors, whom they match, and what a refusal says. */
#include <string.h>

#include "base/buf.h"
#include "container/selector.h"
#include "unit.h"

/* ---- whom they match ---- */

/* Labels as "key=value key=value". */
static struct metadata *labelled(const char *text, struct arena *arena)
{
	struct metadata_value v = METADATA_ZERO;
	struct label *labels = arena_alloc(arena, 16 * sizeof *labels);
	char *copy = arena_copy(arena, text, strlen(text)), *word, *rest = copy;
	struct metadata *m;

	ck_assert(labels && copy);
	v.id = "a";
	v.labels = labels;
	while ((word = strtok_r(rest, " ", &rest))) {
		char *equals = strchr(word, '=');

		*equals = '\0';
		labels[v.label_count++] = (struct label){ word, equals + 1 };
	}
	m = metadata_new(&v, 1);
	ck_assert_ptr_nonnull(m);
	return m;
}

static const struct {
	const char *selector, *labels;
	bool matches;
} matches[] = {
	{ "", "", true },
	{ "", "a=b", true },
	{ " \t\n ", "a=b", true },
	/* equality */
	{ "a=b", "a=b", true },
	{ "a=b", "a=c", false },
	{ "a=b", "", false },
	{ "a==b", "a=b", true },
	{ "a == b", "a=b", true },
	{ "a=b", "a=b c=d", true },
	{ "a=", "a=", true },
	{ "a=", "a=b", false },
	{ "a=", "", false },
	{ "a==", "a=", true },
	{ "a=,c=d", "a= c=d", true },
	{ "a= ,c= ", "a= c=", true },
	{ "a!=b", "a=c", true },
	{ "a!=b", "a=b", false },
	{ "a!=b", "", true },
	{ "a!=", "a=b", true },
	{ "a!=", "a=", false },
	{ "a=B", "a=b", false },
	/* sets */
	{ "a in (b,c)", "a=b", true },
	{ "a in (c,b)", "a=c", true },
	{ "a in (b,c)", "a=d", false },
	{ "a in (b,c)", "", false },
	{ "a in (b)", "a=b", true },
	{ "a in(b)", "a=b", true },
	{ "a\tin\n(\r b , c )", "a=c", true },
	{ "a in (b,b,b)", "a=b", true },
	{ "a in (,b)", "a=", true },
	{ "a in (b,)", "a=", true },
	{ "a in (b,,c)", "a=", true },
	{ "a in (,)", "a=", true },
	{ "a in (,)", "", false },
	{ "a notin (b,c)", "a=d", true },
	{ "a notin (b,c)", "a=c", false },
	{ "a notin (b,c)", "", true },
	{ "a notin (,)", "a=", false },
	{ "a in (in,notin)", "a=in", true },
	/* words that are also operators */
	{ "in", "in=1", true },
	{ "in in (in)", "in=in", true },
	{ "notin notin (notin)", "notin=notin", false },
	{ "in=notin", "in=notin", true },
	{ "!in", "in=1", false },
	/* existence */
	{ "a", "a=", true },
	{ "a", "b=", false },
	{ "!a", "a=", false },
	{ "!a", "b=", true },
	{ "! a", "", true },
	{ " !\ta ", "", true },
	/* order of numbers */
	{ "a>1", "a=2", true },
	{ "a>1", "a=1", false },
	{ "a>1", "a=10", true },
	{ "a > 1", "a=2", true },
	{ "a<1", "a=0", true },
	{ "a<1", "a=-5", true },
	{ "a<1", "a=1", false },
	{ "a>1", "", false },
	{ "a<1", "", false },
	{ "a>1", "a=x", false },
	{ "a>1", "a=2.5", false },
	{ "a>1", "a=", false },
	{ "a>1,a<5", "a=3", true },
	{ "a>1,a<5", "a=5", false },
	{ "a<9223372036854775807", "a=9223372036854775806", true },
	{ "a>0", "a=9223372036854775808", false },
	/* all have to hold */
	{ "a=b,c=d", "a=b c=d", true },
	{ "a=b,c=d", "a=b", false },
	{ "a=b,a=c", "a=b", false },
	{ "a,!b,c in (d),e notin (f),g!=h", "a=1 c=d", true },
	{ "a,!b,c in (d),e notin (f),g!=h", "a=1 c=d e=f", false },
	{ "a=b , c", "a=b c=", true },
	/* keys */
	{ "example.com/role=x", "example.com/role=x", true },
	{ "example.com/role=x", "role=x", false },
	{ "!example.com/role", "", true },
	{ "A_b.c-9=Z_y.x-1", "A_b.c-9=Z_y.x-1", true },
};

START_TEST(matching)
{
	auto_arena struct arena arena = ARENA;
	struct metadata *m = labelled(matches[_i].labels, &arena);
	struct selector *s = NULL;
	const char *detail = "";

	ck_assert_msg(selector_parse(&arena, matches[_i].selector, &s, &detail) == 0, "%s: %s", matches[_i].selector, detail);
	ck_assert_msg(selector_matches(s, m) == matches[_i].matches, "%s on %s", matches[_i].selector, matches[_i].labels);
	metadata_unref(m);
}
END_TEST

/* ---- what is refused, and what is said ---- */

static const struct {
	const char *selector, *detail; /* the beginning of it */
} refused[] = {
	{ ",", "position 1: found \",\", expected a key or '!'" },
	{ "a,", "position 3: found the end, expected a key or '!'" },
	{ "a,,b", "position 3: found \",\", expected a key or '!'" },
	{ ",a", "position 1: found \",\"" },
	{ "=b", "position 1: found \"=\", expected a key or '!'" },
	{ "!", "position 2: found the end, expected a key" },
	{ "!!a", "position 2: found \"!\", expected a key" },
	{ "!=a", "position 1: found \"!=\"" },
	{ "!a=b", "position 3: found \"=\", expected ',' or the end" },
	{ "!a in (b)", "position 4: found \"in\", expected ',' or the end" },
	{ "a b", "position 3: found \"b\", expected =, ==, !=, in, notin, >, <, ',' or the end" },
	{ "a!b", "position 2: found \"!\"" },
	{ "a IN (b)", "position 3: found \"IN\"" },
	{ "a not in (b)", "position 3: found \"not\"" },
	{ "a=b=c", "position 4: found \"=\", expected ',' or the end" },
	{ "a=b c", "position 5: found \"c\", expected ',' or the end" },
	{ "a===b", "position 4: found \"=\", expected a value, ',' or the end" },
	{ "a==b==c", "position 5: found \"==\"" },
	{ "a=(b)", "position 3: found \"(\", expected a value, ',' or the end" },
	{ "a=!b", "position 3: found \"!\"" },
	{ "a||b", "position 1: found \"a||b\", expected a key: at most 63 letters" },
	{ "a=b||c=d", "position 3: found \"b||c\", expected a value: at most 63 letters" },
	{ "a in", "position 5: found the end, expected '('" },
	{ "a in b", "position 6: found \"b\", expected '('" },
	{ "a in ()", "position 7: found \")\", expected a value: the list must not be empty" },
	{ "a notin ( )", "position 11: found \")\"" },
	{ "a in (b", "position 8: found the end, expected ',' or ')'" },
	{ "a in (b c)", "position 9: found \"c\", expected ',' or ')'" },
	{ "a in (b,(c))", "position 9: found \"(\", expected ',' or ')'" },
	{ "a in (b))", "position 9: found \")\", expected ',' or the end" },
	{ "a in b)", "position 6: found \"b\", expected '('" },
	{ "a in (b) c", "position 10: found \"c\"" },
	{ "(a)", "position 1: found \"(\"" },
	{ "a in (b$)", "position 7: found \"b$\", expected a value" },
	{ "a>", "position 3: found the end, expected an integer" },
	{ "a>x", "position 3: found \"x\", expected an integer" },
	{ "a>1.5", "position 3: found \"1.5\", expected an integer" },
	{ "a<9223372036854775808", "position 3: found \"9223372036854775808\", expected an integer" },
	{ "a>=1", "position 3: found \"=\"" },
	{ "a>,b", "position 3: found \",\", expected an integer" },
	{ "-a=b", "position 1: found \"-a\", expected a key" },
	{ "a-=b", "position 1: found \"a-\", expected a key" },
	{ "a=-b", "position 3: found \"-b\", expected a value" },
	{ "a=b.", "position 3: found \"b.\", expected a value" },
	{ "a=b$", "position 3: found \"b$\", expected a value" },
	{ "\xc3\xa4=b", "position 1: found \"\xc3\xa4\", expected a key" },
	{ "a/b/c=d", "position 1: found \"a/b/c\", expected a key" },
	{ "/b=d", "position 1: found \"/b\", expected a key whose prefix is a DNS subdomain" },
	{ "a/=d", "position 1: found \"a/\", expected a key" },
	{ "A.com/b", "position 1: found \"A.com/b\", expected a key whose prefix is a DNS subdomain" },
	{ "a..b/c", "position 1: found \"a..b/c\", expected a key whose prefix" },
	{ ".a/c", "position 1: found \".a/c\", expected a key whose prefix" },
	{ "a./c", "position 1: found \"a./c\", expected a key whose prefix" },
	{ "-a/c", "position 1: found \"-a/c\", expected a key whose prefix" },
	{ "a-/c", "position 1: found \"a-/c\", expected a key whose prefix" },
	{ "a-.b/c", "position 1: found \"a-.b/c\", expected a key whose prefix" },
	{ "a.-b/c", "position 1: found \"a.-b/c\", expected a key whose prefix" },
	{ "a_b/c", "position 1: found \"a_b/c\", expected a key whose prefix" },
};

START_TEST(refusals)
{
	auto_arena struct arena arena = ARENA;
	struct selector *s = NULL;
	const char *detail = NULL;

	ck_assert_msg(selector_parse(&arena, refused[_i].selector, &s, &detail) == 1, "taken: %s", refused[_i].selector);
	ck_assert_ptr_null(s);
	ck_assert_msg(!strncmp(detail, refused[_i].detail, strlen(refused[_i].detail)), "%s: %s", refused[_i].selector, detail);
}
END_TEST

/* ---- bounds ---- */

static int parse(struct buf *b)
{
	auto_arena struct arena arena = ARENA;
	struct selector *s;
	const char *detail;

	return selector_parse(&arena, buf_text(b), &s, &detail);
}

static void fill(struct buf *b, char c, int n)
{
	while (n-- > 0)
		ck_assert_int_eq(buf_add_byte(b, c), 0);
}

START_TEST(lengths)
{
	for (int n = 63; n <= 64; n++) {
		auto_buf struct buf b = BUF(4096);

		fill(&b, 'x', n);
		ck_assert_int_eq(parse(&b), n > 63);
		buf_reset(&b);
		(void)buf_add_text(&b, "a=");
		fill(&b, 'x', n);
		ck_assert_int_eq(parse(&b), n > 63);
		buf_reset(&b);
		fill(&b, 'p', n + 190); /* 253, 254 */
		(void)buf_add_byte(&b, '/');
		fill(&b, 'x', 63);
		ck_assert_int_eq(parse(&b), n > 63);
	}
}
END_TEST

START_TEST(numbers_of_things)
{
	for (int n = CAP_SELECTOR_REQUIREMENTS; n <= CAP_SELECTOR_REQUIREMENTS + 1; n++) {
		auto_buf struct buf all = BUF(4096), list = BUF(4096);

		for (int i = 0; i < n; i++) {
			(void)buf_addf(&all, "%sk%d", i ? "," : "", i);
			(void)buf_addf(&list, "%sv%d", i ? "," : "a in (", i);
		}
		(void)buf_add_byte(&list, ')');
		ck_assert_int_eq(parse(&all), n > CAP_SELECTOR_REQUIREMENTS);
		ck_assert_int_eq(parse(&list), n > CAP_SELECTOR_VALUES);
	}
}
END_TEST

/* A message repeats little of a long word, and no half character. */
START_TEST(long_words_are_cut_in_messages)
{
	auto_arena struct arena arena = ARENA;
	auto_buf struct buf b = BUF(4096);
	struct selector *s;
	const char *detail;

	fill(&b, 'x', 39);
	for (int i = 0; i < 100; i++)
		(void)buf_add_text(&b, "\xc3\xa4");
	ck_assert_int_eq(selector_parse(&arena, buf_text(&b), &s, &detail), 1);
	ck_assert_uint_lt(strlen(detail), 200);
	ck_assert_ptr_nonnull(strstr(detail, "x\","));
}
END_TEST

START_TEST(integers)
{
	static const char *const none[] = { "", "-", "+", " 1", "1 ", "1.0", "0x1", "--1", "9223372036854775808", "-9223372036854775809" };
	int64_t n = 5;

	for (size_t i = 0; i < COUNT(none); i++)
		ck_assert_msg(!selector_integer(none[i], &n) && n == 5, "%s", none[i]);
	ck_assert(selector_integer("-9223372036854775808", &n) && n == INT64_MIN);
	ck_assert(selector_integer("9223372036854775807", &n) && n == INT64_MAX);
	ck_assert(selector_integer("+007", &n) && n == 7);
	ck_assert(selector_integer("-0", &n) && n == 0);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("selector");
	TCase *c = unit_case(s, "selector");

	tcase_add_loop_test(c, matching, 0, (int)COUNT(matches));
	tcase_add_loop_test(c, refusals, 0, (int)COUNT(refused));
	tcase_add_test(c, lengths);
	tcase_add_test(c, numbers_of_things);
	tcase_add_test(c, long_words_are_cut_in_messages);
	tcase_add_test(c, integers);
	return unit_main(s);
}
