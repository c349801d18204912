/* Reply reader of http_reply.h. */
#define _GNU_SOURCE
#include "http_reply.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum phase { HEAD, BODY, CHUNK_SIZE, CHUNK_EXTENSION, CHUNK_DATA, CHUNK_END, TRAILER_START, TRAILER_LINE, COMPLETE };

void http_reply_reset(struct http_reply *reply)
{
	reply->status = 0;
	reply->closes = false;
	reply->body_bytes = 0;
	reply->phase = HEAD;
	reply->chunked = false;
	reply->left = 0;
	reply->chunk_size = 0;
	reply->head_len = 0;
}

static const char *header_value(const char *line, const char *name)
{
	size_t len = strlen(name);

	if (strncasecmp(line, name, len) || line[len] != ':')
		return NULL;
	line += len + 1;
	return line + strspn(line, " \t");
}

static void read_header(struct http_reply *reply, const char *line)
{
	const char *value;

	if ((value = header_value(line, "Content-Length")))
		reply->left = strtoull(value, NULL, 10);
	else if ((value = header_value(line, "Transfer-Encoding")))
		reply->chunked = !strncasecmp(value, "chunked", 7);
	else if ((value = header_value(line, "Connection")))
		reply->closes = !strncasecmp(value, "close", 5);
}

/* The head stands in reply->head, closed by a NUL behind its last CRLF. */
static int read_head(struct http_reply *reply)
{
	const char *line = reply->head;

	if (strncmp(line, "HTTP/1.", 7) || strlen(line) < 12)
		return -EPROTO;
	reply->status = atoi(line + 9);
	if (reply->status < 200 || reply->status > 599)
		return -EPROTO;
	while ((line = strstr(line, "\r\n")) && line[2])
		read_header(reply, line += 2);
	if (reply->status == 204 || reply->status == 304)
		reply->phase = COMPLETE;
	else if (reply->chunked)
		reply->phase = CHUNK_SIZE;
	else
		reply->phase = reply->left ? BODY : COMPLETE;
	return 0;
}

/* Collect head bytes up to the empty line; how many were taken, or -EPROTO. */
static ssize_t take_head(struct http_reply *reply, const char *bytes, size_t len)
{
	size_t before = reply->head_len, room = CAP_REPLY_HEAD - before;
	size_t copy = len < room ? len : room, from = before > 3 ? before - 3 : 0;
	char *end;

	memcpy(reply->head + before, bytes, copy);
	reply->head_len += copy;
	end = memmem(reply->head + from, reply->head_len - from, "\r\n\r\n", 4);
	if (!end)
		return reply->head_len < CAP_REPLY_HEAD ? (ssize_t)copy : -EPROTO;
	end[2] = '\0';
	if (read_head(reply) < 0)
		return -EPROTO;
	return end + 4 - reply->head - (ssize_t)before;
}

/* One byte of chunk framing (RFC 9112 §7.1); trailers are passed over. */
static int take_framing(struct http_reply *reply, char c)
{
	switch (reply->phase) {
	case CHUNK_SIZE:
		if (isxdigit((unsigned char)c)) {
			unsigned digit = isdigit((unsigned char)c) ? c - '0' : (c | 32) - 'a' + 10;

			reply->chunk_size = reply->chunk_size << 4 | digit;
			return 0;
		}
		if (c != ';' && c != '\r')
			return -EPROTO;
		reply->phase = CHUNK_EXTENSION; /* to the end of the line, whatever it holds */
		return 0;
	case CHUNK_EXTENSION:
		if (c == '\n') {
			reply->left = reply->chunk_size;
			reply->phase = reply->chunk_size ? CHUNK_DATA : TRAILER_START;
			reply->chunk_size = 0;
		}
		return 0;
	case CHUNK_END:
		if (c == '\n')
			reply->phase = CHUNK_SIZE;
		return c == '\n' || c == '\r' ? 0 : -EPROTO;
	case TRAILER_START:
		if (c == '\n')
			reply->phase = COMPLETE;
		else if (c != '\r')
			reply->phase = TRAILER_LINE;
		return 0;
	default: /* TRAILER_LINE */
		if (c == '\n')
			reply->phase = TRAILER_START;
		return 0;
	}
}

static size_t take_content(struct http_reply *reply, size_t len)
{
	size_t n = len < reply->left ? len : (size_t)reply->left;

	reply->left -= n;
	reply->body_bytes += n;
	if (reply->left == 0)
		reply->phase = reply->chunked ? CHUNK_END : COMPLETE;
	return n;
}

int http_reply_feed(struct http_reply *reply, const char *bytes, size_t len)
{
	while (len > 0) {
		ssize_t used = 1;

		if (reply->phase == COMPLETE)
			return -EPROTO;
		if (reply->phase == HEAD)
			used = take_head(reply, bytes, len);
		else if (reply->phase == BODY || reply->phase == CHUNK_DATA)
			used = (ssize_t)take_content(reply, len);
		else if (take_framing(reply, *bytes) < 0)
			used = -EPROTO;
		if (used < 0)
			return -EPROTO;
		bytes += used;
		len -= (size_t)used;
	}
	return reply->phase == COMPLETE ? HTTP_REPLY_DONE : HTTP_REPLY_MORE;
}
