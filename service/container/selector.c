#include "container/selector.h"

#include <errno.h>
#include <string.h>

enum { CAP_LABEL = 63, CAP_PREFIX = 253 };

static const char label_rule[] = "at most 63 letters, digits, '-', '_' and '.', with a letter or digit at both ends";

/* ---- what is kept ---- */

struct requirement;

/* Does the label's <value> (NULL = there is no such label) satisfy the requirement? */
typedef bool holds_fn(const struct requirement *, const char *value);

struct requirement {
	const char *key;
	holds_fn *holds;
	const char **values; /* in the order of strcmp */
	size_t count;
	int64_t bound; /* of ">" and "<" */
};

struct selector {
	size_t count;
	struct requirement at[CAP_SELECTOR_REQUIREMENTS];
};

static int compare_texts(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static bool is_present(const struct requirement *r, const char *value)
{
	(void)r;
	return value;
}

static bool is_absent(const struct requirement *r, const char *value)
{
	(void)r;
	return !value;
}

static bool is_any_of(const struct requirement *r, const char *value)
{
	if (!value || r->count == 1)
		return value && !strcmp(value, r->values[0]);
	return bsearch(&value, r->values, r->count, sizeof *r->values, compare_texts);
}

static bool is_none_of(const struct requirement *r, const char *value)
{
	return !is_any_of(r, value);
}

static bool is_greater(const struct requirement *r, const char *value)
{
	int64_t n;

	return value && selector_integer(value, &n) && n > r->bound;
}

static bool is_less(const struct requirement *r, const char *value)
{
	int64_t n;

	return value && selector_integer(value, &n) && n < r->bound;
}

/* As metadata_label, with the first byte looked at before the call: this is where a long list spends its time. */
static const char *label_of(const struct metadata_value *v, const char *key)
{
	for (size_t i = 0; i < v->label_count; i++)
		if (v->labels[i].key[0] == key[0] && !strcmp(v->labels[i].key, key))
			return v->labels[i].value;
	return NULL;
}

bool selector_matches(const struct selector *s, const struct metadata *m)
{
	const struct metadata_value *v = metadata_value(m);

	for (size_t i = 0; i < s->count; i++)
		if (!s->at[i].holds(&s->at[i], label_of(v, s->at[i].key)))
			return false;
	return true;
}

bool selector_integer(const char *text, int64_t *ret)
{
	bool negative = text[0] == '-';
	int64_t n = 0;

	text += text[0] == '-' || text[0] == '+';
	if (*text == '\0')
		return false;
	for (; *text; text++) {
		int digit = *text - '0';

		/* Downwards, since INT64_MIN has no positive twin. */
		if (digit < 0 || digit > 9 || __builtin_mul_overflow(n, (int64_t)10, &n) ||
		    __builtin_sub_overflow(n, (int64_t)digit, &n))
			return false;
	}
	if (!negative && __builtin_sub_overflow((int64_t)0, n, &n))
		return false;
	*ret = n;
	return true;
}

/* ---- tokens ---- */

enum token_kind { TOKEN_END, TOKEN_WORD, TOKEN_OPERATOR, TOKEN_NOT, TOKEN_COMMA, TOKEN_OPEN, TOKEN_CLOSE };

struct token {
	enum token_kind kind;
	const char *at;
	size_t len;
};

/* The longer of two that begin alike comes first. */
static const struct {
	const char *text;
	enum token_kind kind;
} symbols[] = {
	{ "!=", TOKEN_OPERATOR }, { "==", TOKEN_OPERATOR }, { "=", TOKEN_OPERATOR }, { ">", TOKEN_OPERATOR },
	{ "<", TOKEN_OPERATOR },  { "!", TOKEN_NOT },       { ",", TOKEN_COMMA },    { "(", TOKEN_OPEN },
	{ ")", TOKEN_CLOSE },
};

static const char blanks[] = " \t\r\n";
static const char ends_a_word[] = " \t\r\n=!(),><";

struct parser {
	struct arena *arena;
	const char *text;   /* all of it */
	struct token token; /* the one to look at now */
	const char *detail; /* why it was refused */
};

static struct token scan(const char *at)
{
	at += strspn(at, blanks);
	if (*at == '\0')
		return (struct token){ TOKEN_END, at, 0 };
	for (size_t i = 0; i < COUNT(symbols); i++) {
		size_t len = strlen(symbols[i].text);

		if (!strncmp(at, symbols[i].text, len))
			return (struct token){ symbols[i].kind, at, len };
	}
	return (struct token){ TOKEN_WORD, at, strcspn(at, ends_a_word) };
}

static void next(struct parser *p)
{
	p->token = scan(p->token.at + p->token.len);
}

static bool token_is(const struct token *t, const char *text)
{
	return t->len == strlen(text) && !memcmp(t->at, text, t->len);
}

/* ---- refusals ---- */

/* How much of a long word a message repeats; never half a UTF-8 character. */
static int shown_len(const struct token *t)
{
	size_t n = t->len;

	if (n <= 40)
		return (int)n;
	for (n = 40; n > 0 && (t->at[n] & 0xc0) == 0x80; n--)
		;
	return (int)n;
}

static int refuse(struct parser *p, const char *expected)
{
	const struct token *t = &p->token;
	size_t position = (size_t)(t->at - p->text) + 1;

	if (t->kind == TOKEN_END)
		p->detail = arena_printf(p->arena, "position %zu: found the end, expected %s", position, expected);
	else
		p->detail = arena_printf(p->arena, "position %zu: found \"%.*s\", expected %s", position, shown_len(t), t->at,
					 expected);
	return p->detail ? 1 : -ENOMEM;
}

static int refuse_label(struct parser *p, const char *what)
{
	const char *expected = arena_printf(p->arena, "a %s: %s", what, label_rule);

	return expected ? refuse(p, expected) : -ENOMEM;
}

/* ---- words ---- */

static bool is_alphanumeric(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

static bool is_label_text(const char *at, size_t len)
{
	if (len == 0 || len > CAP_LABEL || !is_alphanumeric(at[0]) || !is_alphanumeric(at[len - 1]))
		return false;
	for (size_t i = 0; i < len; i++)
		if (!is_alphanumeric(at[i]) && at[i] != '-' && at[i] != '_' && at[i] != '.')
			return false;
	return true;
}

/* RFC 1123 as Kubernetes reads it: lower case, every part with a letter or digit at both ends. */
static bool is_dns_subdomain(const char *at, size_t len)
{
	char before = '.';

	if (len == 0 || len > CAP_PREFIX)
		return false;
	for (size_t i = 0; i < len; before = at[i++]) {
		bool plain = is_alphanumeric(at[i]) && !(at[i] >= 'A' && at[i] <= 'Z');

		if (!plain && at[i] != '-' && at[i] != '.')
			return false;
		if ((!plain && before == '.') || (at[i] == '.' && before == '-'))
			return false;
	}
	return before != '.' && before != '-';
}

static int read_key(struct parser *p, const char **ret_key)
{
	const struct token *t = &p->token;
	const char *slash = memchr(t->at, '/', t->len);
	size_t prefix = slash ? (size_t)(slash - t->at) : 0, skipped = slash ? prefix + 1 : 0;

	if (slash && !is_dns_subdomain(t->at, prefix))
		return refuse(p, "a key whose prefix is a DNS subdomain: lower-case letters, digits, '-' and '.', at most 253 bytes");
	if (!is_label_text(t->at + skipped, t->len - skipped))
		return refuse_label(p, "key");
	*ret_key = arena_copy(p->arena, t->at, t->len);
	next(p);
	return *ret_key ? 0 : -ENOMEM;
}

/* A value that may be left out: then it is the empty one. */
static int read_value(struct parser *p, const char **ret_value)
{
	const struct token *t = &p->token;

	*ret_value = "";
	if (t->kind != TOKEN_WORD)
		return 0;
	if (!is_label_text(t->at, t->len))
		return refuse_label(p, "value");
	*ret_value = arena_copy(p->arena, t->at, t->len);
	next(p);
	return *ret_value ? 0 : -ENOMEM;
}

/* ---- what stands behind an operator ---- */

static int read_one(struct parser *p, struct requirement *r)
{
	r->values = arena_alloc(p->arena, sizeof *r->values);
	if (!r->values)
		return -ENOMEM;
	r->count = 1;
	if (p->token.kind != TOKEN_WORD && p->token.kind != TOKEN_COMMA && p->token.kind != TOKEN_END)
		return refuse(p, "a value, ',' or the end");
	return read_value(p, &r->values[0]);
}

static int read_bound(struct parser *p, struct requirement *r)
{
	struct token word = p->token;
	int refused = read_one(p, r);

	if (refused)
		return refused;
	if (selector_integer(r->values[0], &r->bound))
		return 0;
	p->token = word;
	return refuse(p, "an integer");
}

static int read_values(struct parser *p, struct requirement *r)
{
	for (;;) {
		int refused;

		if (r->count == CAP_SELECTOR_VALUES)
			return refuse(p, "at most 64 values in a list");
		refused = read_value(p, &r->values[r->count]);
		if (refused)
			return refused;
		r->count++;
		if (p->token.kind == TOKEN_CLOSE)
			return 0;
		if (p->token.kind != TOKEN_COMMA)
			return refuse(p, "',' or ')'");
		next(p);
	}
}

static int read_list(struct parser *p, struct requirement *r)
{
	int refused;

	if (p->token.kind != TOKEN_OPEN)
		return refuse(p, "'('");
	next(p);
	if (p->token.kind == TOKEN_CLOSE)
		return refuse(p, "a value: the list must not be empty");
	r->values = arena_alloc(p->arena, CAP_SELECTOR_VALUES * sizeof *r->values);
	if (!r->values)
		return -ENOMEM;
	refused = read_values(p, r);
	if (refused)
		return refused;
	qsort(r->values, r->count, sizeof *r->values, compare_texts);
	next(p);
	return 0;
}

static const struct operator {
	const char *text;
	int (*read)(struct parser *, struct requirement *);
	holds_fn *holds;
} operators[] = {
	{ "=", read_one, is_any_of },     { "==", read_one, is_any_of },    { "!=", read_one, is_none_of },
	{ "in", read_list, is_any_of },   { "notin", read_list, is_none_of },
	{ ">", read_bound, is_greater },  { "<", read_bound, is_less },
};

/* ---- the grammar ---- */

static int read_comparison(struct parser *p, struct requirement *r)
{
	for (size_t i = 0; i < COUNT(operators); i++) {
		if (!token_is(&p->token, operators[i].text))
			continue;
		next(p);
		r->holds = operators[i].holds;
		return operators[i].read(p, r);
	}
	return refuse(p, "=, ==, !=, in, notin, >, <, ',' or the end");
}

static int read_requirement(struct parser *p, struct requirement *r)
{
	bool negated = p->token.kind == TOKEN_NOT;
	int refused;

	if (negated)
		next(p);
	if (p->token.kind != TOKEN_WORD)
		return refuse(p, negated ? "a key" : "a key or '!'");
	refused = read_key(p, &r->key);
	if (refused)
		return refused;
	r->holds = negated ? is_absent : is_present;
	if (negated || p->token.kind == TOKEN_COMMA || p->token.kind == TOKEN_END)
		return 0;
	return read_comparison(p, r);
}

static int read_selector(struct parser *p, struct selector *s)
{
	if (p->token.kind == TOKEN_END)
		return 0;
	for (;;) {
		int refused;

		if (s->count == CAP_SELECTOR_REQUIREMENTS)
			return refuse(p, "at most 64 requirements");
		refused = read_requirement(p, &s->at[s->count]);
		if (refused)
			return refused;
		s->count++;
		if (p->token.kind == TOKEN_END)
			return 0;
		if (p->token.kind != TOKEN_COMMA)
			return refuse(p, "',' or the end");
		next(p);
	}
}

int selector_parse(struct arena *arena, const char *text, struct selector **ret_selector, const char **ret_detail)
{
	struct parser p = { .arena = arena, .text = text, .token = scan(text) };
	struct selector *s = arena_alloc(arena, sizeof *s);
	int refused;

	if (!s)
		return -ENOMEM;
	memset(s, 0, sizeof *s);
	refused = read_selector(&p, s);
	if (refused > 0)
		*ret_detail = p.detail;
	if (refused == 0)
		*ret_selector = s;
	return refused;
}
