/* The closed loop of load_run.h. */
#define _GNU_SOURCE
#include "load_run.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "cputime.h"
#include "http_reply.h"

enum {
	RECEIVE_BYTES = 1 << 18,
	EVENTS = 256,
	CAP_ERRORS = 100,           /* beyond it the run is worthless and stops */
	DRAIN_MS = 10000,           /* for the last replies, after the window */
	CONNECT_MS = 10000
};

struct connection {
	int fd;
	bool waiting; /* a request is on its way */
	unsigned number;
	size_t sent; /* bytes of the request */
	uint64_t began_ns;
	char *request;
	struct http_reply reply;
};

struct run {
	const struct load_options *options;
	struct load_result *result;
	struct connection *connections;
	char *buffer;
	int epoll;
	unsigned waiting; /* connections with a request on its way */
	bool counting;    /* inside the window */
	bool stopping;    /* no request is begun any more */
	uint64_t issued;
	uint64_t random;
};

static uint64_t next_container(struct run *run, const struct connection *c)
{
	switch (run->options->order) {
	case LOAD_RANDOM:
		return mix64(run->random++) % run->options->ids;
	case LOAD_SEQUENCE:
		return run->issued % run->options->ids;
	case LOAD_OWN:
		break;
	}
	return c->number % run->options->ids;
}

static void watch(struct run *run, struct connection *c, int operation, uint32_t events)
{
	struct epoll_event event = { .events = events, .data.ptr = c };

	if (epoll_ctl(run->epoll, operation, c->fd, &event) < 0)
		die("epoll_ctl: %s", strerror(errno));
}

static void fail(struct run *run, struct connection *c)
{
	run->result->errors++;
	if (c->waiting)
		run->waiting--;
	c->waiting = false;
	if (c->fd >= 0)
		(void)close(c->fd); /* leaves the epoll set with it */
	c->fd = -1;
	if (run->result->errors >= CAP_ERRORS)
		run->stopping = true;
}

static void send_rest(struct run *run, struct connection *c)
{
	size_t len = run->options->shape.len;
	ssize_t n = send(c->fd, c->request + c->sent, len - c->sent, MSG_NOSIGNAL | MSG_DONTWAIT);

	if (n < 0 && errno != EAGAIN && errno != EINTR) {
		fail(run, c);
		return;
	}
	if (n > 0)
		c->sent += (size_t)n;
	if (c->sent < len)
		watch(run, c, EPOLL_CTL_MOD, EPOLLIN | EPOLLOUT);
}

static void begin_request(struct run *run, struct connection *c)
{
	const struct load_options *options = run->options;
	char id[ID_LEN];

	if (options->max_requests && run->issued >= options->max_requests)
		run->stopping = true;
	if (run->stopping)
		return;
	write_id(id, next_container(run, c));
	request_fill(&options->shape, c->request, id, run->issued++);
	http_reply_reset(&c->reply);
	c->sent = 0;
	c->waiting = true;
	run->waiting++;
	c->began_ns = now_ns();
	send_rest(run, c);
}

static void end_request(struct run *run, struct connection *c)
{
	struct load_result *result = run->result;

	c->waiting = false;
	run->waiting--;
	if (c->reply.status > 299) {
		result->non_2xx++;
		if (!result->first_bad_status)
			result->first_bad_status = c->reply.status;
	}
	if (run->counting) {
		result->requests++;
		result->body_bytes += c->reply.body_bytes;
		latency_add(&result->latency, now_ns() - c->began_ns);
	}
	if (c->reply.closes)
		fail(run, c); /* keep-alive is part of what is measured */
	else
		begin_request(run, c);
}

static void receive(struct run *run, struct connection *c)
{
	ssize_t n = recv(c->fd, run->buffer, RECEIVE_BYTES, MSG_DONTWAIT);
	int r;

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0 || !c->waiting) {
		fail(run, c);
		return;
	}
	r = http_reply_feed(&c->reply, run->buffer, (size_t)n);
	if (r < 0)
		fail(run, c);
	else if (r == HTTP_REPLY_DONE)
		end_request(run, c);
}

static void handle(struct run *run, const struct epoll_event *event)
{
	struct connection *c = event->data.ptr;

	if (event->events & EPOLLOUT) {
		watch(run, c, EPOLL_CTL_MOD, EPOLLIN);
		send_rest(run, c);
	}
	if (c->fd >= 0 && event->events & ~(uint32_t)EPOLLOUT)
		receive(run, c);
}

/* Serve events until <until_ns>, or until nothing is left to wait for. */
static void turn(struct run *run, uint64_t until_ns)
{
	struct epoll_event events[EVENTS];
	uint64_t now;

	while ((now = now_ns()) < until_ns && (!run->stopping || run->waiting > 0)) {
		int ms = (int)((until_ns - now) / 1000000u) + 1;
		int n = epoll_wait(run->epoll, events, EVENTS, run->options->spin ? 0 : ms < 100 ? ms : 100);

		if (n < 0 && errno != EINTR)
			die("epoll_wait: %s", strerror(errno));
		for (int i = 0; i < n; i++)
			handle(run, &events[i]);
	}
}

/* Blocking, one after the other: the connections are not what is measured. */
static void open_connection(struct run *run, struct connection *c, unsigned number)
{
	const struct load_options *options = run->options;
	struct timeval patience = { .tv_sec = CONNECT_MS / 1000 };
	int one = 1, family = options->address.ss_family;

	c->number = number;
	c->request = need_memory(options->shape.len, 1);
	memcpy(c->request, options->shape.bytes, options->shape.len);
	c->fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (c->fd < 0)
		die("socket: %s", strerror(errno));
	(void)setsockopt(c->fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
	if (family != AF_UNIX)
		(void)setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	if (connect(c->fd, (const struct sockaddr *)&options->address, options->address_len) < 0)
		die("connect: %s", strerror(errno));
	watch(run, c, EPOLL_CTL_ADD, EPOLLIN);
}

static void close_all(struct run *run)
{
	for (unsigned i = 0; i < run->options->connections; i++) {
		struct connection *c = &run->connections[i];

		if (c->waiting) /* no reply came */
			fail(run, c);
		if (c->fd >= 0)
			(void)close(c->fd);
		free(c->request);
	}
	free(run->connections);
	free(run->buffer);
	(void)close(run->epoll);
}

/* The window: CPU is read just outside of it at both ends, so the reading itself is not in the rate. */
static void measure(struct run *run)
{
	const struct load_options *options = run->options;
	uint64_t cpu, began;

	turn(run, now_ns() + options->warmup_ns);
	cpu = cputime_ns(options->pids, options->pid_count);
	run->counting = true;
	began = now_ns();
	turn(run, began + options->duration_ns);
	run->result->window_ns = now_ns() - began;
	run->counting = false;
	run->result->cpu_ns = cputime_ns(options->pids, options->pid_count) - cpu;
	run->stopping = true;
	turn(run, now_ns() + (uint64_t)DRAIN_MS * 1000000u);
}

void load_run(const struct load_options *options, struct load_result *ret_result)
{
	struct run run = { .options = options, .result = ret_result, .random = options->seed };

	memset(ret_result, 0, sizeof *ret_result);
	run.epoll = epoll_create1(EPOLL_CLOEXEC);
	if (run.epoll < 0)
		die("epoll_create1: %s", strerror(errno));
	run.buffer = need_memory(RECEIVE_BYTES, 1);
	run.connections = need_memory(options->connections, sizeof *run.connections);
	for (unsigned i = 0; i < options->connections; i++)
		open_connection(&run, &run.connections[i], i);
	for (unsigned i = 0; i < options->connections; i++)
		begin_request(&run, &run.connections[i]);
	measure(&run);
	close_all(&run);
}
