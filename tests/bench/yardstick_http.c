/* libmicrohttpd as the naive and the encoding yardstick use it: one handler, two thread structures. */
#define _GNU_SOURCE
#include "yardstick.h"

#include <errno.h>
#include <fcntl.h>
#include <microhttpd.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum { CAP_BODY = 65536, LOOP_CONNECTIONS = 8192, POOL_BYTES = 32768 };

/* A request on its way in. */
struct upload {
	size_t len;
	char bytes[];
};

struct loop_start {
	const struct yardstick_handler *handler;
	int listener;
};

static enum MHD_Result reply(const struct yardstick_handler *handler, struct MHD_Connection *connection,
	const char *url, const struct upload *upload)
{
	struct MHD_Response *response = handler->answer(handler->closure, url, upload->bytes, upload->len);
	enum MHD_Result r;

	if (!response)
		return MHD_NO;
	r = MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, "application/json");
	if (r == MHD_YES)
		r = MHD_queue_response(connection, MHD_HTTP_OK, response);
	MHD_destroy_response(response);
	return r;
}

static enum MHD_Result on_access(void *closure, struct MHD_Connection *connection, const char *url, const char *method,
	const char *version, const char *data, size_t *size, void **request)
{
	struct upload *upload = *request;

	(void)method;
	(void)version;
	if (!upload) { /* the head alone: a reply queued here would cost the connection its keep-alive */
		*request = need_memory(1, sizeof *upload);
		return MHD_YES;
	}
	if (*size == 0)
		return reply(closure, connection, url, upload);
	if (upload->len + *size > CAP_BODY)
		return MHD_NO;
	upload = realloc(upload, sizeof *upload + upload->len + *size);
	if (!upload)
		return MHD_NO;
	memcpy(upload->bytes + upload->len, data, *size);
	upload->len += *size;
	*size = 0;
	*request = upload;
	return MHD_YES;
}

static void on_done(void *closure, struct MHD_Connection *connection, void **request,
	enum MHD_RequestTerminationCode code)
{
	(void)closure;
	(void)connection;
	(void)code;
	free(*request);
	*request = NULL;
}

/* MHD_OPTION_STRICT_FOR_CLIENT and the rest are as in the service, so that both pay the same for parsing. */
static struct MHD_Daemon *start(unsigned flags, int listener, const struct yardstick_handler *handler)
{
	union {
		const struct yardstick_handler *in;
		void *out;
	} closure = { .in = handler };
	struct MHD_Daemon *daemon = MHD_start_daemon(flags, 0, NULL, NULL, on_access, closure.out,
		MHD_OPTION_LISTEN_SOCKET, listener, MHD_OPTION_NOTIFY_COMPLETED, on_done, NULL,
		MHD_OPTION_STRICT_FOR_CLIENT, -1, MHD_OPTION_CONNECTION_LIMIT, (unsigned)LOOP_CONNECTIONS,
		MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)POOL_BYTES, MHD_OPTION_SIGPIPE_HANDLED_BY_APP, 1,
		MHD_OPTION_END);

	if (!daemon)
		die("libmicrohttpd does not start");
	return daemon;
}

/* The external loop: libmicrohttpd's own one sleeps on exactly 128, 256 ... ready sockets. */
static void *run_loop(void *argument)
{
	struct loop_start *s = argument;
	struct MHD_Daemon *daemon = start(MHD_USE_EPOLL | MHD_USE_ITC, s->listener, s->handler);
	const union MHD_DaemonInfo *info = MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_EPOLL_FD);
	struct pollfd ready = { .fd = info->epoll_fd, .events = POLLIN };

	free(s);
	for (;;) {
		MHD_UNSIGNED_LONG_LONG due;
		int ms = 1000;

		if (MHD_get_timeout(daemon, &due) == MHD_YES && due < (unsigned)ms)
			ms = (int)due;
		if (poll(&ready, 1, ms) < 0 && errno != EINTR)
			die("poll: %s", strerror(errno));
		if (MHD_run(daemon) != MHD_YES)
			die("MHD_run failed");
	}
	return NULL;
}

void yardstick_loops(unsigned threads, const struct yardstick_handler *handler)
{
	int listener = yardstick_listen();

	for (unsigned i = 0; i < threads; i++) {
		struct loop_start *s = need_memory(1, sizeof *s);

		s->handler = handler;
		s->listener = fcntl(listener, F_DUPFD_CLOEXEC, 0);
		if (s->listener < 0)
			die("cannot copy the listener: %s", strerror(errno));
		yardstick_threads(1, run_loop, s);
	}
	yardstick_serve_until_told();
}

void yardstick_thread_per_connection(const struct yardstick_handler *handler)
{
	struct MHD_Daemon *daemon = start(MHD_USE_THREAD_PER_CONNECTION | MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_POLL |
		MHD_USE_ITC, yardstick_listen(), handler);

	(void)daemon; /* lives as long as the process */
	yardstick_serve_until_told();
}
