/* A function that answers false may leave the reader anywhere: nobody goes on from there. */
#include "container/canonical.h"

#include <string.h>

#include "container/container.h"
#include "container/json_text.h"

/* ---- bytes ---- */

static size_t left(const struct canonical *r)
{
	return (size_t)(r->end - r->at);
}

bool canonical_accept(struct canonical *r, const char *text)
{
	size_t len = strlen(text);

	if (left(r) < len || memcmp(r->at, text, len) != 0)
		return false;
	r->at += len;
	return true;
}

static bool accept_byte(struct canonical *r, char c)
{
	if (r->at == r->end || *r->at != c)
		return false;
	r->at++;
	return true;
}

/* ---- strings ---- */

/* What stands in a string as it is: ASCII but for controls, quote, backslash and markup. */
static const bool plain[256] = {
	[0x20 ... 0x21] = true, [0x23 ... 0x25] = true, [0x27 ... 0x3b] = true, [0x3d] = true,
	[0x3f ... 0x5b] = true, [0x5d ... 0x7f] = true,
};

enum { ESCAPE_ROOM = sizeof "\\u0000" - 1 };

static bool is_separator(uint32_t c)
{
	return c == 0x2028 || c == 0x2029;
}

/* The length of the character at <at>, beyond ASCII, that the writer leaves as it is; 0 when it is none. */
static size_t sequence(const char *at)
{
	const unsigned char *p = (const unsigned char *)at;
	size_t n = json_text_sequence(p);

	if (n == 3 && is_separator((p[0] & 0xfu) << 12 | (p[1] & 0x3fu) << 6 | (p[2] & 0x3fu)))
		return 0;
	return n > 1 ? n : 0;
}

static const char letters[] = "\"\\bfnrt", meant[] = "\"\\\b\f\n\r\t";

/* The length of the escape at <p>, and the character; 0 when it is none that the writer makes. */
static size_t escape(const char *p, uint32_t *ret)
{
	static const char digits[] = "0123456789abcdef";
	const char *known = memchr(letters, p[1], sizeof letters - 1);
	uint32_t c = 0;

	if (known) {
		*ret = (unsigned char)meant[known - letters];
		return 2;
	}
	for (int i = 2; i < ESCAPE_ROOM; i++) {
		const char *digit = memchr(digits, p[i], sizeof digits - 1);

		if (!digit)
			return 0;
		c = c << 4 | (uint32_t)(digit - digits);
	}
	*ret = c;
	if (p[1] != 'u' || c == 0 || (c < 0x20 && memchr(meant, (int)c, sizeof meant - 1)))
		return 0;
	return c < 0x20 || c == '<' || c == '>' || c == '&' || is_separator(c) ? ESCAPE_ROOM : 0;
}

/* A string; what is between its quotes, and whether there are escapes. */
static bool read_string(struct canonical *r, struct slice *ret, bool *ret_escaped)
{
	const char *start;
	uint32_t ignored;

	if (!accept_byte(r, '"'))
		return false;
	*ret_escaped = false;
	for (start = r->at;;) {
		size_t n;

		while (r->at < r->end && plain[(unsigned char)*r->at])
			r->at++;
		if (accept_byte(r, '"'))
			break;
		if (left(r) < ESCAPE_ROOM) /* no string ends the document: there is more behind its last character */
			return false;
		*ret_escaped = *ret_escaped || *r->at == '\\';
		n = *r->at == '\\' ? escape(r->at, &ignored) : sequence(r->at);
		if (n == 0)
			return false;
		r->at += n;
	}
	*ret = (struct slice){ start, (size_t)(r->at - start) - 1 };
	return true;
}

static char *put_character(char *to, uint32_t c)
{
	if (is_separator(c)) {
		*to++ = (char)0xe2;
		*to++ = (char)0x80;
		c = 0x80 | (c & 0x3f);
	}
	*to++ = (char)c;
	return to;
}

/* An escape is never shorter than what it stands for. */
bool canonical_text(struct canonical *r, const char **ret)
{
	struct slice raw;
	bool escaped;
	char *text, *to;
	uint32_t c;

	if (!read_string(r, &raw, &escaped))
		return false;
	text = raw.len ? arena_copy(r->arena, raw.at, raw.len) : NULL;
	*ret = raw.len ? text : "";
	if (!escaped || !text)
		return *ret != NULL;
	to = text;
	for (const char *p = raw.at, *end = raw.at + raw.len; p < end;) {
		if (*p != '\\') {
			*to++ = *p++;
			continue;
		}
		p += escape(p, &c);
		to = put_character(to, c);
	}
	*to = '\0';
	return true;
}

/* ---- numbers ---- */

bool canonical_integer(struct canonical *r, int64_t least, int64_t most, int64_t *ret)
{
	bool negative = accept_byte(r, '-');
	const char *start = r->at;
	uint64_t n = 0, limit = negative ? (uint64_t)INT64_MAX + 1 : INT64_MAX;

	while (r->at < r->end && *r->at >= '0' && *r->at <= '9' && r->at - start < 19) /* 19 digits fit, 20 may not */
		n = 10 * n + (uint64_t)(*r->at++ - '0');
	if (r->at == start || (*start == '0' && (negative || r->at - start > 1)) || n > limit)
		return false;
	*ret = negative ? (int64_t)(0 - n) : (int64_t)n;
	return *ret >= least && *ret <= most;
}

/* ---- opaque objects ---- */

/* Which objects and arrays are open, and the keys seen in those objects: one that came twice the tree would drop. */
struct nest {
	size_t depth, key_count;
	bool is_object[CANONICAL_DEPTH];
	size_t first_key[CANONICAL_DEPTH];
	struct slice keys[CANONICAL_KEYS];
	const char *labels; /* the value of the outermost object's member "labels" */
};

static bool open_one(struct canonical *r, struct nest *n)
{
	if (n->depth == CANONICAL_DEPTH)
		return false;
	n->is_object[n->depth] = *r->at++ == '{';
	n->first_key[n->depth++] = n->key_count;
	return true;
}

static bool close_one(struct canonical *r, struct nest *n)
{
	if (!accept_byte(r, n->is_object[n->depth - 1] ? '}' : ']'))
		return false;
	n->key_count = n->first_key[--n->depth];
	return true;
}

static bool same(struct slice a, struct slice b)
{
	return a.len == b.len && !memcmp(a.at, b.at, b.len);
}

static bool skip_key(struct canonical *r, struct nest *n)
{
	struct slice key;
	bool escaped;

	if (n->key_count == CANONICAL_KEYS || !read_string(r, &key, &escaped) || escaped || !accept_byte(r, ':'))
		return false;
	for (size_t i = n->first_key[n->depth - 1]; i < n->key_count; i++)
		if (same(n->keys[i], key))
			return false;
	n->keys[n->key_count++] = key;
	if (n->depth == 1 && same(key, (struct slice){ "labels", 6 }))
		n->labels = r->at;
	return true;
}

static bool skip_scalar(struct canonical *r)
{
	struct slice text;
	int64_t number;
	bool escaped;

	if (r->at < r->end && *r->at == '"')
		return read_string(r, &text, &escaped);
	return canonical_accept(r, "null") || canonical_accept(r, "true") || canonical_accept(r, "false") ||
	       canonical_integer(r, INT64_MIN, INT64_MAX, &number);
}

/* One value and all that is in it.  Each turn begins where a value does and ends where the next one does. */
static bool skip_value(struct canonical *r, struct nest *n)
{
	do {
		bool opened = r->at < r->end && (*r->at == '{' || *r->at == '[');

		if (opened ? !open_one(r, n) : !skip_scalar(r))
			return false;
		opened = opened && !close_one(r, n);
		while (!opened && n->depth > 0 && !accept_byte(r, ','))
			if (!close_one(r, n))
				return false;
		if (n->depth > 0 && n->is_object[n->depth - 1] && !skip_key(r, n))
			return false;
	} while (n->depth > 0);
	return true;
}

bool canonical_object(struct canonical *r, const char **ret)
{
	const char *start = r->at;
	struct nest n;

	if (canonical_accept(r, "null"))
		return true;
	n.depth = n.key_count = 0; /* the rest is large, and written before it is read */
	n.labels = NULL;
	if (r->at == r->end || *r->at != '{' || !skip_value(r, &n))
		return false;
	r->labels = n.labels;
	*ret = arena_copy(r->arena, start, (size_t)(r->at - start));
	return *ret != NULL;
}
