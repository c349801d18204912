#include "lifecycle.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "api/listener.h"
#include "api/server.h"
#include "base/clock.h"
#include "base/log.h"
#include "persist/disk_backend.h"
#include "store/memory_backend.h"
#include "store/store.h"

enum { STOP_SECONDS = 5 };
#define DRAIN_NS (2 * NS_PER_S)

/* Everything that is up, so that it can be taken down in reverse. */
struct running {
	struct listener listener[CONFIG_LISTEN_MAX];
	size_t listeners;
	struct store *store;
	struct app app;
	struct server *server;
};

int lifecycle_exit_status(int fault)
{
	switch (fault) {
	case DISK_E_DAMAGED:
		return EXIT_DAMAGED;
	case DISK_E_FORMAT:
		return EXIT_FORMAT;
	}
	return EXIT_FAILED;
}

static void report(void *cls, const struct err *err)
{
	(void)cls;
	log_error("store", LOG_TEXT("error", err->text));
}

int lifecycle_backend(const struct config *c, struct backend **ret, struct err *err)
{
	const struct disk_options options = {
		.root = c->root,
		.files = &files_system,
		.clock = &clock_system,
		.segment_bytes = c->segment_bytes,
		.journal_cap = c->journal_cap,
		.salvage = !strcmp(c->recover, "salvage"),
		.report = report,
	};

	if (!strcmp(c->backend, "disk"))
		return disk_backend_new(&options, ret, err);
	*ret = memory_backend_new();
	return *ret ? 0 : err_set(err, -ENOMEM, "make the memory backend");
}

/* ---- start ---- */

/* Nothing asks who comes in, so nobody from another machine may, unless somebody said so. */
static int check_addresses(const struct config *c, struct err *err)
{
	for (size_t i = 0; i < c->listen_count; i++) {
		int public = listener_is_public(c->listen[i], err);

		if (public < 0)
			return public;
		if (public && !c->insecure)
			return err_say(err, -EACCES,
				       "%s can be reached from other machines, and tallyd asks nobody who they are; listen on loopback "
				       "or a unix socket, or say --insecure", c->listen[i]);
	}
	return 0;
}

static int open_listeners(const struct config *c, struct running *r, struct err *err)
{
	int e = check_addresses(c, err);

	for (size_t i = 0; i < c->listen_count && e == 0; i++) {
		e = listener_open(c->listen[i], &r->listener[i], err);
		if (e < 0)
			break;
		r->listeners++;
		log_info("listening", LOG_TEXT("address", r->listener[i].address));
	}
	return e;
}

/* Long loads are told every two seconds, for whoever watches. */
static void progress(void *cls, size_t done, size_t total)
{
	int64_t *last = cls, now = clock_mono(&clock_system);

	if (now - *last < 2 * NS_PER_S)
		return;
	*last = now;
	log_info("loading", LOG_NUMBER("containers", done), LOG_NUMBER("of", total));
}

static int load(const struct config *c, struct running *r, struct err *err)
{
	const struct store_options options = { .clock = &clock_system, .report = report };
	int64_t last = clock_mono(&clock_system);
	struct store_figures f;
	struct backend *backend;
	int e = lifecycle_backend(c, &backend, err);

	if (e < 0)
		return e;
	r->store = store_new(backend, &options);
	if (!r->store)
		return err_set(err, -ENOMEM, "make the store");
	e = store_load(r->store, progress, &last, err);
	if (e < 0)
		return err_wrap(err, "load %s", c->root);
	store_figures(r->store, &f);
	log_info("loaded", LOG_TEXT("backend", f.backend_name), LOG_TEXT("root", strcmp(c->backend, "disk") ? "-" : c->root),
		 LOG_NUMBER("containers", f.containers[0] + f.containers[1] + f.containers[2] + f.containers[3]),
		 LOG_NUMBER("unknown", f.containers[CONTAINER_UNKNOWN]), LOG_NUMBER("revision", f.revision),
		 LOG_NUMBER("ms", f.backend.recovery_ns / NS_PER_MS));
	for (size_t i = 0; i < COUNT(f.backend.warnings) && f.backend.warnings[i]; i++)
		log_warn("root", LOG_TEXT("warning", f.backend.warnings[i]));
	return 0;
}

static int start(const struct config *c, struct running *r, struct err *err)
{
	const struct server_options options = {
		.loops = (unsigned)c->loops,
		.max_connections = (unsigned)c->max_connections,
		.max_connections_per_ip = (unsigned)c->max_connections_per_ip,
		.idle_seconds = (unsigned)c->idle_timeout,
		.body_budget = c->body_budget,
	};
	int e = open_listeners(c, r, err);

	if (e == 0)
		e = load(c, r, err);
	if (e == 0)
		e = store_start(r->store, err);
	if (e < 0)
		return e;
	r->app.store = r->store;
	r->app.clock = &clock_system;
	r->app.require_if_match = c->require_if_match;
	r->app.started_ns = clock_real(&clock_system);
	r->app.walks = walks_new(store_token_key(r->store), &clock_system);
	if (!r->app.walks)
		return err_set(err, -ENOMEM, "make the table of walks");
	return server_start(&r->app, r->listener, r->listeners, &options, &r->server, err);
}

/* ---- stop ---- */

static void on_alarm(int signal)
{
	static const char text[] = "level=error msg=\"could not stop in time: the disk does not answer\"\n";

	(void)signal;
	if (write(STDERR_FILENO, text, sizeof text - 1) < 0)
		_exit(EXIT_FAILED);
	_exit(EXIT_FAILED);
}

/* A disk that hangs must not keep the process for ever: what was acknowledged is safe already. */
static void bound_the_stop(void)
{
	struct sigaction action = { .sa_handler = on_alarm };
	sigset_t alarm_only;

	(void)sigemptyset(&alarm_only);
	(void)sigaddset(&alarm_only, SIGALRM);
	(void)sigaction(SIGALRM, &action, NULL);
	(void)pthread_sigmask(SIG_UNBLOCK, &alarm_only, NULL);
	(void)alarm(STOP_SECONDS);
}

static void stop(struct running *r)
{
	if (r->server)
		server_stop(r->server, DRAIN_NS);
	if (r->store)
		store_stop(r->store);
	server_free(r->server);
	walks_free(r->app.walks);
	store_free(r->store);
	for (size_t i = 0; i < r->listeners; i++)
		listener_close(&r->listener[i]);
}

/* ---- signals ---- */

static void block_signals(sigset_t *ret_waited)
{
	const struct sigaction ignore = { .sa_handler = SIG_IGN };
	sigset_t all;

	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, NULL);
	(void)sigaction(SIGPIPE, &ignore, NULL);
	(void)sigaction(SIGXFSZ, &ignore, NULL); /* a file over a limit is an error of the call, not the end of the process */
	(void)sigemptyset(ret_waited);
	(void)sigaddset(ret_waited, SIGTERM);
	(void)sigaddset(ret_waited, SIGINT);
	(void)sigaddset(ret_waited, SIGHUP);
}

static void wait_for_stop(const sigset_t *waited)
{
	for (;;) {
		int signal = 0;

		if (sigwait(waited, &signal) != 0)
			continue;
		if (signal == SIGHUP) {
			log_info("nothing to reload", LOG_TEXT("signal", "HUP"));
			continue;
		}
		log_info("stopping", LOG_TEXT("signal", signal == SIGTERM ? "TERM" : "INT"));
		return;
	}
}

int lifecycle_serve(const struct config *c)
{
	struct running r = { 0 };
	struct err err = { 0 };
	sigset_t waited;
	int e;

	block_signals(&waited);
	e = start(c, &r, &err);
	if (e == 0) {
		log_info("ready", LOG_NUMBER("pid", getpid()));
		wait_for_stop(&waited);
	} else {
		log_error("cannot start", LOG_TEXT("error", err.text));
	}
	bound_the_stop();
	stop(&r);
	if (e == 0)
		log_info("stopped");
	return e == 0 ? EXIT_RAN : lifecycle_exit_status(e);
}
