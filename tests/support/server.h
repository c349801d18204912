/* server.h - the binary under test, as a user starts it.
 *
 * The binary is the one that the environment variable TALLYD names.  Each server has a root directory of its own,
 * listens on a free port of 127.0.0.1 and is ended by its pid alone; should the test die first, the kernel kills it.
 * Whoever starts a server stops it: from one thread, and in the process that started it. */
#ifndef SUPPORT_SERVER_H
#define SUPPORT_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct server;

/* Start with further options (ended by NULL, or NULL for none) on a fresh root, or on <root>.  Returns when the
 * server has said that it serves reads; a server that does not is a failed test. */
struct server *server_start(const char *const *options);
struct server *server_start_at(const char *root, const char *const *options);

/* SIGTERM; fails the test unless it exits with 0 in time.  The root stays. */
void server_stop(struct server *);
/* The same where no test runs that could fail: NULL, or what went wrong. */
const char *server_finish(struct server *);
/* The halves of it: send the signal; wait for the end and give its wait status. */
void server_signal(struct server *, int signal);
int server_wait(struct server *);
/* SIGKILL, and wait for the end. */
void server_kill(struct server *);
/* Start a stopped or killed one again on its root.  Ports change. */
void server_restart(struct server *, const char *const *options);
/* Stop it if it runs, remove its root, and free it.  NULL is fine. */
void server_end(struct server *);

const char *server_root(const struct server *);
pid_t server_pid(const struct server *);
/* Where it listens, in the order in which it said so: "127.0.0.1:PORT" or "unix:/path".  NULL beyond the last. */
const char *server_address(const struct server *, size_t n);
/* All it has said on standard error up to now, up to a cap. */
const char *server_said(const struct server *);
/* Wait until it has said <words>; false when the time is up or it ended. */
bool server_says(struct server *, const char *words);

/* A run of the binary to its end, bounded in time: for what prints and exits, and for what refuses to start.
 * <environment> is NAME=value strings ended by NULL, added to ours; NULL for none. */
struct server_run {
	int code; /* its exit code, or -1 when it had to be killed */
	char *out, *err;
};
struct server_run server_run(const char *const *arguments, const char *const *environment);

#endif
