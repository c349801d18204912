#include "container/fields.h"

#include <errno.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "container/json_text.h"
#include "container/json_value.h"
#include "container/timestamp.h"

void field_error(struct field_errors *errors, const char *pointer, const char *fmt, ...)
{
	char text[256];
	va_list args;
	int n;

	if (errors->count == FIELD_ERRORS_MAX)
		return;
	va_start(args, fmt);
	n = vsnprintf(text, sizeof text, fmt, args);
	va_end(args);
	if (n < 0)
		return;
	errors->at[errors->count].pointer = arena_copy(errors->arena, pointer, strlen(pointer));
	errors->at[errors->count].detail = arena_copy(errors->arena, text, strlen(text));
	if (errors->at[errors->count].pointer && errors->at[errors->count].detail)
		errors->count++;
}

enum { DEPTH_MAX = 1000 };

static const void *place_of(const struct field *f, const void *from)
{
	return (const char *)from + f->at;
}

static int encode_time(struct buf *b, int64_t ns, enum casing casing)
{
	char text[TIMESTAMP_LEN + 3];

	if (casing == DISK)
		return buf_add_i64(b, ns);
	if (ns == 0)
		return buf_add(b, "null", 4);
	timestamp_format(ns, text + 1);
	text[0] = text[TIMESTAMP_LEN + 1] = '"';
	return buf_add(b, text, TIMESTAMP_LEN + 2);
}

int field_encode(struct buf *b, const struct field *f, enum casing casing, const void *from)
{
	const void *place = place_of(f, from);

	switch (f->kind) {
	case FIELD_U32:
		return buf_add_u64(b, *(const uint32_t *)place);
	case FIELD_I32:
		return buf_add_i64(b, *(const int32_t *)place);
	case FIELD_U64:
		return buf_add_u64(b, *(const uint64_t *)place);
	case FIELD_TIME:
		return encode_time(b, *(const int64_t *)place, casing);
	case FIELD_TEXT:
		return json_text_add(b, *(const char *const *)place);
	case FIELD_OBJECT:
		return buf_add_text(b, *(const char *const *)place ? *(const char *const *)place : "null");
	case FIELD_BOOL:
		return buf_add_text(b, *(const bool *)place ? "true" : "false");
	case FIELD_READONLY:
		break;
	}
	return 0;
}

int fields_encode(struct buf *b, const struct field *table, size_t n, enum casing casing, const void *from)
{
	bool first = true;

	for (size_t i = 0; i < n; i++) {
		const struct field *f = &table[i];

		if (!f->name[casing] || f->kind == FIELD_READONLY)
			continue;
		if (!first)
			(void)buf_add_byte(b, ',');
		first = false;
		(void)json_key_add(b, f->name[casing]);
		(void)field_encode(b, f, casing, from);
	}
	return b->failed;
}

/* Copy a JSON string; an escaped NUL, which C text cannot hold, becomes U+FFFD. */
static const char *copy_text(const json_t *v, struct arena *arena)
{
	const char *text = json_string_value(v), *nul;
	size_t len = json_string_length(v);
	auto_buf struct buf b = BUF(8 * len + 1);

	if (!memchr(text, '\0', len))
		return arena_copy(arena, text, len);
	for (const char *end = text + len; text < end; text = nul + 1) {
		nul = memchr(text, '\0', (size_t)(end - text));
		(void)buf_add(&b, text, (size_t)((nul ? nul : end) - text));
		if (!nul)
			break;
		(void)buf_add_text(&b, "\xef\xbf\xbd");
	}
	return b.failed ? NULL : arena_copy(arena, b.at, b.len);
}

/* Why a value was not stored: what it must be, or no memory; all zero = it was. */
struct refusal {
	const char *must_be;
	bool no_memory;
};

static struct refusal store_integer(const struct field *f, const json_t *v, void *place)
{
	json_int_t n = json_integer_value(v);

	switch (f->kind) {
	case FIELD_U32:
		if (!json_is_integer(v) || n < 0 || n > UINT32_MAX)
			return (struct refusal){ .must_be = "a whole number from 0 to 4294967295" };
		*(uint32_t *)place = (uint32_t)n;
		break;
	case FIELD_I32:
		if (!json_is_integer(v) || n < INT32_MIN || n > INT32_MAX)
			return (struct refusal){ .must_be = "a whole number from -2147483648 to 2147483647" };
		*(int32_t *)place = (int32_t)n;
		break;
	default:
		if (!json_is_integer(v) || n < 0)
			return (struct refusal){ .must_be = "a whole number from 0 to 9223372036854775807" };
		*(uint64_t *)place = (uint64_t)n;
		break;
	}
	return (struct refusal){ 0 };
}

static struct refusal store_time(const json_t *v, enum casing casing, int64_t *ret_ns)
{
	if (json_is_integer(v)) {
		*ret_ns = json_integer_value(v);
		return (struct refusal){ 0 };
	}
	if (casing == DISK)
		return (struct refusal){ .must_be = "a whole number of nanoseconds" };
	if (!json_is_string(v) || !timestamp_parse(json_string_value(v), json_string_length(v), ret_ns))
		return (struct refusal){ .must_be = "an RFC 3339 time from 1678 to 2261, or nanoseconds since 1970 as a whole number or decimal string, or null" };
	return (struct refusal){ 0 };
}

static struct refusal too_long(struct arena *arena, size_t cap, size_t len)
{
	const char *text = arena_printf(arena, "at most %zu bytes long, not %zu", cap, len);

	return (struct refusal){ .must_be = text, .no_memory = !text };
}

/* A file is never refused for its length: it was accepted once, perhaps by somebody with other limits. */
static bool is_too_long(const struct field *f, enum casing casing, size_t len)
{
	return casing == WIRE && f->cap && len > f->cap;
}

static struct refusal store_text(const struct field *f, const json_t *v, enum casing casing, struct arena *arena,
				 const char **ret_text)
{
	const char *text;

	if (!json_is_string(v))
		return (struct refusal){ .must_be = "a string" };
	if (is_too_long(f, casing, json_string_length(v)))
		return too_long(arena, f->cap, json_string_length(v));
	text = copy_text(v, arena);
	if (!text)
		return (struct refusal){ .no_memory = true };
	*ret_text = text;
	return (struct refusal){ 0 };
}

static struct refusal store_object(const struct field *f, const json_t *v, enum casing casing, struct arena *arena,
				   const char **ret_text)
{
	const char *text;
	size_t len = 0;

	if (!json_is_object(v))
		return (struct refusal){ .must_be = "an object or null" };
	/* The file wraps it in more levels, and the parser's limit counts them all: what is taken must come back. */
	if (casing == WIRE && json_is_deeper(v, DEPTH_MAX))
		return (struct refusal){ .must_be = "nested at most 1000 levels deep" };
	text = json_compact(v, arena, &len);
	if (!text)
		return (struct refusal){ .no_memory = true };
	if (is_too_long(f, casing, len))
		return too_long(arena, f->cap, len);
	*ret_text = text;
	return (struct refusal){ 0 };
}

static struct refusal store_null(const struct field *f, void *place)
{
	switch (f->kind) {
	case FIELD_U32:
	case FIELD_I32:
		*(uint32_t *)place = 0;
		break;
	case FIELD_U64:
	case FIELD_TIME:
		*(uint64_t *)place = 0;
		break;
	case FIELD_TEXT:
		*(const char **)place = "";
		break;
	case FIELD_OBJECT:
		*(const char **)place = NULL;
		break;
	case FIELD_BOOL:
		*(bool *)place = false;
		break;
	case FIELD_READONLY:
		break;
	}
	return (struct refusal){ 0 };
}

static struct refusal store_value(const struct field *f, const json_t *v, enum casing casing, void *into, struct arena *arena)
{
	void *place = (char *)into + f->at;

	if (json_is_null(v))
		return store_null(f, place);
	switch (f->kind) {
	case FIELD_U32:
	case FIELD_I32:
	case FIELD_U64:
		return store_integer(f, v, place);
	case FIELD_TIME:
		return store_time(v, casing, place);
	case FIELD_TEXT:
		return store_text(f, v, casing, arena, place);
	case FIELD_OBJECT:
		return store_object(f, v, casing, arena, place);
	case FIELD_BOOL:
		if (!json_is_boolean(v))
			return (struct refusal){ .must_be = "true or false" };
		*(bool *)place = json_is_true(v);
		break;
	case FIELD_READONLY:
		break;
	}
	return (struct refusal){ 0 };
}

static const struct field *find_exact(const struct field *table, size_t n, const char *key)
{
	for (size_t i = 0; i < n; i++)
		if (table[i].name[WIRE] && !strcmp(table[i].name[WIRE], key))
			return &table[i];
	return NULL;
}

/* Edit distance of two short words, at most <limit> + 1 (Levenshtein, one row). */
static size_t distance(const char *a, const char *b, size_t limit)
{
	size_t row[33], n = strlen(b), m = strlen(a);

	if (n >= COUNT(row) || m >= COUNT(row) || (m > n ? m - n : n - m) > limit)
		return limit + 1;
	for (size_t j = 0; j <= n; j++)
		row[j] = j;
	for (size_t i = 1; i <= m; i++) {
		size_t diagonal = row[0];

		row[0] = i;
		for (size_t j = 1; j <= n; j++) {
			size_t change = diagonal + (a[i - 1] != b[j - 1]);

			diagonal = row[j];
			row[j] = change < row[j] + 1 ? change : row[j] + 1;
			if (row[j - 1] + 1 < row[j])
				row[j] = row[j - 1] + 1;
		}
	}
	return row[n];
}

static const char *nearest(const struct field *table, size_t n, const char *key)
{
	const char *best = NULL;
	size_t least = 3;

	for (size_t i = 0; i < n; i++) {
		const char *name = table[i].name[WIRE];
		size_t far;

		if (!name)
			continue;
		if (!strcasecmp(name, key))
			return name;
		far = distance(key, name, 2);
		if (far < least) {
			least = far;
			best = name;
		}
	}
	return best;
}

/* RFC 6901: '~' and '/' in a member's name are escaped. */
static const char *pointer_to(struct arena *arena, const char *at, const char *key)
{
	auto_buf struct buf b = BUF(1024);

	(void)buf_add_text(&b, at);
	(void)buf_add_byte(&b, '/');
	for (; *key; key++) {
		if (*key == '~' || *key == '/')
			(void)buf_add_text(&b, *key == '~' ? "~0" : "~1");
		else
			(void)buf_add_byte(&b, *key);
	}
	return b.failed ? at : arena_copy(arena, b.at, b.len);
}

static void refuse_unknown(struct field_errors *errors, const struct field *table, size_t n, const char *at, const char *key)
{
	const char *meant, *pointer;

	if (errors->count == FIELD_ERRORS_MAX)
		return; /* enough is known: a body of a million of them must not cost more */
	meant = nearest(table, n, key);
	pointer = pointer_to(errors->arena, at, key);
	if (!pointer)
		return;
	if (meant)
		field_error(errors, pointer, "is not a known member; did you mean \"%s\"?", meant);
	else
		field_error(errors, pointer, "is not a known member");
}

int fields_from_wire(const json_t *j, const struct field *table, size_t n, const char *at, void *into, uint64_t *given,
		     struct field_errors *errors)
{
	const char *key;
	json_t *v;

	*given = 0;
	json_object_foreach((json_t *)(uintptr_t)j, key, v) {
		const struct field *f = find_exact(table, n, key);
		struct refusal refusal;

		if (!f) {
			refuse_unknown(errors, table, n, at, key);
			continue;
		}
		*given |= UINT64_C(1) << (f - table);
		refusal = store_value(f, v, WIRE, into, errors->arena);
		if (refusal.no_memory)
			return -ENOMEM;
		if (refusal.must_be && errors->count < FIELD_ERRORS_MAX)
			field_error(errors, pointer_to(errors->arena, at, key), "must be %s", refusal.must_be);
	}
	return 0;
}

/* The members of a file mostly come in the order of the table: look at <hint> first. */
static const struct field *find_folded(const struct field *table, size_t n, const char *key, size_t hint)
{
	if (hint < n && table[hint].name[DISK] && !strcmp(table[hint].name[DISK], key))
		return &table[hint];
	for (size_t i = 0; i < n; i++)
		if (table[i].name[DISK] && !strcasecmp(table[i].name[DISK], key))
			return &table[i];
	return NULL;
}

static int pass_unknown(unknown_member *unknown, void *cls, const char *key, const json_t *v)
{
	return unknown ? unknown(cls, key, v) : 0;
}

int fields_from_disk(const json_t *j, const struct field *table, size_t n, void *into, struct arena *arena,
		     unknown_member *unknown, void *cls, struct err *err)
{
	const char *key;
	size_t hint = 0;
	json_t *v;

	json_object_foreach((json_t *)(uintptr_t)j, key, v) {
		const struct field *f = find_folded(table, n, key, hint);
		struct refusal refusal;

		if (!f) {
			int r = pass_unknown(unknown, cls, key, v);

			if (r < 0)
				return err_set(err, r, "member %s", key);
			continue;
		}
		hint = (size_t)(f - table) + 1;
		refusal = json_is_null(v) ? (struct refusal){ 0 } : store_value(f, v, DISK, into, arena);
		if (refusal.no_memory)
			return err_set(err, -ENOMEM, "member %s", key);
		if (refusal.must_be)
			return err_say(err, -EBADMSG, "member %s must be %s", key, refusal.must_be);
	}
	return 0;
}
