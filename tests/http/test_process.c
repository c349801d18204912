/* The process: its options, what it refuses to start with, how it stops, and a disk that cannot be written. */
#include <check.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/crowd.h"
#include "support/expect.h"
#include "support/raw.h"
#include "support/server.h"
#include "support/suite.h"
#include "support/text.h"

#define ROOT "{root}"

/* Runs that end by themselves: their exit code (0, or anything else but a signal), and what they have to say. */
static const struct {
	const char *arguments[8];
	const char *environment[3];
	bool good;
	const char *out, *err;
} runs[] = {
	{ { "--help" }, { NULL }, true, "--listen", NULL },
	{ { "--help" }, { NULL }, true, "127.0.0.1:8080", NULL },
	{ { "--help" }, { NULL }, true, "TALLYD_", NULL },
	{ { "--root", ROOT, "--check-config" }, { NULL }, true, NULL, NULL },
	{ { "--root", ROOT, "--check-config", "--frobnicate" }, { NULL }, false, NULL, "frobnicate" },
	{ { "--root", ROOT, "--check-config", "--backend", "floppy" }, { NULL }, false, NULL, "backend" },
	{ { "--root", ROOT, "--check-config", "--listen", "nowhere" }, { NULL }, false, NULL, "listen" },
	{ { "--root", ROOT, "--check-config", "--listen", "127.0.0.1:99999" }, { NULL }, false, NULL, "listen" },
	{ { "--root", ROOT, "--check-config", "--listen", "unix:" }, { NULL }, false, NULL, "unix socket" },
	{ { "--root", ROOT, "--check-config", "--max-connections", "many" }, { NULL }, false, NULL,
		"max-connections" },
	{ { "--root", ROOT, "--check-config", "--max-connections", "-1" }, { NULL }, false, NULL, "max-connections" },
	{ { "--root", ROOT, "--check-config", "--max-connections", "" }, { NULL }, false, NULL, "max-connections" },
	{ { "--root", ROOT, "--check-config", "--backend" }, { NULL }, false, NULL, "backend" },
	{ { "--root", ROOT, "--check-config", "stray" }, { NULL }, false, NULL, "stray" },
	{ { "--root", "", "--check-config" }, { NULL }, false, NULL, "root" },
	{ { "--root", ROOT, "--root", ROOT, "--check-config" }, { NULL }, false, NULL, "root" },
	{ { "--version" }, { NULL }, true, "tallyd", NULL },
	{ { "--root", ROOT, "--json" }, { NULL }, false, NULL, "--check-root" },
	{ { "--root", ROOT, "--batch" }, { NULL }, false, NULL, "--check-root" },
	{ { "--root", ROOT, "--check-config" }, { "TALLYD_BACKEND=floppy", NULL }, false, NULL, "backend" },
	{ { "--root", ROOT, "--check-config" }, { "TALLYD_MAX_CONNECTIONS=x", NULL }, false, NULL,
		"max-connections" },
	{ { "--root", ROOT, "--check-config", "--backend", "disk" }, { "TALLYD_BACKEND=memory", NULL }, true, NULL,
		NULL },
	{ { "--check-config" }, { "TALLYD_ROOT=/tmp", NULL }, true, NULL, NULL },
	{ { "--root", ROOT, "--check-config" }, { "TALLYD_FROBNICATE=1", NULL }, false, NULL, "TALLYD_FROBNICATE" },
	{ { "--root", ROOT, "--check-config", "--config", ROOT "/none.conf" }, { NULL }, false, NULL, "none.conf" },
	{ { "--check-config", "--config", ROOT "/good.conf" }, { NULL }, true, "1234", NULL },
	{ { "--check-config", "--config", ROOT "/good.conf", "--max-connections", "77" }, { NULL }, true, "77",
		NULL },
	{ { "--check-config", "--config", ROOT "/good.conf" }, { "TALLYD_MAX_CONNECTIONS=88", NULL }, true, "88",
		NULL },
	{ { "--check-config", "--config", ROOT "/bad.conf" }, { NULL }, false, NULL, "bad.conf:3" },
	{ { "--check-config", "--config", ROOT "/worse.conf" }, { NULL }, false, NULL, "worse.conf:1" },
	{ { "--root", ROOT, "--listen", "0.0.0.0:0" }, { NULL }, false, NULL, "insecure" },
	{ { "--root", ROOT, "--listen", "[::]:0" }, { NULL }, false, NULL, "insecure" },
	{ { "--root", ROOT, "--check-config", "--listen", "0.0.0.0:0", "--insecure" }, { NULL }, true, NULL, NULL },
	{ { "--root", ROOT "/file", "--listen", "127.0.0.1:0" }, { NULL }, false, NULL, "/file" },
	{ { "--root", "/proc/nowhere/root", "--listen", "127.0.0.1:0" }, { NULL }, false, NULL,
		"/proc/nowhere/root" },
	{ { "--root", ROOT "/empty", "--check-root" }, { NULL }, true, NULL, NULL },
};

START_TEST(runs_that_end)
{
	const char *root = suite_directory(), *pairs[] = { "root", root, NULL }, *arguments[8] = { NULL };
	struct server_run run;

	ck_assert_int_eq(text_to_file(text("%s/file", root), "x"), 0);
	ck_assert_int_eq(mkdir(text("%s/empty", root), 0700), 0);
	ck_assert_int_eq(text_to_file(text("%s/good.conf", root),
		"# one\nbackend = memory\n\n max-connections=1234 \n"), 0);
	ck_assert_int_eq(text_to_file(text("%s/bad.conf", root), "# one\nbackend = memory\nmax-connections = few\n"),
		0);
	ck_assert_int_eq(text_to_file(text("%s/worse.conf", root), "colour = red\n"), 0);
	for (size_t i = 0; i < COUNT(arguments) && runs[_i].arguments[i]; i++)
		arguments[i] = text_fill(runs[_i].arguments[i], pairs);
	run = server_run(arguments, runs[_i].environment);
	ck_assert_msg(run.code >= 0, "run %d did not end by itself: %s", _i, run.err);
	ck_assert_msg((run.code == 0) == runs[_i].good, "run %d: exit code %d: %s%s", _i, run.code, run.out, run.err);
	if (runs[_i].out)
		ck_assert_msg(strstr(run.out, runs[_i].out), "run %d: %s is not in: %s", _i, runs[_i].out, run.out);
	if (runs[_i].err)
		ck_assert_msg(strstr(run.err, runs[_i].err), "run %d: %s is not in: %s", _i, runs[_i].err, run.err);
}
END_TEST

START_TEST(second_copy_is_refused)
{
	struct server *s = server_start(NULL);
	const char *const arguments[] = { "--root", server_root(s), "--listen", "127.0.0.1:0", NULL };
	struct server_run run = server_run(arguments, NULL);
	struct http *http = http_new(server_address(s, 0));

	ck_assert_msg(run.code > 0, "the second copy ended with %d: %s", run.code, run.err);
	ck_assert_msg(strstr(run.err, "root is in use"), "it does not say why: %s", run.err);
	expect_status(http_ask(http, "PUT", "/containers/still-alive", NULL, "{}"), 201);
	http_free(http);
	server_end(s);
}
END_TEST

START_TEST(port_that_is_taken)
{
	struct server *s = server_start(NULL);
	const char *const arguments[] = { "--root", suite_directory(), "--listen", server_address(s, 0), NULL };
	struct server_run run = server_run(arguments, NULL);

	ck_assert_msg(run.code > 0, "it ended with %d: %s", run.code, run.err);
	ck_assert_msg(strstr(run.err, server_address(s, 0)), "it does not say which address: %s", run.err);
	server_end(s);
}
END_TEST

/* A root of this process, looked at by --check-root: sound after a stop, also when containers are in it. */
START_TEST(check_root_of_a_stopped_server)
{
	struct server *s = server_start(NULL);
	const char *const plain[] = { "--root", server_root(s), "--check-root", NULL };
	const char *const json[] = { "--root", server_root(s), "--check-root", "--json", NULL };
	struct http *http = http_new(server_address(s, 0));
	struct server_run run;
	json_t *j;

	expect_status(http_ask(http, "PUT", "/containers/one", NULL, "{}"), 201);
	http_free(http);
	server_stop(s);
	run = server_run(plain, NULL);
	ck_assert_msg(run.code == 0, "%d: %s%s", run.code, run.out, run.err);
	run = server_run(json, NULL);
	j = json_loads(run.out, JSON_REJECT_DUPLICATES, NULL);
	ck_assert_msg(run.code == 0 && json_is_object(j), "%d: %s%s", run.code, run.out, run.err);
	json_decref(j);
	ck_assert_int_eq(text_to_file(text("%s/VERSION", server_root(s)), "{\"Format\":99}\n"), 0);
	run = server_run(plain, NULL);
	ck_assert_msg(run.code > 0, "%d: %s%s", run.code, run.out, run.err);
	server_end(s);
}
END_TEST

struct stopping {
	struct server *server;
	unsigned acked[8]; /* by thread: the newest acknowledged version */
	unsigned odd;
};

static void write_until_the_end(void *arg, size_t thread)
{
	struct stopping *load = arg;
	struct http *http = http_new(server_address(load->server, 0));

	for (unsigned version = 1;; version++) {
		const struct reply *r = http_ask(http, version == 1 ? "PUT" : "PATCH",
						 text("/containers/t%zu%s", thread, version == 1 ? "" : "/status"),
						     NULL,
						 text(version == 1 ? "{\"status\":{\"message\":\"%u\"}}"
						     : "{\"message\":\"%u\"}", version));

		if (r->status == 200 || r->status == 201)
			load->acked[thread] = version;
		else if (r->status == 0 || r->status == 503)
			break;
		else
			load->odd++;
		http_forget(http);
	}
	http_free(http);
}

START_TEST(stop_under_load)
{
	struct stopping load = { .server = server_start(NULL) };
	double until;
	struct crowd crowd;
	struct http *http;

	for (int round = 0; round < 3; round++) {
		crowd_start(&crowd, COUNT(load.acked), write_until_the_end, &load);
		for (until = suite_now() + 0.2; suite_now() < until;)
			suite_pause_ms(10);
		server_stop(load.server);
		crowd_join(&crowd);
		ck_assert_uint_eq(load.odd, 0);
		server_restart(load.server, NULL);
		http = http_new(server_address(load.server, 0));
		for (size_t t = 0; t < COUNT(load.acked); t++) {
			unsigned seen = (unsigned)strtoul(json_text(http_get(http, text("/containers/t%zu", t))->json,
				"/status/message"), NULL, 10);

			/* One more may have been written, its answer lost with the connection. */
			ck_assert_msg(seen == load.acked[t] || seen == load.acked[t] + 1, "acknowledged %u, found %u",
				load.acked[t], seen);
			expect_status(http_ask(http, "DELETE", text("/containers/t%zu", t), NULL, NULL), 204);
			load.acked[t] = 0;
		}
		http_free(http);
	}
	server_end(load.server);
}
END_TEST

/* Writes that have reached the server when it is told to stop get an answer, each of them. */
START_TEST(answers_in_flight_at_the_stop)
{
	enum { MANY = 64 };
	struct server *s = server_start(NULL);
	struct raw *raw[MANY];
	struct http *http;
	struct raw_reply answer[MANY];

	for (size_t i = 0; i < MANY; i++) {
		raw[i] = raw_open(server_address(s, 0));
		ck_assert(raw_say(raw[i], "GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n"));
		ck_assert_int_eq(raw_read(raw[i]).status, 200);
	}
	for (size_t i = 0; i < MANY; i++)
		ck_assert(raw_say(raw[i],
			text("PUT /containers/f%zu. HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
					       "Content-Length: 2\r\n\r\n{}", i)));
	server_signal(s, SIGTERM);
	for (size_t i = 0; i < MANY; i++) {
		answer[i] = raw_read(raw[i]);
		ck_assert_msg(answer[i].status == 201 || answer[i].status == 503, "write %zu was answered %d", i,
			      answer[i].status);
		raw_close(raw[i]);
	}
	ck_assert_int_eq(server_wait(s), 0);
	server_restart(s, NULL);
	http = http_new(server_address(s, 0));
	for (size_t i = 0; i < MANY; i++)
		ck_assert_msg(http_get(http, text("/containers/f%zu.", i))->status == (answer[i].status == 201 ? 200 : 404),
			      "write %zu was answered %d %s, and is %s", i, answer[i].status, answer[i].body,
			      answer[i].status == 201 ? "not there" : "there");
	http_free(http);
	server_end(s);
}
END_TEST

/* Idle and half-sent connections do not hold up a stop. */
START_TEST(stop_with_idle_connections)
{
	struct server *s = server_start(NULL);
	struct raw *raw[4];

	for (size_t i = 0; i < COUNT(raw); i++)
		raw[i] = raw_open(server_address(s, 0));
	ck_assert(raw_say(raw[1], "GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n"));
	ck_assert_int_eq(raw_read(raw[1]).status, 200);
	ck_assert(raw_say(raw[2], "GET /livez HTTP/1.1\r\nHo"));
	ck_assert(raw_say(raw[3],
		"PUT /containers/z HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
			"Content-Length: 9\r\n\r\n{"));
	server_stop(s);
	for (size_t i = 0; i < COUNT(raw); i++)
		raw_close(raw[i]);
	server_end(s);
}
END_TEST

/* Nor does somebody who asked for a long list and does not read it. */
START_TEST(stop_with_a_reader_that_sleeps)
{
	struct server *s = server_start(NULL);
	struct http *http = http_new(server_address(s, 0));
	struct raw *raw = raw_open(server_address(s, 0));
	const char *message = text_repeat("m", 16000);

	for (int i = 0; i < 400; i++)
		expect_status(http_ask(http, "PUT", text("/containers/s%d", i), NULL,
				       text("{\"status\":{\"message\":\"%s\"}}", message)), 201);
	http_free(http);
	ck_assert(raw_say(raw,
		"GET /containers HTTP/1.1\r\nHost: localhost\r\nAccept: application/x-ndjson\r\n\r\n"));
	ck_assert_int_eq(raw_read_head(raw).status, 200);
	server_stop(s);
	raw_close(raw);
	server_end(s);
}
END_TEST

START_TEST(stops_and_starts)
{
	static const char *const backends[] = { "disk", "memory" };
	const char *const options[] = { "--backend", backends[_i], NULL };
	struct server *s = server_start(options);

	for (int i = 0; i < 10; i++) {
		server_stop(s);
		server_restart(s, options);
	}
	server_signal(s, SIGINT);
	ck_assert_int_eq(server_wait(s), 0);
	server_end(s);
}
END_TEST

/* A disk that can be written again is noticed without a restart. */
static void wait_for_writes(struct http *http)
{
	double limit = suite_now() + SUITE_WAIT_SECONDS;
	const struct reply *r;

	while ((r = http_ask(http, "PUT", "/containers/after", NULL, "{}"))->status != 201 && suite_now() < limit)
		suite_pause_ms(100);
	expect_status(r, 201);
}

/* A small disk at <directory>, in a mount namespace of this test's own: it goes with the last process in it. */
static bool mount_small(const char *directory)
{
	return unshare(CLONE_NEWNS) == 0 && mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
	       mount("tallyd-test", directory, "tmpfs", 0, "size=32m") == 0;
}

/* A file system that became read-only: reads are served as ever, writes are refused, and nothing on it has changed. */
START_TEST(read_only_disk)
{
	const char *disk = suite_directory(), *root = text("%s/root", disk);
	struct server *s;
	struct http *http;
	const struct reply *r;

	if (!mount_small(disk)) {
		suite_skip("read-only disk", "a tmpfs cannot be mounted (needs CAP_SYS_ADMIN)");
		return;
	}
	s = server_start_at(root, NULL);
	http = http_new(server_address(s, 0));
	for (int i = 0; i < 20; i++)
		expect_status(http_ask(http, "PUT", text("/containers/ro-%d", i), NULL,
				       "{\"status\":{\"startedAt\":1}}"), 201);
	http_free(http);
	server_kill(s);
	ck_assert_int_eq(mount(NULL, disk, NULL, MS_REMOUNT | MS_RDONLY, NULL), 0);
	server_restart(s, NULL);
	http = http_new(server_address(s, 0));
	for (int i = 0; i < 20; i++)
		expect_all(http_get(http, text("/containers/ro-%d", i)), "/status/state=CONTAINER_RUNNING");
	expect_status(http_get(http, "/readyz"), 200);
	r = http_ask(http, "PUT", "/containers/ro-new", NULL, "{}");
	expect_problem(r, 503, "read-only");
	expect_all(r, "@Retry-After!=(absent)");
	expect_problem(http_ask(http, "DELETE", "/containers/ro-1?force=true", NULL, NULL), 503, "read-only");
	expect_status(http_get(http, "/containers/ro-1"), 200);
	ck_assert_int_eq(mount(NULL, disk, NULL, MS_REMOUNT, NULL), 0);
	wait_for_writes(http);
	http_free(http);
	server_end(s);
}
END_TEST

START_TEST(hang_up_is_no_end)
{
	struct server *s = server_start(NULL);
	struct http *http = http_new(server_address(s, 0));

	server_signal(s, SIGHUP);
	expect_status(http_ask(http, "PUT", "/containers/still-there", NULL, "{}"), 201);
	http_free(http);
	server_end(s);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("process");
	TCase *c = suite_case(s, "process", NULL, NULL);

	tcase_add_loop_test(c, runs_that_end, 0, COUNT(runs));
	tcase_add_test(c, second_copy_is_refused);
	tcase_add_test(c, port_that_is_taken);
	tcase_add_test(c, check_root_of_a_stopped_server);
	tcase_add_test(c, stop_under_load);
	tcase_add_test(c, answers_in_flight_at_the_stop);
	tcase_add_test(c, stop_with_idle_connections);
	tcase_add_test(c, stop_with_a_reader_that_sleeps);
	tcase_add_loop_test(c, stops_and_starts, 0, 2);
	tcase_add_test(c, read_only_disk);
	tcase_add_test(c, hang_up_is_no_end);
	return suite_main(s);
}
