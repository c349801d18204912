/* linear - does the server stay linearizable under kill -9, and free of races?
 *
 *     linear [--operations N] [--kills N] [--seed N] [--containers N] [--clients N] [--relaxed PERCENT]
 *            [--no-faults]
 *     linear --soak SECONDS [...]
 *
 * The first form plays with durable changes, then again with a share of sync=false (with --relaxed: that share alone): kill
 * -9 loses neither.  The binary is the one that TALLYD names; roots lie under TMPDIR.  Exit status 1 on any violation. */
#include <check.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "linear/judge.h"
#include "linear/random.h"
#include "linear/soak.h"
#include "support/server.h"
#include "support/suite.h"
#include "support/text.h"

enum { LIMIT_SECONDS = 300, KILL_MS_LEAST = 200, KILL_MS_MOST = 2000, SOAK_SECONDS_FULL = 30 };

/* A test takes no argument: what the command line says stands here, set before any runs. */
static struct settings {
	unsigned long operations, kills, seed, containers, clients, soak_seconds;
	int relaxed; /* -1: none, then half */
	bool faults;
} settings = { .operations = 50000, .kills = 12, .seed = 1, .containers = 16, .clients = CLIENTS_MAX, .relaxed = -1,
	       .faults = true };

/* What the lives are begun with: small segments and a small journal bring about what else is rare. */
static const char *const worlds[][6] = {
	{ NULL },
	{ "--segment-bytes", "64K", NULL },
	{ "--loops", "1", NULL },
	{ "--segment-bytes", "64K", "--journal-cap", "1M", NULL },
	{ NULL },
	{ "--loops", "4", "--segment-bytes", "256K", NULL },
};

struct crowd {
	struct game game;
	struct player players[CLIENTS_MAX + 1]; /* the last one reads everything at the end */
	pthread_t threads[CLIENTS_MAX];
	size_t count;
	void (*move)(struct player *, struct client *);
	double began;
};

/* ---- the clients ---- */

struct seat {
	struct crowd *crowd;
	size_t number;
};

static void play_life(struct crowd *crowd, struct player *p, const char *address, bool *ret_refused)
{
	struct client *c = client_open(address);

	*ret_refused = !c;
	while (c && client_is_open(c) && !life_is_over(&p->game->life))
		crowd->move(p, c);
	client_close(c);
}

static void *play(void *arg)
{
	struct seat *seat = arg;
	struct player *p = &seat->crowd->players[seat->number];
	char address[ADDRESS_MAX];
	unsigned life, gone = 0;

	while ((life = life_join(&p->game->life, gone, address)) != 0) {
		bool refused;

		play_life(seat->crowd, p, address, &refused);
		gone = refused ? life : 0;
	}
	free(seat);
	return NULL;
}

static struct crowd *crowd_new(unsigned relaxed_percent, void (*move)(struct player *, struct client *))
{
	struct crowd *crowd = calloc(1, sizeof *crowd);

	ck_assert_ptr_nonnull(crowd);
	crowd->game.containers = (unsigned)settings.containers;
	crowd->game.relaxed_percent = relaxed_percent;
	crowd->game.seed = settings.seed;
	crowd->count = settings.clients;
	crowd->move = move;
	crowd->began = suite_now();
	game_init(&crowd->game);
	for (size_t i = 0; i <= crowd->count; i++)
		player_init(&crowd->players[i], &crowd->game, (unsigned)i);
	return crowd;
}

static void crowd_begin(struct crowd *crowd)
{
	for (size_t i = 0; i < crowd->count; i++) {
		struct seat *seat = malloc(sizeof *seat);

		ck_assert_ptr_nonnull(seat);
		*seat = (struct seat){ crowd, i };
		ck_assert_int_eq(pthread_create(&crowd->threads[i], NULL, play, seat), 0);
	}
}

static void crowd_end(struct crowd *crowd)
{
	life_close(&crowd->game.life);
	for (size_t i = 0; i < crowd->count; i++)
		ck_assert_int_eq(pthread_join(crowd->threads[i], NULL), 0);
}

/* Prints the figures; how many violations there are. */
static size_t crowd_judge(struct crowd *crowd, const char *what, unsigned kills)
{
	double end = suite_now();
	struct game *g = &crowd->game;
	size_t bad = judge(g, crowd->players, crowd->count + 1, (int64_t)(crowd->began * 1e9));

	(void)printf("%s: seed %lu, %zu clients, %u containers, %u kills, %lu operations, %lu of unknown outcome, %lu refused, "
		     "%.1f s; checked in %.2f s: %zu violations\n", what, settings.seed, crowd->count, g->containers, kills,
		     atomic_load(&g->operations), atomic_load(&g->unknown), atomic_load(&g->refused), end - crowd->began,
		     suite_now() - end, bad);
	(void)fflush(stdout);
	return bad;
}

static void crowd_free(struct crowd *crowd)
{
	for (size_t i = 0; i <= crowd->count; i++)
		player_done(&crowd->players[i]);
	game_done(&crowd->game);
	free(crowd);
}

/* ---- kill -9 ---- */

static const char *const *some_world(uint64_t *random)
{
	return worlds[random_below(random, COUNT(worlds))];
}

/* Let calls that would write a file beyond <bytes> fail for a moment: a disk that fails, without privileges.  Beyond 1 MiB only
 * a full-sized segment goes, and the fence holds; at 0 it cannot be written either, and outcomes are unknown. */
static void fail_disk(struct server *s, uint64_t bytes, unsigned ms)
{
	struct rlimit limit;

	ck_assert_int_eq(prlimit(server_pid(s), RLIMIT_FSIZE, NULL, &limit), 0);
	limit.rlim_cur = bytes;
	ck_assert_int_eq(prlimit(server_pid(s), RLIMIT_FSIZE, &limit, NULL), 0);
	suite_pause_ms(ms);
	limit.rlim_cur = limit.rlim_max;
	ck_assert_int_eq(prlimit(server_pid(s), RLIMIT_FSIZE, &limit, NULL), 0);
}

/* One life: some time, in most lives with a disk that fails for a moment, until it is killed. */
static void live(struct server *s, uint64_t *random)
{
	static const uint64_t limits[] = { 0, 1024 * 1024, 1024 * 1024, 1024 * 1024 };
	unsigned ms = KILL_MS_LEAST + (unsigned)random_below(random, KILL_MS_MOST - KILL_MS_LEAST);
	unsigned before = (unsigned)random_below(random, ms);

	suite_pause_ms(before);
	if (settings.faults)
		fail_disk(s, limits[random_below(random, COUNT(limits))], 1 + (unsigned)random_below(random, 50));
	suite_pause_ms(ms - before);
}

/* After the last restart: what is there is read once more, and the server must end well. */
static void read_all(struct crowd *crowd, struct server *s)
{
	struct client *c = client_open(server_address(s, 0));

	ck_assert_ptr_nonnull(c);
	player_read_all(&crowd->players[crowd->count], c);
	ck_assert_msg(client_is_open(c), "the last reads were not all answered");
	client_close(c);
	server_end(s);
}

static void play_with_kills(unsigned relaxed_percent)
{
	struct crowd *crowd = crowd_new(relaxed_percent, player_move);
	struct game *g = &crowd->game;
	uint64_t random = settings.seed;
	struct server *s = server_start(some_world(&random));
	unsigned kills = 0;
	size_t bad;

	crowd_begin(crowd);
	while (kills < settings.kills || atomic_load(&g->operations) < settings.operations) {
		ck_assert_msg(suite_now() < crowd->began + LIMIT_SECONDS, "only %lu operations in %d s", atomic_load(&g->operations),
			      LIMIT_SECONDS);
		life_begin(&g->life, server_address(s, 0));
		live(s, &random);
		life_end(&g->life);
		server_kill(s);
		kills++;
		server_restart(s, some_world(&random));
	}
	crowd_end(crowd);
	read_all(crowd, s);
	bad = crowd_judge(crowd, relaxed_percent ? "durable and relaxed changes" : "durable changes", kills);
	crowd_free(crowd);
	ck_assert_msg(bad == 0, "%zu violations", bad);
}

START_TEST(durable)
{
	play_with_kills(settings.relaxed < 0 ? 0 : (unsigned)settings.relaxed);
}
END_TEST

START_TEST(relaxed)
{
	play_with_kills(50);
}
END_TEST

/* ---- the soak ---- */

static void move_any(struct player *p, struct client *c)
{
	if (random_below(&p->random, 2))
		player_move(p, c);
	else
		soak_move(p, c);
}

static void wait_out(const struct crowd *crowd, double seconds, struct server *s)
{
	while (suite_now() < crowd->began + seconds && !strstr(server_said(s), "ThreadSanitizer"))
		suite_pause_ms(1000);
}

START_TEST(soak)
{
	struct crowd *crowd = crowd_new(30, move_any);
	struct server *s = server_start(worlds[1]);
	const char *said, *why;
	size_t bad, unmet;

	crowd_begin(crowd);
	life_begin(&crowd->game.life, server_address(s, 0));
	wait_out(crowd, (double)settings.soak_seconds, s);
	why = server_finish(s); /* while everybody is still asking */
	crowd_end(crowd);
	said = server_said(s);
	server_end(s);
	bad = crowd_judge(crowd, "soak", 0);
	ck_assert_msg(!strstr(said, "ThreadSanitizer"), "the server said:\n%s", said);
	ck_assert_msg(!why, "%s", why);
	ck_assert_msg(bad == 0, "%zu violations", bad);
	unmet = soak_unmet(&crowd->game);
	crowd_free(crowd);
	ck_assert_msg(unmet == 0 || settings.soak_seconds < SOAK_SECONDS_FULL,
		      "%zu kinds of requests were never answered as meant", unmet);
}
END_TEST

/* ---- the command line ---- */

static const struct option options[] = {
	{ "operations", required_argument, NULL, 'o' }, { "kills", required_argument, NULL, 'k' },
	{ "seed", required_argument, NULL, 's' },       { "containers", required_argument, NULL, 'c' },
	{ "clients", required_argument, NULL, 'n' },    { "relaxed", required_argument, NULL, 'r' },
	{ "soak", required_argument, NULL, 'S' },       { "no-faults", no_argument, NULL, 'f' },
	{ 0 },
};

static bool read_options(int argc, char **argv)
{
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		unsigned long value = optarg ? strtoul(optarg, NULL, 10) : 0;

		switch (option) {
		case 'o': settings.operations = value; break;
		case 'k': settings.kills = value; break;
		case 's': settings.seed = value; break;
		case 'c': settings.containers = value; break;
		case 'n': settings.clients = value; break;
		case 'r': settings.relaxed = (int)value; break;
		case 'S': settings.soak_seconds = value; break;
		case 'f': settings.faults = false; break;
		default: return false;
		}
	}
	return optind == argc && settings.containers >= 1 && settings.containers <= CONTAINERS_MAX && settings.clients >= 1 &&
	       settings.clients <= CLIENTS_MAX;
}

int main(int argc, char **argv)
{
	Suite *s = suite_create("linear");
	TCase *c = suite_case(s, "linear", NULL, NULL);

	if (!read_options(argc, argv)) {
		(void)fprintf(stderr, "linear: at most %d containers and %d clients; see the head of linear.c\n", CONTAINERS_MAX,
			      CLIENTS_MAX);
		return 2;
	}
	tcase_set_timeout(c, LIMIT_SECONDS + SUITE_SECONDS + (double)settings.soak_seconds);
	if (settings.soak_seconds)
		tcase_add_test(c, soak);
	else
		tcase_add_test(c, durable);
	if (!settings.soak_seconds && settings.relaxed < 0)
		tcase_add_test(c, relaxed);
	return suite_main(s);
}
