#include "api/arrivals.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

enum { AT_A_TIME = 64 }; /* so that a flood of connections does not keep a loop from those it has */
#define WANT_OF_DESCRIPTORS_NS (100 * NS_PER_MS)

int arrivals_open(struct loop *l)
{
	return pipe2(l->arrivals, O_CLOEXEC | O_NONBLOCK) < 0 ? -errno : 0;
}

static size_t load_of(struct loop *l)
{
	return atomic_load_explicit(&l->open, memory_order_relaxed) + atomic_load_explicit(&l->coming, memory_order_relaxed);
}

static struct loop *with_fewest(struct loop *self)
{
	struct server *s = self->server;
	struct loop *best = self;

	for (size_t i = 0; i < s->loop_count; i++)
		if (load_of(&s->loops[i]) < load_of(best))
			best = &s->loops[i];
	return best;
}

static bool is_full(const struct server *s)
{
	size_t open = 0;

	for (size_t i = 0; i < s->loop_count; i++)
		open += load_of(&s->loops[i]);
	return open >= s->options.max_connections;
}

/* The flag goes up before the second look: who leaves after it sees the flag, who left before it was seen to have. */
static bool has_room(struct server *s)
{
	if (!is_full(s))
		return true;
	atomic_store(&s->full, true);
	return !is_full(s);
}

void arrivals_left(struct loop *l)
{
	struct server *s = l->server;

	atomic_fetch_sub(&l->open, 1);
	if (atomic_load(&s->full) && atomic_exchange(&s->full, false))
		for (size_t i = 0; i < s->loop_count; i++)
			loop_wake(&s->loops[i]);
}

/* In this loop from now on, or closed. */
static void take_in(struct loop *l, int fd)
{
	struct sockaddr_storage address;
	socklen_t len = sizeof address;
	struct address_key key;

	if (getpeername(fd, (struct sockaddr *)&address, &len) < 0) { /* gone already */
		(void)close(fd);
		return;
	}
	key = address_key_of((struct sockaddr *)&address, len);
	if (!addresses_may_enter(l->server->addresses, &key)) {
		traffic_count(&l->server->traffic.refused);
		(void)close(fd);
		return;
	}
	/* A failure (memory ran out) has closed the descriptor. */
	(void)MHD_add_connection(l->daemon, fd, (struct sockaddr *)&address, len);
}

static void place(struct loop *l, int fd)
{
	struct loop *to = with_fewest(l);

	if (to != l) {
		atomic_fetch_add(&to->coming, 1);
		if (write(to->arrivals[1], &fd, sizeof fd) == (ssize_t)sizeof fd)
			return;
		atomic_fetch_sub(&to->coming, 1); /* thousands wait there already: keep it */
	}
	take_in(l, fd);
}

static void accept_some(struct loop *l, int listener)
{
	for (int i = 0; i < AT_A_TIME && has_room(l->server); i++) {
		int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (fd >= 0)
			place(l, fd);
		else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)
			l->accept_again_ns = l->now_ns + WANT_OF_DESCRIPTORS_NS;
		if (fd < 0 && errno != ECONNABORTED && errno != EINTR)
			return;
	}
}

static bool next_arrival(struct loop *l, int *ret_fd)
{
	if (read(l->arrivals[0], ret_fd, sizeof *ret_fd) != (ssize_t)sizeof *ret_fd)
		return false;
	atomic_fetch_sub(&l->coming, 1);
	return true;
}

size_t arrivals_watch(struct loop *l, struct pollfd ret[static ARRIVALS_POLLED])
{
	const struct server *s = l->server;
	size_t n = 1;

	ret[0] = (struct pollfd){ .fd = l->arrivals[0], .events = POLLIN };
	if (l->draining || l->now_ns < l->accept_again_ns || !has_room(l->server))
		return n;
	for (size_t i = 0; i < s->listener_count; i++)
		ret[n++] = (struct pollfd){ .fd = s->listener[i], .events = POLLIN };
	return n;
}

void arrivals_take(struct loop *l, const struct pollfd *ready, size_t n)
{
	int fd;

	if (ready[0].revents)
		while (next_arrival(l, &fd))
			take_in(l, fd);
	for (size_t i = 1; i < n; i++)
		if (ready[i].revents)
			accept_some(l, ready[i].fd);
}

void arrivals_close(struct loop *l)
{
	int fd;

	if (l->arrivals[0] < 0)
		return;
	while (next_arrival(l, &fd))
		(void)close(fd);
	(void)close(l->arrivals[0]);
	(void)close(l->arrivals[1]);
	l->arrivals[0] = l->arrivals[1] = -1;
}
