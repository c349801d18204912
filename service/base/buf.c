#include "base/buf.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void buf_free(struct buf *b)
{
	free(b->at);
	*b = (struct buf)BUF(b->cap);
}

void buf_reset(struct buf *b)
{
	b->len = 0;
	b->failed = 0;
}

static int fail(struct buf *b, int code)
{
	if (!b->failed)
		b->failed = code;
	return code;
}

static int grow(struct buf *b, size_t n)
{
	size_t want = b->room ? b->room : 256;
	char *grown;

	while (want < b->len + n)
		want *= 2;
	if (want > b->cap)
		want = b->cap;
	grown = realloc(b->at, want);
	if (!grown)
		return fail(b, -ENOMEM);
	b->at = grown;
	b->room = want;
	return 0;
}

int buf_reserve(struct buf *b, size_t n)
{
	if (n > b->cap - b->len)
		return fail(b, -EMSGSIZE);
	return n > b->room - b->len ? grow(b, n) : 0;
}

int buf_add(struct buf *b, const void *p, size_t n)
{
	int r = buf_reserve(b, n);

	if (r < 0)
		return r;
	if (n > 0)
		memcpy(b->at + b->len, p, n);
	b->len += n;
	return 0;
}

int buf_add_text(struct buf *b, const char *text)
{
	return buf_add(b, text, strlen(text));
}

int buf_add_byte(struct buf *b, char c)
{
	return buf_add(b, &c, 1);
}

int buf_add_zeros(struct buf *b, size_t n)
{
	int r = buf_reserve(b, n);

	if (r < 0)
		return r;
	if (n > 0)
		memset(b->at + b->len, 0, n);
	b->len += n;
	return 0;
}

int buf_add_u64(struct buf *b, uint64_t n)
{
	char digits[20], *p = digits + sizeof digits;

	do {
		*--p = (char)('0' + n % 10);
		n /= 10;
	} while (n > 0);
	return buf_add(b, p, (size_t)(digits + sizeof digits - p));
}

int buf_add_i64(struct buf *b, int64_t n)
{
	int r = n < 0 ? buf_add_byte(b, '-') : 0;

	if (r < 0)
		return r;
	/* Negating in unsigned arithmetic is defined for INT64_MIN too. */
	return buf_add_u64(b, n < 0 ? 0 - (uint64_t)n : (uint64_t)n);
}

int buf_addf(struct buf *b, const char *fmt, ...)
{
	char small[256];
	va_list args;
	int n, r;

	va_start(args, fmt);
	n = vsnprintf(small, sizeof small, fmt, args);
	va_end(args);
	if (n < 0)
		return fail(b, -EINVAL);
	if ((size_t)n < sizeof small)
		return buf_add(b, small, (size_t)n);
	r = buf_reserve(b, (size_t)n + 1);
	if (r < 0)
		return r;
	va_start(args, fmt);
	(void)vsnprintf(b->at + b->len, (size_t)n + 1, fmt, args);
	va_end(args);
	b->len += (size_t)n;
	return 0;
}

const char *buf_text(struct buf *b)
{
	if (buf_reserve(b, 1) < 0)
		return NULL;
	b->at[b->len] = '\0';
	return b->at;
}

char *buf_take(struct buf *b, size_t *ret_len)
{
	char *at = take(b->at);

	*ret_len = b->len;
	*b = (struct buf)BUF(b->cap);
	return at;
}
