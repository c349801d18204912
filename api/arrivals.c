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

/* ---- room ---- */

/* The flag goes up before the second look: who leaves after it sees the flag, who left before it was seen to have. */
static bool has_room(struct server *s)
{
	if (atomic_load(&s->connections) < s->options.max_connections)
		return true;
	atomic_store(&s->full, true);
	return atomic_load(&s->connections) < s->options.max_connections;
}

/* A place that is not needed any more: whoever stopped accepting for want of one looks again. */
static void give_back(struct server *s)
{
	atomic_fetch_sub(&s->connections, 1);
	if (atomic_load(&s->full) && atomic_exchange(&s->full, false))
		for (size_t i = 0; i < s->loop_count; i++)
			loop_wake(&s->loops[i]);
}

/* Before a connection is accepted: two loops may want the last place. */
static bool reserve(struct server *s)
{
	if (atomic_fetch_add(&s->connections, 1) < s->options.max_connections)
		return true;
	give_back(s);
	return false;
}

void arrivals_left(struct loop *l)
{
	atomic_fetch_sub(&l->connections, 1);
	give_back(l->server);
}

/* ---- coming in ---- */

static struct loop *with_fewest(struct loop *self)
{
	struct server *s = self->server;
	struct loop *best = self;

	for (size_t i = 0; i < s->loop_count; i++)
		if (atomic_load(&s->loops[i].connections) < atomic_load(&best->connections))
			best = &s->loops[i];
	return best;
}

/* Hand it to the library.  False: it is gone, refused or too much, and closed. */
static bool take_over(struct loop *l, int fd)
{
	struct sockaddr_storage address;
	socklen_t len = sizeof address;
	struct address_key key;

	if (getpeername(fd, (struct sockaddr *)&address, &len) < 0) { /* gone already */
		(void)close(fd);
		return false;
	}
	key = address_key_of((struct sockaddr *)&address, len);
	if (!addresses_may_enter(l->server->addresses, &key)) {
		traffic_count(&l->server->traffic.refused);
		(void)close(fd);
		return false;
	}
	/* A failure (memory ran out) has closed the descriptor, and may have told its beginning and its end before. */
	l->took_in = false;
	(void)MHD_add_connection(l->daemon, fd, (struct sockaddr *)&address, len);
	return l->took_in;
}

static void take_in(struct loop *l, int fd)
{
	if (!take_over(l, fd))
		arrivals_left(l);
}

static void place(struct loop *l, int fd)
{
	struct loop *to = with_fewest(l);

	atomic_fetch_add(&to->connections, 1);
	if (to == l) {
		take_in(l, fd);
	} else if (write(to->arrivals[1], &fd, sizeof fd) != (ssize_t)sizeof fd) {
		atomic_fetch_sub(&to->connections, 1); /* thousands wait there already: keep it */
		atomic_fetch_add(&l->connections, 1);
		take_in(l, fd);
	}
}

static void accept_some(struct loop *l, int listener)
{
	for (int i = 0; i < AT_A_TIME && reserve(l->server); i++) {
		int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (fd >= 0) {
			place(l, fd);
			continue;
		}
		if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)
			l->accept_again_ns = l->now_ns + WANT_OF_DESCRIPTORS_NS;
		if (errno != ECONNABORTED && errno != EINTR)
			i = AT_A_TIME; /* nobody is left, or nobody can come in */
		give_back(l->server);
	}
}

static bool next_arrival(struct loop *l, int *ret_fd)
{
	return read(l->arrivals[0], ret_fd, sizeof *ret_fd) == (ssize_t)sizeof *ret_fd;
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
