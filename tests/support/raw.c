#include "support/raw.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "support/suite.h"
#include "support/text.h"

enum { PIECE = 16384 };

struct raw {
	int fd;
	char *got; /* owned: read, not yet handed out */
	size_t len, cap;
	bool ended; /* the peer has closed or reset */
};

/* Which address, and how long it is. */
static socklen_t parse(const char *address, struct sockaddr_storage *ret_where)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	struct sockaddr_in in = { .sin_family = AF_INET };
	const char *colon = strrchr(address, ':');

	memset(ret_where, 0, sizeof *ret_where);
	if (!strncmp(address, "unix:", 5)) {
		(void)snprintf(un.sun_path, sizeof un.sun_path, "%s", address + 5);
		memcpy(ret_where, &un, sizeof un);
		return sizeof un;
	}
	if (!colon || inet_pton(AF_INET, text_copy(address, (size_t)(colon - address)), &in.sin_addr) != 1)
		abort();
	in.sin_port = htons((uint16_t)strtoul(colon + 1, NULL, 10));
	memcpy(ret_where, &in, sizeof in);
	return sizeof in;
}

struct raw *raw_open(const char *address)
{
	struct raw *r = calloc(1, sizeof *r);
	struct sockaddr_storage where;
	socklen_t len = parse(address, &where);
	int one = 1;

	if (!r)
		abort();
	r->fd = socket(where.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (r->fd < 0 || connect(r->fd, (struct sockaddr *)&where, len) < 0) {
		perror(address);
		abort();
	}
	if (where.ss_family == AF_INET)
		(void)setsockopt(r->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	return r;
}

void raw_close(struct raw *r)
{
	(void)close(r->fd);
	free(r->got);
	free(r);
}

void raw_reset(struct raw *r)
{
	struct linger none = { .l_onoff = 1, .l_linger = 0 };

	(void)setsockopt(r->fd, SOL_SOCKET, SO_LINGER, &none, sizeof none);
	raw_close(r);
}

bool raw_send(struct raw *r, const char *bytes, size_t len)
{
	while (len > 0) {
		struct pollfd ready = { .fd = r->fd, .events = POLLOUT };
		ssize_t n;

		if (poll(&ready, 1, SUITE_WAIT_SECONDS * 1000) <= 0)
			return false;
		n = send(r->fd, bytes, len, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			continue;
		if (n < 0)
			return false;
		bytes += n;
		len -= (size_t)n;
	}
	return true;
}

bool raw_say(struct raw *r, const char *words)
{
	return raw_send(r, words, strlen(words));
}

bool raw_drip(struct raw *r, const char *words)
{
	for (; *words; words++)
		if (!raw_send(r, words, 1))
			return false;
	return true;
}

void raw_finish(struct raw *r)
{
	(void)shutdown(r->fd, SHUT_WR);
}

/* Read what there is, waiting for at most <ms>: 1 something, 0 the end, -1 the time is up. */
static int more(struct raw *r, int ms)
{
	struct pollfd ready = { .fd = r->fd, .events = POLLIN };
	ssize_t n;

	if (r->ended)
		return 0;
	if (r->cap - r->len < PIECE + 1) {
		r->cap = (r->cap + PIECE) * 2;
		r->got = realloc(r->got, r->cap);
		if (!r->got)
			abort();
	}
	if (poll(&ready, 1, ms) <= 0)
		return -1;
	n = recv(r->fd, r->got + r->len, PIECE, 0);
	if (n <= 0) {
		r->ended = true;
		return 0;
	}
	r->len += (size_t)n;
	r->got[r->len] = '\0';
	return 1;
}

bool raw_has_come(struct raw *r)
{
	return more(r, 0) >= 0 || r->len > 0;
}

/* The first <n> bytes of what was read, taken off it. */
static char *take_off(struct raw *r, size_t n)
{
	char *out = text_copy(r->got, n);

	memmove(r->got, r->got + n, r->len - n);
	r->len -= n;
	return out;
}

/* Wait for a whole head; its length, 0 at the end, -1 when the time is up. */
static long wait_head(struct raw *r)
{
	for (;;) {
		char *end = r->len > 0 ? memmem(r->got, r->len, "\r\n\r\n", 4) : NULL;
		int state;

		if (end)
			return end - r->got + 4;
		state = more(r, SUITE_WAIT_SECONDS * 1000);
		if (state <= 0)
			return state;
	}
}

static bool wait_bytes(struct raw *r, size_t n)
{
	while (r->len < n)
		if (more(r, SUITE_WAIT_SECONDS * 1000) <= 0)
			return false;
	return true;
}

static bool read_chunked(struct raw *r, struct raw_reply *reply)
{
	reply->body = text_copy("", 0);
	for (;;) {
		char *line;
		size_t size;

		while (r->len == 0 || !memchr(r->got, '\n', r->len))
			if (more(r, SUITE_WAIT_SECONDS * 1000) <= 0)
				return false;
		line = take_off(r, (size_t)((char *)memchr(r->got, '\n', r->len) - r->got) + 1);
		size = strtoul(line, NULL, 16);
		if (!wait_bytes(r, size + 2))
			return false;
		reply->body = text("%s%s", reply->body, text_copy(r->got, size));
		reply->body_len += size;
		(void)take_off(r, size + 2);
		if (size == 0)
			return true;
	}
}

static struct raw_reply read_reply(struct raw *r, bool with_body)
{
	struct raw_reply reply = { 0 };
	long head = wait_head(r);
	const char *length;

	reply.body = text_copy("", 0);
	reply.head = text_copy("", 0);
	if (head <= 0) {
		reply.status = (int)head;
		return reply;
	}
	reply.head = take_off(r, (size_t)head);
	if (sscanf(reply.head, "HTTP/1.%*d %d", &reply.status) != 1)
		reply.status = 0;
	reply.close = strcasestr(reply.head, "\r\nconnection: close") != NULL;
	if (!with_body || reply.status < 200 || reply.status == 204 || reply.status == 304)
		return reply;
	length = strcasestr(reply.head, "\r\ncontent-length:");
	if (length) {
		size_t n = strtoul(length + strlen("\r\ncontent-length:"), NULL, 10);

		if (!wait_bytes(r, n))
			reply.status = 0;
		reply.body_len = r->len < n ? r->len : n;
		reply.body = take_off(r, reply.body_len);
	} else if (strcasestr(reply.head, "\r\ntransfer-encoding: chunked") && !read_chunked(r, &reply)) {
		reply.status = 0;
	}
	return reply;
}

struct raw_reply raw_read(struct raw *r)
{
	return read_reply(r, true);
}

struct raw_reply raw_read_head(struct raw *r)
{
	return read_reply(r, false);
}

char *raw_rest(struct raw *r)
{
	int state;

	while ((state = more(r, SUITE_WAIT_SECONDS * 1000)) > 0)
		;
	return state < 0 ? NULL : take_off(r, r->len);
}

bool raw_closed(struct raw *r)
{
	char *rest = raw_rest(r);

	return rest && *rest == '\0';
}

struct raw_reply raw_once(const char *address, const char *bytes, size_t len, bool *ret_closed)
{
	struct raw *r = raw_open(address);
	struct raw_reply reply;

	(void)raw_send(r, bytes, len);
	reply = raw_read(r);
	*ret_closed = (reply.close || reply.status == 0) && raw_closed(r);
	raw_close(r);
	return reply;
}
