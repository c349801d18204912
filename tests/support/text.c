#include "support/text.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A block is freed by nobody: see the header. */
struct block {
	struct block *next;
	char bytes[];
};

static struct block *blocks;
static pthread_mutex_t blocks_lock = PTHREAD_MUTEX_INITIALIZER;

static char *keep(size_t len)
{
	struct block *b = calloc(1, sizeof *b + len + 1);

	if (!b)
		abort();
	(void)pthread_mutex_lock(&blocks_lock);
	b->next = blocks;
	blocks = b;
	(void)pthread_mutex_unlock(&blocks_lock);
	return b->bytes;
}

char *text(const char *format, ...)
{
	char *made = NULL, *kept;
	va_list args;
	int len;

	va_start(args, format);
	len = vasprintf(&made, format, args);
	va_end(args);
	if (len < 0)
		abort();
	kept = text_copy(made, (size_t)len);
	free(made);
	return kept;
}

char *text_copy(const char *bytes, size_t count)
{
	char *out = keep(count);

	if (count > 0)
		memcpy(out, bytes, count);
	return out;
}

char *text_repeat(const char *piece, size_t count)
{
	size_t len = strlen(piece);
	char *out = keep(len * count);

	for (size_t i = 0; i < count; i++)
		memcpy(out + i * len, piece, len);
	return out;
}

/* The value of the {name} at <at>, or NULL when it is none of ours (then it stands as it is: JSON has braces too). */
static const char *value_at(const char *at, const char *const *pairs, size_t *ret_skip)
{
	for (; *pairs; pairs += 2) {
		size_t len = strlen(pairs[0]);

		if (!strncmp(at + 1, pairs[0], len) && at[1 + len] == '}') {
			*ret_skip = len + 2;
			return pairs[1];
		}
	}
	return NULL;
}

char *text_fill(const char *template, const char *const *pairs)
{
	char *out = NULL, *kept;
	size_t len = 0, skip;
	FILE *f = open_memstream(&out, &len);

	if (!f)
		abort();
	for (const char *p = template; *p;) {
		const char *value = *p == '{' ? value_at(p, pairs, &skip) : NULL;

		if (value) {
			(void)fputs(value, f);
			p += skip;
		} else {
			(void)fputc(*p++, f);
		}
	}
	if (fclose(f) != 0)
		abort();
	kept = text_copy(out, len);
	free(out);
	return kept;
}

char *text_show(const char *bytes, size_t count, size_t most)
{
	size_t shown = count < most ? count : most;
	char *out = keep(shown * 4 + 16), *p = out;

	for (size_t i = 0; i < shown; i++) {
		unsigned char c = (unsigned char)bytes[i];

		if (c == '\r' || c == '\n')
			p += sprintf(p, "\\%c", c == '\r' ? 'r' : 'n');
		else if (c < 0x20 || c > 0x7e)
			p += sprintf(p, "\\x%02x", c);
		else
			*p++ = (char)c;
	}
	if (shown < count)
		(void)strcpy(p, "...");
	return out;
}

char *text_of_file(const char *path, size_t *ret_len)
{
	FILE *f = fopen(path, "re");
	char piece[4096], *all = NULL, *kept;
	size_t len = 0, n;
	FILE *out;

	if (!f)
		return NULL;
	out = open_memstream(&all, &len);
	if (!out)
		abort();
	while ((n = fread(piece, 1, sizeof piece, f)) > 0)
		(void)fwrite(piece, 1, n, out);
	(void)fclose(f);
	if (fclose(out) != 0)
		abort();
	kept = text_copy(all, len);
	free(all);
	if (ret_len)
		*ret_len = len;
	return kept;
}

int text_to_file(const char *path, const char *content)
{
	FILE *f = fopen(path, "we");
	int bad;

	if (!f)
		return -1;
	bad = fputs(content, f) < 0;
	return fclose(f) != 0 || bad ? -1 : 0;
}
