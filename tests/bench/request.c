/* Request shapes of request.h. */
#define _GNU_SOURCE
#include "request.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void append(struct request_shape *shape, const char *bytes, size_t len)
{
	if (shape->len + len > CAP_REQUEST)
		die("the request is longer than %d bytes", CAP_REQUEST);
	memcpy(shape->bytes + shape->len, bytes, len);
	shape->len += len;
}

static void append_text(struct request_shape *shape, const char *text)
{
	append(shape, text, strlen(text));
}

static void append_hole(struct request_shape *shape, size_t *holes, unsigned *count, size_t width)
{
	char zeros[ID_LEN];

	if (*count == CAP_HOLES)
		die("more than %d holes of a kind", CAP_HOLES);
	memset(zeros, '0', sizeof zeros);
	holes[(*count)++] = shape->len;
	append(shape, zeros, width);
}

static void append_holey(struct request_shape *shape, const char *text)
{
	while (*text) {
		if (!strncmp(text, "@ID@", 4)) {
			append_hole(shape, shape->id_at, &shape->ids, ID_LEN);
			text += 4;
		} else if (!strncmp(text, "@SEQ@", 5)) {
			append_hole(shape, shape->seq_at, &shape->seqs, SEQ_LEN);
			text += 5;
		} else {
			append(shape, text++, 1);
		}
	}
}

static void append_header(struct request_shape *shape, const char *name, const char *value)
{
	if (!value)
		return;
	append_text(shape, name);
	append_text(shape, ": ");
	append_text(shape, value);
	append_text(shape, "\r\n");
}

/* Its length once the holes are filled. */
static size_t body_len(const char *body)
{
	struct request_shape alone = { .bytes = need_memory(CAP_REQUEST, 1) };
	size_t len;

	append_holey(&alone, body);
	len = alone.len;
	free(alone.bytes);
	return len;
}

void request_shape_make(const struct request_parts *parts, struct request_shape *ret_shape)
{
	struct request_shape shape = { .bytes = need_memory(CAP_REQUEST, 1) };
	char digits[32];

	append_text(&shape, parts->method);
	append_text(&shape, " ");
	append_holey(&shape, parts->path);
	append_text(&shape, " HTTP/1.1\r\nHost: localhost\r\n");
	append_header(&shape, "Accept", parts->accept);
	append_header(&shape, "Content-Type", parts->type);
	if (parts->body) {
		(void)snprintf(digits, sizeof digits, "%zu", body_len(parts->body));
		append_header(&shape, "Content-Length", digits);
	}
	append_text(&shape, "\r\n");
	if (parts->body)
		append_holey(&shape, parts->body);
	*ret_shape = shape;
}

void request_fill(const struct request_shape *shape, char *copy, const char id[ID_LEN], uint64_t seq)
{
	char digits[SEQ_LEN];

	for (unsigned i = 0; i < shape->ids; i++)
		memcpy(copy + shape->id_at[i], id, ID_LEN);
	for (int i = SEQ_LEN - 1; i >= 0; i--, seq /= 10)
		digits[i] = (char)('0' + seq % 10);
	for (unsigned i = 0; i < shape->seqs; i++)
		memcpy(copy + shape->seq_at[i], digits, SEQ_LEN);
}
