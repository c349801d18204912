#include "api/server.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "api/arrivals.h"
#include "api/server_internal.h"
#include "base/log.h"

enum {
	POOL_BYTES = 32 * 1024, /* a connection's: its head, 40 bytes a field, the head of the reply, the window of a list */
	SPARE_CONNECTIONS = 64, /* so that our own limit is met first, not the library's */
	HEAD_SECONDS = 10,      /* added to the idle time for a head that comes drop by drop */
};

const char *server_library(void)
{
	return MHD_get_version();
}

/* ---- connections ---- */

int64_t peer_idle_deadline(const struct loop *l)
{
	return l->now_ns + (l->server->options.idle_seconds + HEAD_SECONDS) * NS_PER_S;
}

static struct peer *peer_new(struct loop *l, struct MHD_Connection *connection)
{
	const union MHD_ConnectionInfo *fd = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
	const union MHD_ConnectionInfo *address = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
	struct peer *p = calloc(1, sizeof *p);

	if (!p || !fd) {
		free(p);
		return NULL;
	}
	p->loop = l;
	p->fd = fd->connect_fd;
	p->deadline_ns = peer_idle_deadline(l);
	p->reading = true;
	if (address && address->client_addr)
		p->address = address_key_of(address->client_addr, sizeof(struct sockaddr_in6));
	p->counted = addresses_enter(l->server->addresses, &p->address);
	p->after = l->peers;
	if (p->after)
		p->after->before = p;
	l->peers = p;
	return p;
}

static void peer_free(struct peer *p)
{
	if (p->before)
		p->before->after = p->after;
	else
		p->loop->peers = p->after;
	if (p->after)
		p->after->before = p->before;
	if (p->counted)
		addresses_leave(p->loop->server->addresses, &p->address);
	free(p);
}

static void on_connection(void *cls, struct MHD_Connection *connection, void **slot, enum MHD_ConnectionNotificationCode code)
{
	struct loop *l = cls;

	if (code == MHD_CONNECTION_NOTIFY_STARTED) {
		traffic_count(&l->traffic->accepted);
		l->took_in = true;
		*slot = peer_new(l, connection); /* NULL: its first request is refused */
		return;
	}
	traffic_count(&l->traffic->closed);
	if (*slot)
		peer_free(*slot);
	*slot = NULL;
	arrivals_left(l);
}

/* A client that sends a part and closes in the same moment makes one edge, which the library spends on the bytes: the
 * end behind them would be noticed at the deadline. */
static bool has_left(const struct peer *p)
{
	char c;

	return p->reading && recv(p->fd, &c, 1, MSG_PEEK | MSG_DONTWAIT) == 0;
}

/* One byte a second keeps a connection "active" for the library: end those that are over their time, and those whose
 * client is gone.  The library sees a hang-up; only it may close the descriptor. */
static void end_late_peers(struct loop *l)
{
	for (struct peer *p = l->peers; p; p = p->after) {
		bool late = p->deadline_ns <= l->now_ns;

		if (!late && !has_left(p))
			continue;
		if (late)
			traffic_count(&l->traffic->timed_out);
		(void)shutdown(p->fd, SHUT_RDWR);
		p->deadline_ns = INT64_MAX;
		p->reading = false;
	}
}

/* ---- the loop ---- */

static void drain_begin(struct loop *l)
{
	l->draining = true;
	l->drain_until_ns = l->now_ns + l->server->grace_ns;
}

/* Idle connections are not waited for, and a half-sent body only for a moment; but what had reached a socket before the
 * signal is read and answered. */
static bool drained(const struct loop *l)
{
	int64_t began = l->drain_until_ns - l->server->grace_ns, body_until = began + 500 * NS_PER_MS;

	if (l->waiting > 0 || atomic_load(&l->resuming) > 0)
		return false; /* the store answers every change it has taken */
	if (l->now_ns >= l->drain_until_ns)
		return true;
	if (l->now_ns < began + 50 * NS_PER_MS)
		return false;
	return l->sending == 0 && (l->receiving == 0 || l->now_ns >= body_until);
}

void loop_wake(struct loop *l)
{
	const uint64_t one = 1;

	if (!atomic_exchange(&l->woken, true) && write(l->wake, &one, sizeof one) < 0)
		atomic_store(&l->woken, false); /* cannot be: the counter is far from full.  The poll ends within a second */
}

/* Drain before the library runs: a resume after this wakes the next poll. */
static void loop_drain_wake(struct loop *l)
{
	uint64_t drop;

	if (read(l->wake, &drop, sizeof drop) == (ssize_t)sizeof drop)
		atomic_store(&l->woken, false);
}

static int next_timeout(const struct loop *l)
{
	MHD_UNSIGNED_LONG_LONG due;
	int ms = l->draining ? 20 : l->now_ns < l->accept_again_ns ? 100 : 1000;

	return MHD_get_timeout(l->daemon, &due) == MHD_YES && due < (unsigned)ms ? (int)due : ms;
}

static void each_second(struct loop *l)
{
	if (l->now_ns < l->next_sweep_ns)
		return;
	l->next_sweep_ns = l->now_ns + NS_PER_S;
	end_late_peers(l);
	store_withdraw_late(l->server->app->store);
	walks_expire(l->server->app->walks);
}

/* What a loop waits for: the library's sockets, its own eventfd, and connections that come. */
enum { READY_LIBRARY, READY_WAKE, READY_ARRIVALS };

/* One turn: wait, let the library work, look at the time.  Negative: the loop cannot go on. */
static int turn(struct loop *l)
{
	struct pollfd ready[READY_ARRIVALS + ARRIVALS_POLLED] = {
		[READY_LIBRARY] = { .fd = l->daemon_epoll, .events = POLLIN },
		[READY_WAKE] = { .fd = l->wake, .events = POLLIN },
	};
	size_t coming = arrivals_watch(l, &ready[READY_ARRIVALS]);
	int n = poll(ready, READY_ARRIVALS + coming, next_timeout(l));

	if (n < 0 && errno != EINTR)
		return -errno;
	l->now_ns = clock_mono(l->server->app->clock);
	if (n > 0 && ready[READY_WAKE].revents)
		loop_drain_wake(l);
	if (n > 0)
		arrivals_take(l, &ready[READY_ARRIVALS], coming);
	if (MHD_run(l->daemon) != MHD_YES) /* always, also when poll said nothing: timeouts */
		return -EIO;
	each_second(l);
	return 0;
}

static void *loop_run(void *arg)
{
	struct loop *l = arg;
	int r = 0;

	while (r == 0 && !(l->draining && drained(l))) {
		r = turn(l);
		if (!l->draining && atomic_load(&l->server->stopping))
			drain_begin(l);
	}
	if (r < 0) {
		log_error("loop cannot go on", LOG_NUMBER("loop", l->number), LOG_TEXT("error", strerror(-r)));
		abort(); /* half a server is worse than none: whoever supervises us starts a whole one */
	}
	return NULL;
}

/* ---- start ---- */

printf_like(2, 0) static void library_log(void *cls, const char *fmt, va_list args)
{
	char text[256];

	(void)cls;
	if (!log_wants(LOG_DEBUG))
		return;
	(void)vsnprintf(text, sizeof text, fmt, args);
	text[strcspn(text, "\n")] = '\0';
	log_debug("libmicrohttpd", LOG_TEXT("says", text));
}

static int start_daemon(struct loop *l, struct err *err)
{
	const struct server_options *o = &l->server->options;
	const union MHD_DaemonInfo *info;

	l->daemon = MHD_start_daemon(MHD_USE_EPOLL | MHD_USE_NO_LISTEN_SOCKET | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG, 0,
				     NULL, NULL, exchange_on_access, l, MHD_OPTION_EXTERNAL_LOGGER, library_log, NULL,
				     MHD_OPTION_URI_LOG_CALLBACK, exchange_on_target, l,
				     MHD_OPTION_NOTIFY_COMPLETED, exchange_on_done, l,
				     MHD_OPTION_NOTIFY_CONNECTION, on_connection, l,
				     MHD_OPTION_STRICT_FOR_CLIENT, -1, /* 1 and 0 take "Content-Length : 5" */
				     MHD_OPTION_CONNECTION_TIMEOUT, o->idle_seconds,
				     MHD_OPTION_CONNECTION_LIMIT, o->max_connections + SPARE_CONNECTIONS,
				     MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)POOL_BYTES,
				     MHD_OPTION_SIGPIPE_HANDLED_BY_APP, 1, MHD_OPTION_END);
	if (!l->daemon)
		return err_say(err, -EIO, "libmicrohttpd does not start (see the log at level debug)");
	info = MHD_get_daemon_info(l->daemon, MHD_DAEMON_INFO_EPOLL_FD);
	if (!info)
		return err_say(err, -EIO, "libmicrohttpd gives no epoll descriptor");
	l->daemon_epoll = info->epoll_fd;
	return 0;
}

static int start_loop(struct server *s, struct loop *l, struct err *err)
{
	int r = arrivals_open(l);

	if (r < 0)
		return err_set(err, r, "make a pipe");
	l->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (l->wake < 0)
		return err_set(err, -errno, "make an event descriptor");
	l->now_ns = clock_mono(s->app->clock);
	if (getrandom(&l->id_seed, sizeof l->id_seed, GRND_NONBLOCK) != (ssize_t)sizeof l->id_seed)
		l->id_seed = (uint64_t)l->now_ns;
	return start_daemon(l, err);
}

/* All of them, before the first runs: any loop may be given a connection by any other. */
static int start_loops(struct server *s, struct err *err)
{
	int r = 0;

	for (size_t i = 0; i < s->loop_count && r == 0; i++)
		r = start_loop(s, &s->loops[i], err);
	for (size_t i = 0; i < s->loop_count && r == 0; i++) {
		struct loop *l = &s->loops[i];

		r = thread_start(&l->thread, "http", loop_run, l);
		l->running = r == 0;
		if (r < 0)
			return err_set(err, r, "start a loop");
	}
	return r;
}

static unsigned loops_wanted(const struct server_options *o)
{
	long cores = o->loops ? (long)o->loops : sysconf(_SC_NPROCESSORS_ONLN);

	return cores < 1 ? 1 : cores > 64 ? 64 : (unsigned)cores;
}

/* Every connection is a descriptor; some are needed for files, and four by each loop. */
static void raise_descriptor_limit(struct server_options *o, size_t loops)
{
	rlim_t others = 256 + 4 * (rlim_t)loops;
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return;
	limit.rlim_cur = limit.rlim_max;
	(void)setrlimit(RLIMIT_NOFILE, &limit); /* where it is refused the old limit counts below */
	if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur > 2 * others && o->max_connections > limit.rlim_cur - others)
		o->max_connections = (unsigned)(limit.rlim_cur - others);
}

static struct server *server_new(struct app *app, const struct server_options *options)
{
	struct server *s = calloc(1, sizeof *s);

	if (!s)
		return NULL;
	s->app = app;
	s->options = *options;
	s->loop_count = loops_wanted(options);
	raise_descriptor_limit(&s->options, s->loop_count);
	s->addresses = addresses_new(options->max_connections_per_ip);
	s->loops = calloc(s->loop_count, sizeof s->loops[0]);
	s->traffic.loop = aligned_alloc(64, s->loop_count * sizeof s->traffic.loop[0]);
	if (!s->addresses || !s->loops || !s->traffic.loop) {
		server_free(s);
		return NULL;
	}
	memset(s->traffic.loop, 0, s->loop_count * sizeof s->traffic.loop[0]);
	s->traffic.loops = s->loop_count;
	app->traffic = &s->traffic;
	for (size_t i = 0; i < s->loop_count; i++) {
		s->loops[i].server = s;
		s->loops[i].number = (unsigned)i;
		s->loops[i].wake = s->loops[i].arrivals[0] = s->loops[i].arrivals[1] = -1;
		s->loops[i].traffic = &s->traffic.loop[i];
	}
	return s;
}

int server_start(struct app *app, const struct listener *listeners, size_t n, const struct server_options *options,
		 struct server **ret, struct err *err)
{
	struct server *s;
	int r;

	if (n == 0 || n > LISTENERS_MAX)
		return err_say(err, -EINVAL, "there must be 1 to %d addresses to listen on, not %zu", LISTENERS_MAX, n);
	s = server_new(app, options);
	if (!s)
		return err_set(err, -ENOMEM, "make the server");
	for (size_t i = 0; i < n; i++)
		s->listener[s->listener_count++] = listeners[i].fd;
	r = start_loops(s, err);
	if (r < 0) {
		server_stop(s, 0);
		server_free(s);
		return r;
	}
	*ret = s;
	return 0;
}

/* ---- stop ---- */

static void close_loop(struct loop *l)
{
	if (l->daemon)
		MHD_stop_daemon(l->daemon);
	l->daemon = NULL;
	arrivals_close(l);
	if (l->wake >= 0)
		(void)close(l->wake);
	l->wake = -1;
	while (l->spares) {
		struct exchange *x = l->spares;

		l->spares = x->spare;
		exchange_free(x);
	}
}

void server_stop(struct server *s, int64_t grace_ns)
{
	s->grace_ns = grace_ns;
	atomic_store(&s->app->draining, true);
	atomic_store(&s->stopping, true);
	for (size_t i = 0; i < s->loop_count; i++)
		if (s->loops[i].running)
			loop_wake(&s->loops[i]);
	for (size_t i = 0; i < s->loop_count; i++)
		if (s->loops[i].running)
			thread_join(s->loops[i].thread);
	/* None before the last has ended: they write into each other's pipes. */
	for (size_t i = 0; i < s->loop_count; i++) {
		s->loops[i].running = false;
		close_loop(&s->loops[i]);
	}
}

void server_free(struct server *s)
{
	if (!s)
		return;
	if (s->app->traffic == &s->traffic)
		s->app->traffic = NULL;
	addresses_free(s->addresses);
	free(s->traffic.loop);
	free(s->loops);
	free(s);
}
