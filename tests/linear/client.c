#include "linear/client.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

enum { WAIT_SECONDS = 25, HEAD_MAX = 8192, REQUEST_MAX = 512 * 1024 };

struct client {
	int fd; /* -1 when closed */
	char *got;
	size_t len, room;
};

static bool parse_address(const char *text, struct sockaddr_in *ret)
{
	const char *colon = strrchr(text, ':');
	char host[32];

	if (!colon || (size_t)(colon - text) >= sizeof host)
		return false;
	memcpy(host, text, (size_t)(colon - text));
	host[colon - text] = '\0';
	*ret = (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = htons((uint16_t)strtoul(colon + 1, NULL, 10)) };
	return inet_pton(AF_INET, host, &ret->sin_addr) == 1;
}

struct client *client_open(const char *address)
{
	struct timeval limit = { .tv_sec = WAIT_SECONDS };
	struct client *c = calloc(1, sizeof *c);
	struct sockaddr_in to;
	int one = 1;

	if (!c)
		abort();
	c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (c->fd < 0 || !parse_address(address, &to) ||
	    setsockopt(c->fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit) < 0 ||
	    setsockopt(c->fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit) < 0 ||
	    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one) < 0 ||
	    connect(c->fd, (const struct sockaddr *)&to, sizeof to) < 0) {
		client_close(c);
		return NULL;
	}
	return c;
}

static void hang_up(struct client *c)
{
	if (c->fd >= 0)
		(void)close(c->fd);
	c->fd = -1;
}

void client_close(struct client *c)
{
	if (!c)
		return;
	hang_up(c);
	free(c->got);
	free(c);
}

int client_is_open(const struct client *c)
{
	return c->fd >= 0;
}

/* ---- asking ---- */

/* The request as bytes, in memory that the caller frees. */
static char *write_request(const struct ask *a, size_t *ret_len)
{
	size_t body_len = a->body ? strlen(a->body) : 0, room = HEAD_MAX + body_len;
	char *out = malloc(room);
	int len;

	if (!out || body_len > REQUEST_MAX)
		abort();
	len = snprintf(out, HEAD_MAX, "%s %s HTTP/1.1\r\nHost: localhost\r\n%s", a->method, a->target, a->headers ? a->headers : "");
	if (a->body && !(a->headers && strstr(a->headers, "Content-Type:")))
		len += snprintf(out + len, HEAD_MAX - (size_t)len, "Content-Type: application/json\r\n");
	if (a->body)
		len += snprintf(out + len, HEAD_MAX - (size_t)len, "Content-Length: %zu\r\n", body_len);
	len += snprintf(out + len, HEAD_MAX - (size_t)len, "\r\n");
	if (len >= HEAD_MAX)
		abort();
	if (body_len)
		memcpy(out + len, a->body, body_len);
	*ret_len = (size_t)len + body_len;
	return out;
}

static bool send_all(struct client *c, const char *bytes, size_t len)
{
	while (len > 0) {
		ssize_t n = send(c->fd, bytes, len, MSG_NOSIGNAL);

		if (n <= 0)
			return false;
		bytes += n;
		len -= (size_t)n;
	}
	return true;
}

/* ---- the answer ---- */

/* One more piece; false when none comes. */
static bool receive(struct client *c)
{
	ssize_t n;

	if (c->room - c->len < 16384) {
		c->room = c->room ? 2 * c->room : 32768;
		c->got = realloc(c->got, c->room);
		if (!c->got)
			abort();
	}
	n = recv(c->fd, c->got + c->len, c->room - c->len - 1, 0);
	if (n <= 0)
		return false;
	c->len += (size_t)n;
	c->got[c->len] = '\0';
	return true;
}

/* The value of a header field in the head, which is ended by an empty line; NULL when it is not there. */
static const char *field(const char *head, const char *name)
{
	size_t len = strlen(name);

	for (const char *line = strstr(head, "\r\n"); line && line[2] != '\r'; line = strstr(line + 2, "\r\n"))
		if (!strncasecmp(line + 2, name, len) && line[2 + len] == ':')
			return line + 2 + len + 1 + strspn(line + 2 + len + 1, " ");
	return NULL;
}

/* Read the head, passing over interim ones; how long it is, 0 when none comes. */
static size_t read_head(struct client *c, int *ret_status)
{
	for (;;) {
		char *end;

		while (!(end = c->len ? strstr(c->got, "\r\n\r\n") : NULL))
			if (!receive(c))
				return 0;
		if (sscanf(c->got, "HTTP/1.1 %d", ret_status) != 1)
			return 0;
		if (*ret_status >= 200)
			return (size_t)(end - c->got) + 4;
		c->len -= (size_t)(end - c->got) + 4;
		memmove(c->got, end + 4, c->len + 1);
	}
}

/* Take the framing of chunks out, in place; false when it does not end well. */
static bool read_chunks(struct client *c, size_t at, size_t *ret_end)
{
	size_t to = at;

	for (;;) {
		size_t size, line;
		char *end;

		while (!(end = strstr(c->got + at, "\r\n")))
			if (!receive(c))
				return false;
		size = strtoul(c->got + at, NULL, 16);
		line = (size_t)(end - c->got) + 2 - at;
		while (c->len < at + line + size + 2)
			if (!receive(c))
				return false;
		memmove(c->got + to, c->got + at + line, size);
		to += size;
		at += line + size + 2;
		if (size == 0) {
			*ret_end = to;
			return true;
		}
	}
}

static bool read_body(struct client *c, const char *method, int status, size_t head, size_t *ret_end)
{
	const char *length = field(c->got, "Content-Length"), *coding = field(c->got, "Transfer-Encoding");

	*ret_end = head;
	if (status == 204 || status == 304 || !strcmp(method, "HEAD"))
		return true;
	if (coding)
		return read_chunks(c, head, ret_end);
	if (length)
		*ret_end += strtoul(length, NULL, 10);
	while (c->len < *ret_end)
		if (!receive(c))
			return false;
	return true;
}

struct answer client_ask(struct client *c, const struct ask *a)
{
	struct answer answer = { 0 };
	const char *tag, *connection;
	size_t len, head = 0, end = 0;
	char *request = write_request(a, &len);
	bool closes;

	c->len = 0;
	if (send_all(c, request, len))
		head = read_head(c, &answer.status);
	free(request);
	if (head == 0 || !read_body(c, a->method, answer.status, head, &end)) {
		hang_up(c);
		return (struct answer){ 0 };
	}
	tag = field(c->got, "ETag");
	if (tag && *tag == '"')
		answer.revision = strtoull(tag + 1, NULL, 10);
	connection = field(c->got, "Connection");
	closes = connection && !strncasecmp(connection, "close", 5);
	c->got[end] = '\0';
	answer.body = c->got + head;
	answer.len = end - head;
	if (closes)
		hang_up(c);
	return answer;
}

void client_leave(struct client *c, const struct ask *a, size_t bytes, int by_reset)
{
	struct linger now = { .l_onoff = 1, .l_linger = 0 };
	size_t len;
	char *request = write_request(a, &len);

	(void)send_all(c, request, bytes < len ? bytes : len);
	free(request);
	if (by_reset)
		(void)setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
	hang_up(c);
}
