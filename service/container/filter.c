#include "container/filter.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "container/member.h"
#include "container/selector.h"
#include "container/timestamp.h"

enum { CAP_CONDITIONS = 64 };

/* ---- conditions ---- */

enum relation { IS, IS_NOT, IS_AFTER, IS_ONE_OF, BEGINS_WITH };

struct condition {
	const struct member *member;
	enum relation relation;
	struct value operand; /* IS_ONE_OF: the number is a set of bits */
};

struct filter {
	struct arena *arena;     /* borrowed: outlives us */
	const char *parameter;   /* the one that is being added */
	struct selector *labels; /* NULL = any */
	const char *id_prefix;
	const struct member *sort;
	bool descending;
	size_t count;
	struct condition at[CAP_CONDITIONS];
};

/* A member without a value satisfies nothing, IS_NOT no more than IS: who asks for exitCode!=0 looks for failures. */
static bool condition_holds(const struct condition *c, const struct container *container)
{
	struct value v = { 0 };

	if (!c->member->read(container, &v))
		return false;
	switch (c->relation) {
	case IS:
		return member_compare(c->member, &v, &c->operand) == 0;
	case IS_NOT:
		return member_compare(c->member, &v, &c->operand) != 0;
	case IS_AFTER:
		return v.number > c->operand.number;
	case IS_ONE_OF:
		return c->operand.number >> v.number & 1;
	case BEGINS_WITH:
		return !strncmp(v.text, c->operand.text, strlen(c->operand.text));
	}
	return false;
}

bool filter_matches(const struct filter *f, const struct container *c)
{
	for (size_t i = 0; i < f->count; i++)
		if (!condition_holds(&f->at[i], c))
			return false;
	return !f->labels || selector_matches(f->labels, container_metadata(c));
}

/* ---- refusals ---- */

/* "<parameter>: why"; returns what filter_add returns then. */
printf_like(3, 4) static int refuse(struct filter *f, const char **ret_detail, const char *fmt, ...)
{
	char why[512];
	va_list args;
	int n;

	va_start(args, fmt);
	n = vsnprintf(why, sizeof why, fmt, args);
	va_end(args);
	*ret_detail = n < 0 ? NULL : arena_printf(f->arena, "%s: %s", f->parameter, why);
	return *ret_detail ? 1 : -ENOMEM;
}

/* At most so much of what a client sent is repeated to it. */
static int shown_len(size_t len)
{
	return len < 40 ? (int)len : 40;
}

/* ---- reading values ---- */

static int add_condition(struct filter *f, const struct member *m, enum relation relation, struct value operand,
			 const char **ret_detail)
{
	if (f->count == CAP_CONDITIONS)
		return refuse(f, ret_detail, "more than %d conditions", CAP_CONDITIONS);
	f->at[f->count++] = (struct condition){ m, relation, operand };
	return 0;
}

static const char *skip_blanks(const char *at)
{
	return at + strspn(at, " \t");
}

static size_t trimmed_len(const char *at, size_t len)
{
	while (len > 0 && (at[len - 1] == ' ' || at[len - 1] == '\t'))
		len--;
	return len;
}

static int read_state_name(struct filter *f, const char *text, size_t len, int64_t *ret, const char **ret_detail)
{
	int state = state_from_query(text, len);

	if (state < 0)
		return refuse(f, ret_detail, "\"%.*s\" is no state; use created, running, exited or unknown", shown_len(len),
			      text);
	*ret = state;
	return 0;
}

/* <text>, which stays as long as the filter, as a value to compare the member with. */
static int read_operand(struct filter *f, const struct member *m, const char *text, struct value *ret,
			const char **ret_detail)
{
	switch (m->kind) {
	case MEMBER_TEXT:
		ret->text = text;
		return 0;
	case MEMBER_STATE:
		return read_state_name(f, text, strlen(text), &ret->number, ret_detail);
	case MEMBER_CODE:
		if (selector_integer(text, &ret->number) && ret->number >= INT32_MIN && ret->number <= INT32_MAX)
			return 0;
		return refuse(f, ret_detail, "\"%.40s\" is no whole number from -2147483648 to 2147483647", text);
	case MEMBER_TIME:
		break;
	}
	if (timestamp_parse(text, strlen(text), &ret->number))
		return 0;
	return refuse(f, ret_detail, "\"%.40s\" is neither an RFC 3339 time nor whole nanoseconds since 1970", text);
}

/* ---- parameters ---- */

struct parameter {
	const char *name;
	int (*add)(struct filter *, const struct parameter *, const char *value, const char **ret_detail);
	const char *member; /* add_comparison and add_states: what is compared */
	enum relation relation;
};

static const struct member *member_of(const struct parameter *p)
{
	const struct member *m = member_find(p->member, strlen(p->member), MEMBER_SELECTED | MEMBER_SORTED);

	assert(m);
	return m;
}

static int add_comparison(struct filter *f, const struct parameter *p, const char *value, const char **ret_detail)
{
	const struct member *m = member_of(p);
	struct value operand = { 0 };
	int r = read_operand(f, m, value, &operand, ret_detail);

	if (r)
		return r;
	if (p->relation == BEGINS_WITH)
		f->id_prefix = operand.text;
	return add_condition(f, m, p->relation, operand, ret_detail);
}

static int add_states(struct filter *f, const struct parameter *p, const char *value, const char **ret_detail)
{
	struct value set = { 0 };

	for (const char *at = value;; at++) {
		int64_t state = 0;
		size_t len;
		int r;

		at = skip_blanks(at);
		len = strcspn(at, ",");
		r = read_state_name(f, at, trimmed_len(at, len), &state, ret_detail);
		if (r)
			return r;
		set.number |= INT64_C(1) << state;
		at += len;
		if (*at == '\0')
			return add_condition(f, member_of(p), p->relation, set, ret_detail);
	}
}

static int add_labels(struct filter *f, const struct parameter *p, const char *value, const char **ret_detail)
{
	const char *why;
	int r = selector_parse(f->arena, value, &f->labels, &why);

	(void)p;
	return r > 0 ? refuse(f, ret_detail, "%s", why) : r;
}

/* ---- field selectors ---- */

/* Where we are in a field selector, and where it began. */
struct cursor {
	const char *text, *at;
};

static size_t position_of(const struct cursor *c)
{
	return (size_t)(c->at - c->text) + 1;
}

static int read_field_name(struct filter *f, struct cursor *c, const struct member **ret, const char **ret_detail)
{
	const char *known;
	size_t len;

	c->at = skip_blanks(c->at);
	len = strcspn(c->at, " \t=!,");
	*ret = member_find(c->at, len, MEMBER_SELECTED);
	if (*ret) {
		c->at = skip_blanks(c->at + len);
		return 0;
	}
	known = member_names(f->arena, MEMBER_SELECTED);
	if (!known)
		return -ENOMEM;
	return refuse(f, ret_detail, "position %zu: found \"%.*s\", expected one of %s", position_of(c), shown_len(len), c->at,
		      known);
}

static int read_field_operator(struct filter *f, struct cursor *c, enum relation *ret, const char **ret_detail)
{
	static const struct {
		const char *text;
		enum relation relation;
	} known[] = { { "!=", IS_NOT }, { "==", IS }, { "=", IS } };

	for (size_t i = 0; i < COUNT(known); i++) {
		size_t len = strlen(known[i].text);

		if (strncmp(c->at, known[i].text, len) != 0)
			continue;
		*ret = known[i].relation;
		c->at = skip_blanks(c->at + len);
		return 0;
	}
	return refuse(f, ret_detail, "position %zu: expected =, == or !=", position_of(c));
}

/* Up to a bare comma or the end.  As in Kubernetes a backslash takes a comma, an equals sign or itself for what it is,
 * and an equals sign needs one; so does a blank at either end. */
static int read_field_value(struct filter *f, struct cursor *c, const char **ret_value, const char **ret_detail)
{
	char *value = arena_alloc(f->arena, strlen(c->at) + 1);
	size_t len = 0, kept = 0; /* kept: up to the last byte that is no bare blank */

	if (!value)
		return -ENOMEM;
	for (; *c->at && *c->at != ','; c->at++) {
		bool escaped = *c->at == '\\';

		if (*c->at == '=')
			return refuse(f, ret_detail, "position %zu: found \"=\" in a value, expected \"\\=\"", position_of(c));
		if (escaped && (c->at[1] == '\0' || !strchr("\\,= ", c->at[1])))
			return refuse(f, ret_detail, "position %zu: expected a backslash, comma, equals sign or blank behind the backslash",
				      position_of(c) + 1);
		c->at += escaped;
		value[len++] = *c->at;
		if (escaped || (*c->at != ' ' && *c->at != '\t'))
			kept = len;
	}
	value[kept] = '\0';
	*ret_value = value;
	return 0;
}

static int add_field(struct filter *f, struct cursor *c, const char **ret_detail)
{
	enum relation relation = IS;
	struct value operand = { 0 };
	const struct member *m;
	const char *value = "";
	int r = read_field_name(f, c, &m, ret_detail);

	if (r == 0)
		r = read_field_operator(f, c, &relation, ret_detail);
	if (r == 0)
		r = read_field_value(f, c, &value, ret_detail);
	if (r == 0)
		r = read_operand(f, m, value, &operand, ret_detail);
	return r ? r : add_condition(f, m, relation, operand, ret_detail);
}

static int add_fields(struct filter *f, const struct parameter *p, const char *value, const char **ret_detail)
{
	struct cursor c = { value, value };
	int r;

	(void)p;
	if (*skip_blanks(value) == '\0')
		return 0;
	for (;; c.at++) {
		r = add_field(f, &c, ret_detail);
		if (r || *c.at == '\0')
			return r;
	}
}

/* ---- order ---- */

static int add_sort(struct filter *f, const struct parameter *p, const char *value, const char **ret_detail)
{
	bool descending = value[0] == '-';
	const struct member *m = member_find(value + descending, strlen(value + descending), MEMBER_SORTED);
	const char *known;

	(void)p;
	if (m) {
		f->sort = m;
		f->descending = descending;
		return 0;
	}
	known = member_names(f->arena, MEMBER_SORTED);
	if (!known)
		return -ENOMEM;
	return refuse(f, ret_detail, "\"%.40s\" is none of %s, with - before it for the other direction", value, known);
}

bool filter_order_is_by_id(const struct filter *f)
{
	return !f->descending && !strcmp(f->sort->name, "id");
}

int filter_compare(const void *a, const void *b, void *filter)
{
	const struct container *x = *(struct container *const *)a, *y = *(struct container *const *)b;
	const struct filter *f = filter;
	struct value of_x = { 0 }, of_y = { 0 };
	bool has_x = f->sort->read(x, &of_x), has_y = f->sort->read(y, &of_y);
	int order = 0;

	if (has_x != has_y)
		return has_x ? -1 : 1;
	if (has_x)
		order = member_compare(f->sort, &of_x, &of_y);
	if (order)
		return (order < 0) != f->descending ? -1 : 1;
	return strcmp(container_id(x), container_id(y));
}

/* ---- all of them ---- */

/* In the order of the contract. */
#define PARAMETERS(X)                                             \
	X("state",         add_states,     "state",      IS_ONE_OF)   \
	X("labelSelector", add_labels,     NULL,         IS)          \
	X("fieldSelector", add_fields,     NULL,         IS)          \
	X("sandboxId",     add_comparison, "sandboxId",  IS)          \
	X("imageRef",      add_comparison, "imageRef",   IS)          \
	X("name",          add_comparison, "name",       IS)          \
	X("idPrefix",      add_comparison, "id",         BEGINS_WITH) \
	X("exitCode",      add_comparison, "exitCode",   IS)          \
	X("createdAfter",  add_comparison, "createdAt",  IS_AFTER)    \
	X("finishedAfter", add_comparison, "finishedAt", IS_AFTER)    \
	X("sort",          add_sort,       NULL,         IS)

static const struct parameter parameters[] = {
#define X(name_, add_, member_, relation_) { name_, add_, member_, relation_ },
	PARAMETERS(X)
#undef X
};

const char *const filter_parameters[] = {
#define X(name_, add_, member_, relation_) name_,
	PARAMETERS(X)
#undef X
	NULL,
};

struct filter *filter_new(struct arena *arena)
{
	struct filter *f = arena_alloc(arena, sizeof *f);

	if (!f)
		return NULL;
	memset(f, 0, sizeof *f);
	f->arena = arena;
	f->id_prefix = "";
	f->sort = member_find("id", 2, MEMBER_SORTED);
	return f;
}

int filter_add(struct filter *f, const char *name, const char *value, const char **ret_detail)
{
	const struct parameter *p = parameters;

	while (strcmp(p->name, name) != 0) {
		p++;
		assert(p < parameters + COUNT(parameters));
	}
	f->parameter = p->name;
	value = arena_copy(f->arena, value, strlen(value)); /* the filter outlives the query's buffer */
	return value ? p->add(f, p, value, ret_detail) : -ENOMEM;
}

const char *filter_id_prefix(const struct filter *f)
{
	return f->id_prefix;
}
