/* The bare responder: what an HTTP reply costs when nothing is looked up, decided or parsed.
 *
 * One epoll set per thread on a shared listener.  A request is whatever ends in an empty line; the reply to each
 * is one constant buffer. */
#define _GNU_SOURCE
#include "yardstick.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

enum { EVENTS = 256, RECEIVE_BYTES = 16384 };

struct ready_reply {
	int listener;
	char *bytes; /* head and body */
	size_t len;
};

/* What a connection is in the middle of. */
struct peer {
	int fd;
	unsigned matched; /* characters of "\r\n\r\n" seen last */
	size_t unsent;    /* of the reply on its way */
};

static void read_body(const char *path, char **ret_bytes, uint64_t *ret_len)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		die("%s: %s", path, strerror(errno));
	*ret_bytes = need_memory((size_t)st.st_size, 1);
	if (read(fd, *ret_bytes, (size_t)st.st_size) != st.st_size)
		die("%s: cannot be read whole", path);
	*ret_len = (uint64_t)st.st_size;
	(void)close(fd);
}

static void make_reply(const struct yardstick_options *options, struct ready_reply *ret_reply)
{
	uint64_t size = options->size;
	char *body, head[256];
	int len;

	if (options->body) {
		read_body(options->body, &body, &size);
	} else {
		body = need_memory(size, 1);
		memset(body, 'x', size);
	}
	len = snprintf(head, sizeof head, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nCache-Control: no-cache\r\n"
		"Content-Length: %llu\r\n\r\n", (unsigned long long)size);
	ret_reply->bytes = need_memory((size_t)len + size, 1);
	memcpy(ret_reply->bytes, head, (size_t)len);
	memcpy(ret_reply->bytes + len, body, size);
	ret_reply->len = (size_t)len + size;
	free(body);
}

static void watch(int epoll, int operation, int fd, uint32_t events, struct peer *peer)
{
	struct epoll_event event = { .events = events, .data.ptr = peer };

	if (epoll_ctl(epoll, operation, fd, &event) < 0)
		die("epoll_ctl: %s", strerror(errno));
}

static void welcome(int epoll, int listener)
{
	int fd, one = 1;

	while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
		struct peer *peer = need_memory(1, sizeof *peer);

		peer->fd = fd;
		(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
		watch(epoll, EPOLL_CTL_ADD, fd, EPOLLIN, peer);
	}
}

static void dismiss(struct peer *peer)
{
	(void)close(peer->fd);
	free(peer);
}

/* How many requests end within these bytes. */
static unsigned count_requests(struct peer *peer, const char *bytes, size_t len)
{
	unsigned requests = 0;

	for (size_t i = 0; i < len; i++) {
		if (bytes[i] == "\r\n\r\n"[peer->matched])
			peer->matched++;
		else
			peer->matched = bytes[i] == '\r';
		if (peer->matched == 4) {
			peer->matched = 0;
			requests++;
		}
	}
	return requests;
}

/* False: the peer is gone. */
static bool send_unsent(const struct ready_reply *reply, int epoll, struct peer *peer)
{
	while (peer->unsent > 0) {
		size_t at = (reply->len - peer->unsent % reply->len) % reply->len;
		ssize_t n = send(peer->fd, reply->bytes + at, reply->len - at, MSG_NOSIGNAL);

		if (n < 0 && errno == EAGAIN) {
			watch(epoll, EPOLL_CTL_MOD, peer->fd, EPOLLOUT, peer);
			return true;
		}
		if (n < 0)
			return false;
		peer->unsent -= (size_t)n;
	}
	return true;
}

static void serve(const struct ready_reply *reply, int epoll, struct peer *peer, uint32_t events)
{
	char bytes[RECEIVE_BYTES];
	ssize_t n;

	if (events & EPOLLOUT) {
		watch(epoll, EPOLL_CTL_MOD, peer->fd, EPOLLIN, peer);
	} else {
		n = recv(peer->fd, bytes, sizeof bytes, 0);
		if (n < 0 && errno == EAGAIN)
			return;
		if (n <= 0) {
			dismiss(peer);
			return;
		}
		peer->unsent += count_requests(peer, bytes, (size_t)n) * reply->len;
	}
	if (!send_unsent(reply, epoll, peer))
		dismiss(peer);
}

static void *run_loop(void *argument)
{
	const struct ready_reply *reply = argument;
	struct epoll_event events[EVENTS];
	int epoll = epoll_create1(EPOLL_CLOEXEC);

	if (epoll < 0)
		die("epoll_create1: %s", strerror(errno));
	watch(epoll, EPOLL_CTL_ADD, reply->listener, EPOLLIN | EPOLLEXCLUSIVE, NULL);
	for (;;) {
		int n = epoll_wait(epoll, events, EVENTS, -1);

		for (int i = 0; i < n; i++) {
			if (events[i].data.ptr)
				serve(reply, epoll, events[i].data.ptr, events[i].events);
			else
				welcome(epoll, reply->listener);
		}
	}
	return NULL;
}

void yardstick_raw(const struct yardstick_options *options)
{
	struct ready_reply *reply = need_memory(1, sizeof *reply);

	make_reply(options, reply);
	reply->listener = yardstick_listen();
	yardstick_threads(options->threads, run_loop, reply);
	yardstick_serve_until_told();
}
