/* What was acknowledged is found again, whatever happened to the process or to the files. */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "container/codec.h"
#include "disk.h"
#include "unit.h"

/* ---- helpers ---- */

static struct disk *started(void)
{
	struct disk *d = disk_new();

	ck_assert_msg(disk_start(d) == 0, "%s", d->err.text);
	return d;
}

static struct backend_figures figures_of(struct disk *d)
{
	struct backend_figures f;

	d->backend->ops->figures(d->backend, &f);
	return f;
}

/* The process ends without closing anything, as by kill -9, after <changes> more changes; the model is told what it
 * was told. */
struct ledger {
	int sent[DISK_IDS];  /* number of the newest change sent, 0 = none; -n: the nth, a deletion */
	int acked[DISK_IDS]; /* the same, acknowledged */
};

static int pick(unsigned *seed, int n)
{
	*seed = *seed * 1103515245u + 12345u;
	return (int)(*seed >> 16) % n;
}

static void one_change(struct disk *d, struct ledger *l, int id, int n, bool deletes, bool durable)
{
	bool there = d->boxes[id].container != NULL;

	l->sent[id] = deletes && there ? -n : n;
	if (deletes && there)
		ck_assert_int_eq(disk_delete(d, id), 0);
	else if (there)
		ck_assert_int_eq(disk_update(d, id, n, durable), 0);
	else
		ck_assert_int_eq(disk_create(d, id, n, durable), 0);
	l->acked[id] = l->sent[id];
}

static void live_and_die(struct disk *d, struct ledger *l, unsigned seed, int base, int changes, int ids)
{
	ck_assert_msg(disk_start(d) == 0, "%s", d->err.text);
	for (int n = 1; n <= changes; n++) {
		one_change(d, l, pick(&seed, ids), base + n, pick(&seed, 5) == 0, pick(&seed, 3) != 0);
		if (pick(&seed, 20) == 0)
			(void)d->backend->ops->upkeep(d->backend, clock_mono(&clock_system) + pick(&seed, 2) * NS_PER_S);
		if (pick(&seed, 200) == 0)
			disk_settle(d);
	}
	if (pick(&seed, 4) == 0)
		disk_stop(d);
	_exit(0);
}

static int change_of(const struct container *c)
{
	int number, n;

	ck_assert_int_eq(sscanf(container_status(c)->message, "box %d, change %d", &number, &n), 2);
	return n;
}

/* kill -9 loses nothing: what was acknowledged is there, relaxed or not. */
static void expect_ledger(struct disk *d, const struct ledger *l)
{
	for (int i = 0; i < DISK_IDS; i++) {
		const struct container *c = d->boxes[i].container;
		int seen = c ? change_of(c) : 0;

		if (l->acked[i] == l->sent[i])
			ck_assert_int_eq(seen, l->acked[i] > 0 ? l->acked[i] : 0);
		else
			ck_assert(seen == l->sent[i] || seen == l->acked[i] || (seen == 0 && (l->sent[i] < 0 || l->acked[i] <= 0)));
	}
}

static void expect_nothing_set_aside(struct disk *d)
{
	struct backend_figures f = figures_of(d);

	ck_assert_uint_eq(f.recovered[RECOVERY_QUARANTINED], 0);
	ck_assert_uint_eq(f.recovered[RECOVERY_UNKNOWN], 0);
	ck_assert_uint_eq(f.recovered[RECOVERY_MISSING], 0);
}

START_TEST(killed_at_many_points)
{
	struct ledger *l = mmap(NULL, sizeof *l, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct disk *d = disk_new();
	unsigned seed = (unsigned)_i * 7919u + 1;
	uint64_t newest = 0;

	ck_assert_ptr_ne(l, MAP_FAILED);
	for (int life = 0; life < 12; life++) {
		int status;
		pid_t child = fork();

		ck_assert_int_ge(child, 0);
		if (child == 0)
			live_and_die(d, l, seed, life * 1000, 1 + pick(&seed, life % 2 ? 30 : 300), 5 + 20 * (_i % 3));
		ck_assert_int_eq(waitpid(child, &status, 0), child);
		ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
		seed = seed * 31 + 7;
		ck_assert_msg(disk_load(d) == 0, "%s", d->err.text);
		expect_ledger(d, l);
		expect_nothing_set_aside(d);
		ck_assert_uint_ge(d->loaded.revision, newest);
		newest = d->loaded.revision;
		disk_expect_same(d);
	}
	disk_free(d);
	ck_assert_int_eq(munmap(l, sizeof *l), 0);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("recovery");

	(void)started;
	tcase_add_loop_test(unit_case(s, "killed at many points"), killed_at_many_points, 0, 6);
	return unit_main(s);
}
