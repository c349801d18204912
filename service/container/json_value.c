#include "container/json_value.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "container/json_text.h"

const char *json_library(void)
{
	return jansson_version_str();
}

/* The shortest decimal form that reads back as the same number: 0.1 must not come back as 0.10000000000000001. */
static void add_real(struct buf *b, double value)
{
	char text[40];

	for (int digits = 15; digits <= 17; digits++) {
		(void)snprintf(text, sizeof text, "%.*g", digits, value);
		if (strtod(text, NULL) == value)
			break;
	}
	(void)buf_add_text(b, text);
	if (!strpbrk(text, ".e"))
		(void)buf_add_text(b, ".0"); /* a reader that tells 1 from 1.0 finds what it wrote */
}

static void add_json(struct buf *b, const json_t *j);

static void add_object(struct buf *b, json_t *j)
{
	const char *key, *comma = "";
	json_t *v;

	(void)buf_add_byte(b, '{');
	json_object_foreach(j, key, v) {
		(void)buf_add_text(b, comma);
		(void)json_text_add(b, key);
		(void)buf_add_byte(b, ':');
		add_json(b, v);
		comma = ",";
	}
	(void)buf_add_byte(b, '}');
}

static void add_array(struct buf *b, json_t *j)
{
	const char *comma = "";
	size_t i;
	json_t *v;

	(void)buf_add_byte(b, '[');
	json_array_foreach(j, i, v) {
		(void)buf_add_text(b, comma);
		add_json(b, v);
		comma = ",";
	}
	(void)buf_add_byte(b, ']');
}

/* The parser's own limit of 2048 levels bounds the recursion. */
static void add_json(struct buf *b, const json_t *j)
{
	switch (json_typeof(j)) {
	case JSON_OBJECT:
		add_object(b, (json_t *)(uintptr_t)j);
		break;
	case JSON_ARRAY:
		add_array(b, (json_t *)(uintptr_t)j);
		break;
	case JSON_STRING:
		(void)json_text_add_bytes(b, json_string_value(j), json_string_length(j));
		break;
	case JSON_INTEGER:
		(void)buf_add_i64(b, json_integer_value(j));
		break;
	case JSON_REAL:
		add_real(b, json_real_value(j));
		break;
	case JSON_TRUE:
		(void)buf_add_text(b, "true");
		break;
	case JSON_FALSE:
		(void)buf_add_text(b, "false");
		break;
	case JSON_NULL:
		(void)buf_add_text(b, "null");
		break;
	}
}

bool json_is_deeper(const json_t *j, unsigned levels)
{
	const char *key;
	json_t *v;
	size_t i;

	if (!json_is_object(j) && !json_is_array(j))
		return false;
	if (levels == 0)
		return true;
	json_object_foreach((json_t *)(uintptr_t)j, key, v)
		if (json_is_deeper(v, levels - 1))
			return true;
	json_array_foreach((json_t *)(uintptr_t)j, i, v)
		if (json_is_deeper(v, levels - 1))
			return true;
	return false;
}

/* ---- parsing ---- */

static _Thread_local unsigned failed_allocations;

static void *allocate(size_t n)
{
	void *at = malloc(n);

	failed_allocations += !at;
	return at;
}

/* Before main and before every thread; what was allocated earlier is freed the same way. */
__attribute__((constructor)) static void watch_allocations(void)
{
	json_set_alloc_funcs(allocate, free);
}

void json_watch(void)
{
	failed_allocations = 0;
}

bool json_ran_out(void)
{
	return failed_allocations > 0;
}

int json_read(const char *at, size_t len, size_t flags, json_t **ret, json_error_t *ret_why)
{
	json_t *j;

	json_watch();
	j = json_loadb(at, len, flags, ret_why);
	if (json_ran_out()) {
		json_decref(j); /* it may have lost a part of its text */
		return -ENOMEM;
	}
	if (!j)
		return -EBADMSG;
	*ret = j;
	return 0;
}

enum { CAP_JSON_VALUE = 16 * 1024 * 1024 };

const char *json_compact(const json_t *j, struct arena *arena, size_t *ret_len)
{
	auto_buf struct buf b = BUF(CAP_JSON_VALUE);
	const char *text;

	add_json(&b, j);
	text = b.failed ? NULL : arena_copy(arena, b.at, b.len);
	if (text && ret_len)
		*ret_len = b.len;
	return text;
}
