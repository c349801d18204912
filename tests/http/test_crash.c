/* kill -9 under load, again and again: what was acknowledged is found, what was removed stays away, and no revision is
 * given out twice.  A request that was under way when the server died may have happened or not. */
#include <check.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "support/crowd.h"
#include "support/expect.h"
#include "support/server.h"
#include "support/suite.h"
#include "support/text.h"

enum { THREADS = 8, KEYS = 12, ROUNDS = 4, ACKS_A_ROUND = 400, REVISIONS_MAX = 1 << 18 };

/* What one thread knows of one of its containers.  Version 0 is: there is none. */
struct key {
	unsigned acked;   /* the version of the newest acknowledged write */
	unsigned tried;   /* the version of a write without an answer; equal to acked when there is none */
	unsigned written; /* the newest version ever used */
};

struct load {
	struct server *server;
	const char *const *options;
	atomic_bool stop;
	atomic_uint acks;
	atomic_size_t revision_count;
	unsigned long long revisions[REVISIONS_MAX]; /* each that an acknowledged change got */
	struct key keys[THREADS][KEYS];
	atomic_uint odd; /* answers that nothing explains */
};

static const char *path_of(size_t thread, size_t key)
{
	return text("/containers/k-%zu-%zu.", thread, key);
}

static void note_revision(struct load *load, const struct reply *r)
{
	size_t at = atomic_fetch_add(&load->revision_count, 1);

	if (at < REVISIONS_MAX)
		load->revisions[at] = reply_revision(r);
}

/* One write of one key: made when there is none, else changed, now and then removed. */
static void write_once(struct load *load, struct http *http, size_t thread, size_t n, unsigned turn)
{
	struct key *key = &load->keys[thread][n];
	const char *path = path_of(thread, n), *sync = turn % 4 == 3 ? "?sync=false" : "";
	const struct reply *r;
	bool removes = key->acked != 0 && turn % 9 == 8;

	key->tried = removes ? 0 : ++key->written;
	if (removes)
		r = http_ask(http, "DELETE", text("%s%s", path, sync), NULL, NULL);
	else if (key->acked == 0)
		r = http_ask(http, "PUT", text("%s%s", path, sync), NULL,
			text("{\"status\":{\"message\":\"%u\"}}", key->tried));
	else
		r = http_ask(http, "PATCH", text("%s/status%s", path, sync), NULL,
			text("{\"message\":\"%u\"}", key->tried));
	if (r->status == 0)
		return; /* dead meanwhile: nobody knows */
	if (r->status != 200 && r->status != 201 && r->status != 204) {
		atomic_fetch_add(&load->odd, 1);
		return;
	}
	key->acked = key->tried;
	atomic_fetch_add(&load->acks, 1);
	if (!removes)
		note_revision(load, r);
}

static void work(void *arg, size_t thread)
{
	struct load *load = arg;
	struct http *http = http_new(server_address(load->server, 0));

	for (unsigned turn = 0; !atomic_load(&load->stop); turn++) {
		struct key *key = &load->keys[thread][turn % KEYS];

		write_once(load, http, thread, turn % KEYS, turn + (unsigned)thread);
		if (key->tried != key->acked)
			break;
		http_forget(http);
	}
	http_free(http);
}

/* After the restart: each key is at its acknowledged version, or at the one that was under way. */
static void check_all(struct load *load)
{
	struct http *http = http_new(server_address(load->server, 0));

	for (size_t t = 0; t < THREADS; t++)
		for (size_t k = 0; k < KEYS; k++) {
			struct key *key = &load->keys[t][k];
			const struct reply *r = http_get(http, path_of(t, k));
			unsigned seen = r->status == 404 ? 0 : (unsigned)strtoul(json_text(r->json,
				"/status/message"), NULL, 10);

			if (r->status != 200 && r->status != 404)
				expect_fail(r, "expected 200 or 404");
			if (seen != key->acked && seen != key->tried)
				expect_fail(r, "acknowledged %u, under way %u, found %u", key->acked, key->tried,
					seen);
			key->acked = key->tried = seen;
			http_forget(http);
		}
	http_free(http);
}

static int by_value(const void *a, const void *b)
{
	unsigned long long x = *(const unsigned long long *)a, y = *(const unsigned long long *)b;

	return x < y ? -1 : x > y;
}

static void check_revisions(struct load *load)
{
	size_t n = atomic_load(&load->revision_count);

	n = n < REVISIONS_MAX ? n : REVISIONS_MAX;
	qsort(load->revisions, n, sizeof load->revisions[0], by_value);
	for (size_t i = 1; i < n; i++)
		ck_assert_msg(load->revisions[i] != load->revisions[i - 1], "revision %llu was given out twice",
			load->revisions[i]);
	ck_assert_uint_gt(load->revisions[0], 0);
}

static void one_round(struct load *load)
{
	struct crowd crowd;
	unsigned until = atomic_load(&load->acks) + ACKS_A_ROUND;
	double limit = suite_now() + SUITE_WAIT_SECONDS;

	atomic_store(&load->stop, false);
	crowd_start(&crowd, THREADS, work, load);
	while (atomic_load(&load->acks) < until && suite_now() < limit)
		suite_pause_ms(1);
	server_kill(load->server);
	atomic_store(&load->stop, true);
	crowd_join(&crowd);
	ck_assert_uint_ge(atomic_load(&load->acks), until);
	ck_assert_uint_eq(atomic_load(&load->odd), 0);
	server_restart(load->server, load->options);
	check_all(load);
}

/* With segments as they are, and with such small ones that the journal is cut and thinned out all the time. */
START_TEST(killed_under_load)
{
	static const char *const options[][3] = { { NULL }, { "--segment-bytes", "64K", NULL } };
	struct load *load = calloc(1, sizeof *load);

	ck_assert_ptr_nonnull(load);
	load->options = options[_i];
	load->server = server_start(load->options);
	for (int round = 0; round < ROUNDS; round++)
		one_round(load);
	check_revisions(load);
	/* An orderly stop and start changes nothing either. */
	server_stop(load->server);
	server_restart(load->server, load->options);
	check_all(load);
	server_end(load->server);
	free(load);
}
END_TEST

/* The next revision is above all that were ever shown, also when the newest container is gone. */
START_TEST(revisions_only_grow)
{
	struct server *server = server_start(NULL);
	unsigned long long newest = 0;

	for (int life = 0; life < 4; life++) {
		struct http *http = http_new(server_address(server, 0));
		const struct reply *r = http_ask(http, "PUT", text("/containers/r%d", life), NULL, "{}");

		expect_status(r, 201);
		ck_assert_msg(reply_revision(r) > newest, "revision %llu after %llu", reply_revision(r), newest);
		r = http_ask(http, "PATCH", text("/containers/r%d/status", life), NULL, "{\"startedAt\":1}");
		newest = reply_revision(r);
		expect_status(http_ask(http, "DELETE", text("/containers/r%d?force=true", life), NULL, NULL), 204);
		newest = strtoull(json_text(http_get(http, "/containers")->json, "/metadata/revision"), NULL, 10);
		http_free(http);
		if (life % 2)
			server_stop(server);
		else
			server_kill(server);
		server_restart(server, NULL);
	}
	server_end(server);
}
END_TEST

/* Killed before anything was made of it: the second start is as good as the first. */
START_TEST(killed_at_once)
{
	struct server *server = server_start(NULL);

	for (int i = 0; i < 5; i++) {
		server_kill(server);
		server_restart(server, NULL);
	}
	server_end(server);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("crash");
	TCase *c = suite_case(s, "kill -9", NULL, NULL);

	tcase_add_loop_test(c, killed_under_load, 0, 2);
	tcase_add_test(c, revisions_only_grow);
	tcase_add_test(c, killed_at_once);
	return suite_main(s);
}
