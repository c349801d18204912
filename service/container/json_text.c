#include "container/json_text.h"

#include <string.h>

/* Bytes that cannot be copied as they are: controls, quote, backslash, markup, and all that may begin or be a
 * multi-byte sequence. */
static bool is_special(unsigned char c)
{
	return c < 0x20 || c == '"' || c == '\\' || c == '<' || c == '>' || c == '&' || c >= 0x7f;
}

static bool is_continuation(unsigned char c)
{
	return (c & 0xc0) == 0x80;
}

/* RFC 3629, table of syntax. */
size_t json_text_sequence(const unsigned char *p)
{
	if (p[0] < 0x80)
		return 1;
	if (p[0] >= 0xc2 && p[0] <= 0xdf)
		return is_continuation(p[1]) ? 2 : 0;
	if (p[0] >= 0xe0 && p[0] <= 0xef) {
		unsigned char low = p[0] == 0xe0 ? 0xa0 : 0x80, high = p[0] == 0xed ? 0x9f : 0xbf;

		return p[1] >= low && p[1] <= high && is_continuation(p[2]) ? 3 : 0;
	}
	if (p[0] >= 0xf0 && p[0] <= 0xf4) {
		unsigned char low = p[0] == 0xf0 ? 0x90 : 0x80, high = p[0] == 0xf4 ? 0x8f : 0xbf;

		return p[1] >= low && p[1] <= high && is_continuation(p[2]) && is_continuation(p[3]) ? 4 : 0;
	}
	return 0;
}

static void add_ascii(struct buf *b, unsigned char c)
{
	static const char controls[] = "\b\f\n\r\t", letters[] = "bfnrt";
	const char *known = memchr(controls, c, sizeof controls - 1);

	if (c == '\0')
		(void)buf_add_text(b, "\xef\xbf\xbd");
	else if (c == '"' || c == '\\')
		(void)buf_addf(b, "\\%c", c);
	else if (known)
		(void)buf_addf(b, "\\%c", letters[known - controls]);
	else if (c < 0x20 || c == '<' || c == '>' || c == '&')
		(void)buf_addf(b, "\\u%04x", c);
	else
		(void)buf_add_byte(b, (char)c); /* DEL: Go leaves it raw */
}

/* Append the one character at <p> and return how many bytes it took. */
static size_t add_special(struct buf *b, const unsigned char *p)
{
	size_t n = json_text_sequence(p);

	if (n == 0) {
		(void)buf_add_text(b, "\\ufffd");
		return 1;
	}
	if (n == 1)
		add_ascii(b, p[0]);
	else if (n == 3 && p[0] == 0xe2 && p[1] == 0x80 && (p[2] & 0xfe) == 0xa8)
		(void)buf_addf(b, "\\u202%x", p[2] & 0xf);
	else
		(void)buf_add(b, p, n);
	return n;
}

int json_text_add_bytes(struct buf *b, const char *text, size_t len)
{
	const unsigned char *p = (const unsigned char *)text, *end = p + len;

	(void)buf_add_byte(b, '"');
	while (p < end) {
		const unsigned char *plain = p;

		while (!is_special(*p)) /* stops at the end: NUL is special */
			p++;
		(void)buf_add(b, plain, (size_t)(p - plain));
		if (p < end)
			p += add_special(b, p);
	}
	(void)buf_add_byte(b, '"');
	return b->failed;
}

int json_text_add(struct buf *b, const char *text)
{
	return json_text_add_bytes(b, text, strlen(text));
}

int json_key_add(struct buf *b, const char *name)
{
	(void)buf_add_byte(b, '"');
	(void)buf_add_text(b, name);
	(void)buf_add(b, "\":", 2);
	return b->failed;
}
