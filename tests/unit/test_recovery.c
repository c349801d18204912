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
#include "faulty.h"
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

/* ---- damage ---- */

static void flip(const struct disk *d, const char *name, long at)
{
	char *path = disk_path(d, "%s", name), c;
	int fd = open(path, O_RDWR | O_CLOEXEC);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq((int)pread(fd, &c, 1, at), 1);
	c ^= 4;
	ck_assert_int_eq((int)pwrite(fd, &c, 1, at), 1);
	ck_assert_int_eq(close(fd), 0);
	free(path);
}

static void remove_file(const struct disk *d, const char *name)
{
	char *path = disk_path(d, "%s", name);

	ck_assert_int_eq(remove(path), 0);
	free(path);
}

static bool is_there(const struct disk *d, const char *name)
{
	char *path = disk_path(d, "%s", name);
	bool there = access(path, F_OK) == 0;

	free(path);
	return there;
}

/* Three containers in their files, nothing of them in the journal: it is behind what MANIFEST says is checkpointed. */
static struct disk *stopped(void)
{
	struct disk *d = started();

	for (int i = 1; i <= 3; i++)
		ck_assert_int_eq(disk_create(d, i, i, true), 0);
	disk_settle(d);
	disk_stop(d);
	return d;
}

/* The same, but killed: the journal has it all. */
static struct disk *killed(void)
{
	struct disk *d = disk_new();
	pid_t child = fork();
	int status;

	ck_assert_int_ge(child, 0);
	if (child == 0) {
		if (disk_start(d) < 0)
			_exit(1);
		for (int i = 1; i <= 3; i++)
			if (disk_create(d, i, i, true) < 0)
				_exit(1);
		disk_settle(d);
		_exit(0);
	}
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	return d;
}

static int find_aside(const char *path, const char *start)
{
	char command[600];

	(void)snprintf(command, sizeof command, "ls -d '%s'/%s* >/dev/null 2>&1", path, start);
	return system(command);
}

static bool any_set_aside(const struct disk *d, const char *id, const char *start)
{
	char *path = disk_path(d, "containers/%s", id);
	bool any = find_aside(path, start) == 0;

	free(path);
	return any;
}

static const struct damage {
	const char *name;
	bool missing;
} status_damages[] = { { "containers/box-2/status", false }, { "containers/box-2/status", true } };

static void hurt(const struct disk *d, const struct damage *damage)
{
	if (damage->missing)
		remove_file(d, damage->name);
	else
		flip(d, damage->name, 40);
}

/* U16: shown as unknown, under a revision of its own, set aside once writes work, and unknown for ever after. */
START_TEST(status_damaged_without_record)
{
	struct disk *d = stopped();

	hurt(d, &status_damages[_i]);
	for (int twice = 0; twice < 2; twice++) {
		ck_assert_int_eq(disk_load(d), 0);
		ck_assert_uint_eq(d->boxes[2].flags, FOUND_DAMAGED);
		ck_assert_int_eq((int)container_state(d->boxes[2].container), (int)CONTAINER_UNKNOWN);
		ck_assert_int_eq(container_status(d->boxes[2].container)->exit_code, 255);
		ck_assert_str_eq(container_status(d->boxes[2].container)->reason, "CheckpointDamaged");
		ck_assert_ptr_nonnull(strstr(container_status(d->boxes[2].container)->message, "containers/box-2/status"));
		ck_assert_uint_gt(container_revision(d->boxes[2].container), 3);
		ck_assert_uint_eq(d->boxes[1].flags | d->boxes[3].flags, 0);
		ck_assert_uint_eq(figures_of(d).recovered[RECOVERY_UNKNOWN], 1);
		ck_assert_uint_eq(figures_of(d).recovered[RECOVERY_QUARANTINED], !status_damages[_i].missing);
		disk_stop(d);
		ck_assert_int_eq(any_set_aside(d, "box-2", "status.corrupt-"), 0);
	}
	ck_assert_int_eq(disk_start(d), 0);
	disk_settle(d);
	disk_expect_same(d);
	ck_assert_int_eq(any_set_aside(d, "box-2", "status.corrupt-"), !status_damages[_i].missing);
	ck_assert_int_eq(disk_load(d), 0);
	ck_assert_uint_eq(d->boxes[2].flags, 0);
	ck_assert_int_eq((int)container_state(d->boxes[2].container), (int)CONTAINER_UNKNOWN);
	ck_assert_str_eq(metadata_value(container_metadata(d->boxes[2].container))->name, "name");
	disk_free(d);
}
END_TEST

START_TEST(status_damaged_with_record)
{
	struct disk *d = killed();

	hurt(d, &status_damages[_i]);
	ck_assert_int_eq(disk_start(d), 0);
	ck_assert_uint_eq(figures_of(d).recovered[RECOVERY_UNKNOWN], 0);
	ck_assert_int_eq(change_of(d->boxes[2].container), 2);
	disk_settle(d);
	ck_assert_int_eq(any_set_aside(d, "box-2", "status.corrupt-"), !status_damages[_i].missing);
	disk_expect_same(d);
	disk_free(d);
}
END_TEST

START_TEST(metadata_damaged)
{
	static const struct damage damages[] = { { "containers/box-2/metadata", false }, { "containers/box-2/metadata", true } };
	bool with_record = _i / 2;
	struct disk *d = with_record ? killed() : stopped();

	hurt(d, &damages[_i % 2]);
	ck_assert_int_eq(disk_start(d), 0);
	ck_assert_int_eq(change_of(d->boxes[2].container), 2);
	ck_assert_str_eq(metadata_value(container_metadata(d->boxes[2].container))->name, with_record ? "name" : "");
	disk_settle(d);
	ck_assert_int_eq(any_set_aside(d, "box-2", "metadata.corrupt-"), _i % 2 == 0);
	disk_expect_same(d);
	disk_free(d);
}
END_TEST

START_TEST(directories_swapped)
{
	struct disk *d = stopped();
	char *one = disk_path(d, "containers/box-1"), *two = disk_path(d, "containers/box-2"), *aside = disk_path(d, "aside");

	ck_assert_int_eq(rename(one, aside) | rename(two, one) | rename(aside, two), 0);
	ck_assert_int_eq(disk_load(d), 0);
	ck_assert_uint_eq(d->boxes[1].flags, FOUND_DAMAGED);
	ck_assert_uint_eq(d->boxes[2].flags, FOUND_DAMAGED);
	ck_assert_uint_eq(d->boxes[3].flags, 0);
	disk_stop(d);
	ck_assert_int_eq(disk_start(d), 0);
	disk_settle(d);
	disk_expect_same(d);
	free(one);
	free(two);
	free(aside);
	disk_free(d);
}
END_TEST

START_TEST(directory_vanished)
{
	struct disk *d = stopped();

	remove_file(d, "containers/box-2/status");
	remove_file(d, "containers/box-2/metadata");
	remove_file(d, "containers/box-2");
	ck_assert_int_eq(disk_load(d), 0);
	ck_assert_uint_eq(figures_of(d).recovered[RECOVERY_MISSING], 1);
	ck_assert_ptr_null(d->boxes[2].container);
	disk_free(d);
}
END_TEST

START_TEST(half_deleted_and_foreign_things)
{
	struct disk *d = stopped();
	char *dir = disk_path(d, "containers/empty"), *half = disk_path(d, "containers/half"), *bad = disk_path(d, "containers/.bad");

	ck_assert_int_eq(mkdir(dir, 0700) | mkdir(half, 0700) | mkdir(bad, 0700), 0);
	unit_write_file(d->root, "containers/half.del-status", "{}", 2);
	unit_write_file(d->root, "containers/half/other", "x", 1);
	ck_assert_int_eq(disk_load(d), 0); /* found() refuses every name that is not ours */
	ck_assert_uint_eq(figures_of(d).recovered[RECOVERY_IGNORED], 4);
	ck_assert_uint_eq(figures_of(d).recovered[RECOVERY_LOADED], 3);
	free(dir);
	free(half);
	free(bad);
	disk_free(d);
}
END_TEST

/* What speaks of this process and not of the files is no damage: the start is refused, and the next one finds all. */
START_TEST(want_of_descriptors_is_no_damage)
{
	struct disk *d = disk_new();

	ck_assert_int_eq(disk_start(d), 0);
	for (int i = 0; i < 5; i++)
		ck_assert_int_eq(disk_create(d, i, 1, true), 0);
	disk_settle(d);
	disk_stop(d);
	d->options.files = &files_faulty;
	faulty_arm((struct faulty_rule){ .calls = CALL_OPEN, .where = "/containers/", .error = ENFILE, .pass = 3, .count = 2 });
	ck_assert_int_eq(disk_load(d), -ENFILE);
	ck_assert_int_gt(faulty_failed(), 0);
	disk_stop(d);
	faulty_disarm();
	ck_assert_int_eq(disk_load(d), 0);
	for (int i = 0; i < 5; i++) {
		ck_assert_ptr_nonnull(d->boxes[i].container);
		ck_assert_uint_eq(d->boxes[i].flags, 0);
	}
	disk_stop(d);
	disk_free(d);
}
END_TEST

/* Where names come without types, whoever cannot be asked for is not passed over. */
START_TEST(entries_of_unknown_type)
{
	struct disk *d = disk_new();

	ck_assert_int_eq(disk_start(d), 0);
	ck_assert_int_eq(disk_create(d, 1, 1, true), 0);
	disk_settle(d);
	disk_stop(d);
	d->options.files = &files_faulty;
	faulty_arm((struct faulty_rule){ .calls = CALL_FSTATAT, .where = "/box-1", .error = EIO, .count = 1, .hides_types = true });
	ck_assert_int_eq(disk_load(d), -EIO);
	ck_assert_int_eq(disk_load(d), 0);
	ck_assert_ptr_nonnull(d->boxes[1].container);
	ck_assert_int_eq(faulty_failed(), 1);
	faulty_disarm();
	disk_free(d);
}
END_TEST

/* A disk that does not give a file today may give it tomorrow: it is set aside, counted, told, and never overwritten. */
START_TEST(unreadable_files_are_kept)
{
	static const char *const names[] = { "metadata", "status" };
	struct disk *d = disk_new();
	char path[64], find[300], *before;

	ck_assert_int_eq(disk_start(d), 0);
	ck_assert_int_eq(disk_create(d, 1, 1, true), 0);
	disk_settle(d);
	disk_stop(d);
	(void)snprintf(path, sizeof path, "containers/box-1/%s", names[_i]);
	before = unit_read_file(d->root, path);
	ck_assert_ptr_nonnull(before);
	d->options.files = &files_faulty;
	faulty_arm((struct faulty_rule){ .calls = CALL_OPEN, .where = path, .error = EIO, .count = 1 });
	ck_assert_int_eq(disk_start(d), 0);
	faulty_disarm();
	ck_assert_uint_eq(figures_of(d).recovered[RECOVERY_QUARANTINED], 1);
	ck_assert_uint_eq(figures_of(d).recovered[RECOVERY_UNKNOWN], (unsigned)_i);
	ck_assert_int_gt(d->reports + _i, 0);
	disk_settle(d);
	unit_write_file(d->root, "before", before, strlen(before));
	(void)snprintf(find, sizeof find, "cmp '%s'/%s.corrupt-* '%s'/before", d->root, path, d->root);
	ck_assert_int_eq(system(find), 0);
	free(before);
	disk_free(d);
}
END_TEST

/* A read that stops early is no damage. */
START_TEST(short_reads_are_no_damage)
{
	struct disk *d = disk_new();

	ck_assert_int_eq(disk_start(d), 0);
	ck_assert_int_eq(disk_create(d, 1, 1, true), 0);
	disk_settle(d);
	disk_stop(d);
	d->options.files = &files_faulty;
	faulty_arm((struct faulty_rule){ .calls = CALL_PREAD, .where = "/box-1/", .count = -1, .cut = CUT_HALF, .alternates = true });
	ck_assert_int_eq(disk_load(d), 0);
	ck_assert_int_gt(faulty_failed(), 0);
	faulty_disarm();
	ck_assert_uint_eq(d->boxes[1].flags, 0);
	ck_assert_str_eq(metadata_value(container_metadata(d->boxes[1].container))->name, "name");
	disk_free(d);
}
END_TEST

/* A metadata file that is gone leaves nothing that a client could see: it is counted and told. */
START_TEST(lost_metadata_is_told)
{
	struct disk *d = disk_new();
	char *path = disk_path(d, "containers/box-1/metadata");

	ck_assert_int_eq(disk_start(d), 0);
	ck_assert_int_eq(disk_create(d, 1, 1, true), 0);
	disk_settle(d);
	disk_stop(d);
	ck_assert_int_eq(unlink(path), 0);
	ck_assert_int_eq(disk_load(d), 0);
	ck_assert_uint_eq(figures_of(d).recovered[RECOVERY_MISSING], 1);
	ck_assert_int_eq(d->reports, 1);
	ck_assert_int_eq((int)container_state(d->boxes[1].container), (int)CONTAINER_RUNNING);
	free(path);
	disk_free(d);
}
END_TEST

/* ---- the journal damaged ---- */

/* In the child: nothing gets into containers/, whatever time there is. */
static void without_checkpoints(struct disk *d)
{
	d->options.files = &files_faulty;
	faulty_arm((struct faulty_rule){ .calls = CALL_MKDIR, .where = "/containers/", .error = EIO, .count = -1 });
}

/* What a process leaves that was killed behind two creations.  Frame n stands in segment 1 at n * 4096. */
static struct disk *killed_behind_two(bool second_is_durable)
{
	struct disk *d = disk_new();
	pid_t child = fork();
	int status;

	if (child == 0) {
		without_checkpoints(d);
		if (disk_start(d) < 0 || disk_create(d, 1, 1, true) < 0 || disk_create(d, 2, 2, second_is_durable) < 0)
			_exit(1);
		_exit(0);
	}
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert_int_eq(status, 0);
	return d;
}

START_TEST(torn_tail)
{
	struct disk *d = killed_behind_two(true);

	flip(d, "journal/0000000000000001", 2 * 4096 + 70);
	for (int twice = 0; twice < 2; twice++) {
		ck_assert_int_eq(disk_load(d), 0);
		ck_assert_ptr_nonnull(d->boxes[1].container);
		ck_assert_ptr_null(d->boxes[2].container);
		ck_assert_uint_eq(figures_of(d).torn_tails, 1);
		disk_stop(d);
	}
	ck_assert_int_eq(disk_start(d), 0);
	ck_assert_uint_ge(d->loaded.revision, 65536);
	ck_assert_int_eq(disk_create(d, 3, 3, true), 0);
	disk_expect_same(d);
	disk_free(d);
}
END_TEST

/* A start is read from before it can write, and then a power cut takes what had never been synced: what readers were
 * shown is not given to something else. */
START_TEST(shown_before_open)
{
	struct disk *d = killed_behind_two(false);
	uint64_t shown;

	ck_assert_int_eq(disk_load(d), 0);
	ck_assert_ptr_nonnull(d->boxes[2].container);
	shown = d->loaded.shown;
	ck_assert_uint_ge(shown, container_revision(d->boxes[2].container));
	disk_stop(d);
	flip(d, "journal/0000000000000001", 2 * 4096 + 70);
	ck_assert_int_eq(disk_load(d), 0);
	ck_assert_ptr_null(d->boxes[2].container);
	ck_assert_uint_ge(d->loaded.revision, shown);
	disk_stop(d);
	disk_free(d);
}
END_TEST

static const struct {
	const char *name;
	long at; /* -1: removed, -2: cut */
} journal_damages[] = {
	{ "journal/0000000000000001", 4096 + 70 }, { "journal/0000000000000001", 2 * 4096 + 70 }, { "journal/0000000000000001", 30 },
	{ "journal/0000000000000001", -1 },        { "journal/0000000000000001", -2 },            { "journal/MANIFEST", 20 },
	{ "journal/MANIFEST", -1 },
};

/* What had been acknowledged cannot be read: no start, unless told to go on. */
START_TEST(journal_damaged)
{
	struct disk *d = killed();
	char *path = disk_path(d, "%s", journal_damages[_i].name);

	if (journal_damages[_i].at >= 0)
		flip(d, journal_damages[_i].name, journal_damages[_i].at);
	else if (journal_damages[_i].at == -1)
		ck_assert_int_eq(unlink(path), 0);
	else
		ck_assert_int_eq(truncate(path, 8 * 4096), 0);
	ck_assert_int_eq(disk_load(d), DISK_E_DAMAGED);
	ck_assert_msg(strstr(d->err.text, "--recover=salvage") != NULL, "%s", d->err.text);
	ck_assert_ptr_nonnull(strstr(d->err.text, "journal"));
	d->options.salvage = true;
	ck_assert_msg(disk_start(d) == 0, "%s", d->err.text);
	ck_assert_int_gt(d->reports, 0);
	for (int i = 1; i <= 3; i++)
		ck_assert_ptr_nonnull(d->boxes[i].container);
	ck_assert_int_eq(disk_update(d, 1, 50, true), 0);
	disk_settle(d);
	disk_stop(d);
	/* And then it is whole again. */
	d->options.salvage = false;
	ck_assert_msg(disk_start(d) == 0, "%s", d->err.text);
	ck_assert_int_eq(change_of(d->boxes[1].container), 50);
	disk_expect_same(d);
	free(path);
	disk_free(d);
}
END_TEST

/* A frame behind which others stand: what it changed is unknown, what came later is known. */
START_TEST(salvage_over_a_lost_frame)
{
	struct disk *d = disk_new();
	pid_t child = fork();
	int status;

	if (child == 0) {
		without_checkpoints(d);
		if (disk_start(d) < 0 || disk_create(d, 1, 1, true) < 0 || disk_create(d, 2, 2, true) < 0 ||
		    disk_update(d, 2, 3, true) < 0 || disk_update(d, 1, 4, true) < 0)
			_exit(1);
		_exit(0);
	}
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert_int_eq(status, 0);
	flip(d, "journal/0000000000000001", 3 * 4096 + 70);
	ck_assert_int_eq(disk_load(d), DISK_E_DAMAGED);
	ck_assert_ptr_nonnull(strstr(d->err.text, "offset 12288: frame 3"));
	d->options.salvage = true;
	ck_assert_int_eq(disk_load(d), 0);
	ck_assert_uint_eq(d->boxes[1].flags, 0);
	ck_assert_int_eq(change_of(d->boxes[1].container), 4);
	ck_assert_uint_eq(d->boxes[2].flags, FOUND_DAMAGED);
	disk_free(d);
}
END_TEST

/* The whole journal is gone: what is in files is served by whoever insists. */
START_TEST(journal_missing)
{
	struct disk *d = stopped();
	char *path = disk_path(d, "journal");

	unit_remove(path);
	ck_assert_int_eq(disk_load(d), DISK_E_DAMAGED);
	d->options.salvage = true;
	ck_assert_msg(disk_start(d) == 0, "%s", d->err.text);
	ck_assert_ptr_nonnull(d->boxes[2].container);
	ck_assert_uint_gt(d->loaded.revision, 65536);
	d->options.salvage = false;
	disk_settle(d);
	disk_expect_same(d);
	free(path);
	disk_free(d);
}
END_TEST

START_TEST(checkpoint_above_the_journal)
{
	struct disk *d = stopped(), *other = started();
	char *from, *to = disk_path(d, "containers/box-1/status"), *meta = disk_path(d, "containers/box-1/metadata");

	for (int i = 1; i <= 50; i++)
		ck_assert_int_eq(i == 1 ? disk_create(other, 1, 0, true) : disk_update(other, 1, i, true), 0);
	disk_stop(other);
	from = disk_path(other, "containers/box-1/status");
	ck_assert_int_eq(rename(from, to), 0);
	free(from);
	from = disk_path(other, "containers/box-1/metadata");
	ck_assert_int_eq(rename(from, meta), 0);
	ck_assert_int_eq(disk_load(d), DISK_E_DAMAGED);
	ck_assert_msg(strstr(d->err.text, "box-1") != NULL, "%s", d->err.text);
	free(from);
	free(to);
	free(meta);
	disk_free(other);
	disk_free(d);
}
END_TEST

/* ---- reading only ---- */

/* U20: every call that would change anything ends the process. */
START_TEST(load_changes_nothing)
{
	struct disk *d = _i ? killed() : stopped();

	if (_i == 2)
		flip(d, "containers/box-2/status", 40);
	d->options.files = &files_faulty;
	/* The lock is not loading; the number in it is for people. */
	faulty_arm((struct faulty_rule){ .calls = CALL_ANY_CHANGE, .where = "/containers", .aborts = true });
	ck_assert_int_eq(disk_load(d), 0);
	disk_stop(d);
	faulty_arm((struct faulty_rule){ .calls = CALL_ANY_CHANGE, .where = "/journal", .aborts = true });
	ck_assert_int_eq(disk_load(d), 0);
	disk_stop(d);
	faulty_arm((struct faulty_rule){ .calls = CALL_ANY_CHANGE & ~CALL_PWRITE, .where = d->root, .aborts = true });
	ck_assert_int_eq(disk_load(d), 0);
	ck_assert_ptr_nonnull(d->boxes[3].container);
	disk_stop(d);
	faulty_disarm();
	disk_free(d);
}
END_TEST

/* ---- transient flags ---- */

START_TEST(transient_flag_shows_under_a_new_revision)
{
	struct disk *d = started();
	struct status s;
	char room[64];
	uint64_t revision;

	ck_assert_int_eq(disk_create(d, 1, 0, true), 0);
	s = disk_status(1, 0, room);
	s.removing = true;
	revision = d->proposed + 1;
	ck_assert_int_eq(disk_change(d, BACKEND_STATUS, 1,
				     container_new(container_metadata(d->boxes[1].container), &s, revision), true), 0);
	if (_i)
		disk_settle(d);
	disk_stop(d);
	ck_assert_int_eq(disk_load(d), 0);
	ck_assert_uint_eq(d->boxes[1].flags, FOUND_TRANSIENT);
	ck_assert(!container_status(d->boxes[1].container)->removing);
	ck_assert_uint_gt(container_revision(d->boxes[1].container), revision);
	disk_stop(d);
	ck_assert_int_eq(disk_start(d), 0);
	disk_stop(d);
	ck_assert_int_eq(disk_load(d), 0);
	ck_assert_uint_eq(d->boxes[1].flags, 0);
	disk_free(d);
}
END_TEST

/* ---- adoption ---- */

static const char b2[] = "{\"Version\":\"v1\",\"Pid\":1234,\"CreatedAt\":1500000000000000001,\"StartedAt\":1500000001000000002,"
			 "\"FinishedAt\":0,\"ExitCode\":0,\"Reason\":\"\",\"Message\":\"\",\"Resources\":{\"linux\":{\"cpu_period\":1}}}";

static struct disk *containerd_tree(void)
{
	struct disk *d = disk_new();
	char name[64], *path = disk_path(d, "containers");

	ck_assert_int_eq(mkdir(path, 0755), 0);
	free(path);
	for (int i = 1; i <= 3; i++) {
		path = disk_path(d, "containers/box-%d", i);
		ck_assert_int_eq(mkdir(path, 0755), 0);
		free(path);
		(void)snprintf(name, sizeof name, "containers/box-%d/status", i);
		unit_write_file(d->root, name, b2, sizeof b2 - 1);
	}
	unit_write_file(d->root, "containers/box-3/.tmp-status123", "x", 1);
	return d;
}

static void expect_text(const struct disk *d, const char *name, const char *text)
{
	char *seen = unit_read_file(d->root, name);

	ck_assert_ptr_nonnull(seen);
	ck_assert_str_eq(seen, text);
	free(seen);
}

START_TEST(containerd_tree_is_adopted)
{
	struct disk *d = containerd_tree();
	char *text;

	ck_assert_int_eq(disk_load(d), 0);
	for (int i = 1; i <= 3; i++) {
		ck_assert_uint_eq(d->boxes[i].flags, FOUND_ADOPTED);
		ck_assert_uint_eq(container_revision(d->boxes[i].container), (unsigned)i);
		ck_assert_int_eq((int)container_state(d->boxes[i].container), (int)CONTAINER_RUNNING);
	}
	disk_stop(d);
	ck_assert(!is_there(d, "VERSION"));
	ck_assert_int_eq(disk_start(d), 0);
	disk_settle(d);
	disk_expect_same(d);
	expect_text(d, "containers/box-1/status", b2);
	ck_assert(!is_there(d, "containers/box-3/.tmp-status123"));
	text = unit_read_file(d->root, "containers/box-1/metadata");
	ck_assert_ptr_nonnull(text);
	ck_assert_ptr_nonnull(strstr(text, "\"Adopted\":true"));
	free(text);
	/* Loaded without the journal's help, changed, and loaded again. */
	ck_assert_int_eq(disk_start(d), 0);
	ck_assert_uint_eq(d->boxes[1].flags | d->boxes[2].flags, 0);
	ck_assert_int_eq(disk_update(d, 1, 4, true), 0);
	disk_settle(d);
	disk_expect_same(d);
	expect_text(d, "containers/box-2/status", b2);
	disk_free(d);
}
END_TEST

/* Killed between the adoption and its files: the journal has it, the files stay as they are. */
START_TEST(adoption_killed)
{
	struct disk *d = containerd_tree();
	pid_t child = fork();
	int status;

	if (child == 0)
		_exit(disk_start(d) < 0);
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert_int_eq(status, 0);
	ck_assert_int_eq(disk_start(d), 0);
	ck_assert_uint_eq(d->boxes[1].flags | d->boxes[2].flags | d->boxes[3].flags, 0);
	disk_settle(d);
	expect_text(d, "containers/box-2/status", b2);
	disk_expect_same(d);
	disk_free(d);
}
END_TEST

/* Without our members a status is good beside an adopted or no metadata, and damage beside any other. */
START_TEST(foreign_status_beside_our_metadata)
{
	struct disk *d = stopped();

	unit_write_file(d->root, "containers/box-2/status", b2, sizeof b2 - 1);
	ck_assert_int_eq(disk_load(d), 0);
	ck_assert_uint_eq(d->boxes[2].flags, FOUND_DAMAGED);
	disk_free(d);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("recovery");

	tcase_add_loop_test(unit_case(s, "killed at many points"), killed_at_many_points, 0, 3);
	tcase_add_loop_test(unit_case(s, "U16"), status_damaged_without_record, 0, 2);
	tcase_add_loop_test(unit_case(s, "status damaged, recorded"), status_damaged_with_record, 0, 2);
	tcase_add_loop_test(unit_case(s, "metadata damaged"), metadata_damaged, 0, 4);
	tcase_add_test(unit_case(s, "directories swapped"), directories_swapped);
	tcase_add_test(unit_case(s, "directory vanished"), directory_vanished);
	tcase_add_test(unit_case(s, "foreign things"), half_deleted_and_foreign_things);
	tcase_add_test(unit_case(s, "torn tail"), torn_tail);
	tcase_add_test(unit_case(s, "shown before open"), shown_before_open);
	tcase_add_loop_test(unit_case(s, "journal damaged"), journal_damaged, 0, (int)COUNT(journal_damages));
	tcase_add_test(unit_case(s, "salvage"), salvage_over_a_lost_frame);
	tcase_add_test(unit_case(s, "want of descriptors"), want_of_descriptors_is_no_damage);
	tcase_add_test(unit_case(s, "unknown types"), entries_of_unknown_type);
	tcase_add_loop_test(unit_case(s, "unreadable"), unreadable_files_are_kept, 0, 2);
	tcase_add_test(unit_case(s, "short reads"), short_reads_are_no_damage);
	tcase_add_test(unit_case(s, "lost metadata"), lost_metadata_is_told);
	tcase_add_test(unit_case(s, "journal missing"), journal_missing);
	tcase_add_test(unit_case(s, "checkpoint above the journal"), checkpoint_above_the_journal);
	tcase_add_loop_test(unit_case(s, "U20"), load_changes_nothing, 0, 3);
	tcase_add_loop_test(unit_case(s, "transient flag"), transient_flag_shows_under_a_new_revision, 0, 2);
	tcase_add_test(unit_case(s, "adoption"), containerd_tree_is_adopted);
	tcase_add_test(unit_case(s, "adoption killed"), adoption_killed);
	tcase_add_test(unit_case(s, "foreign status"), foreign_status_beside_our_metadata);
	return unit_main(s);
}
