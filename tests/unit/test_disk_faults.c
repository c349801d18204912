/* Disks that fail once, are full, or cannot be written: what was refused is absent, what was there is served, and writes come
 * back by themselves.  The faults lie in the one table of file calls. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "store_kit.h"
#include "rig_files.h"

enum { T1 = 11, T2 = 22 };

#define OLD { .created_at = T1 }
#define NEW { .created_at = T2, .started_at = T2 }

static struct change create_old(const char *id)
{
	return kit_create(id, GIVEN_CREATED_AT, (struct status)OLD);
}

static struct change to_new(const char *id)
{
	return kit_patch(id, GIVEN_CREATED_AT | GIVEN_STARTED_AT, (struct status)NEW);
}

/* ---- a call that fails ---- */

/* The next write or sync of the committer's thread fails so; 0 = none. */
static atomic_int fail_write, fail_sync;

static bool is_committer(void)
{
	char name[16];

	return pthread_getname_np(pthread_self(), name, sizeof name) == 0 && !strcmp(name, "committer");
}

static ssize_t faulty_pwrite(int fd, const void *from, size_t len, off_t at)
{
	int fault = is_committer() ? atomic_exchange(&fail_write, 0) : 0;

	if (!fault)
		return files_system.pwrite(fd, from, len, at);
	errno = fault;
	return -1;
}

static int faulty_fdatasync(int fd)
{
	int fault = is_committer() ? atomic_exchange(&fail_sync, 0) : 0;

	if (!fault)
		return files_system.fdatasync(fd);
	errno = fault;
	return -1;
}

static const struct {
	const char *name;
	atomic_int *where;
	int fault;
	enum change_end end;
} faults[] = {
	{ "U14 write ENOSPC", &fail_write, ENOSPC, CHANGE_E_NO_SPACE },
	{ "U14 write EIO", &fail_write, EIO, CHANGE_E_CHECKPOINT_FAILED },
	{ "U14 sync EIO", &fail_sync, EIO, CHANGE_E_CHECKPOINT_FAILED },
	{ "U14 sync ENOSPC", &fail_sync, ENOSPC, CHANGE_E_NO_SPACE },
};

START_TEST(U14_disk_fails_once)
{
	struct files files = files_system;
	struct rig rig;
	uint64_t before;

	files.pwrite = faulty_pwrite;
	files.fdatasync = faulty_fdatasync;
	kit_files = &files;
	rig_open(&rig, &kit_disk);
	before = rig_expect(&rig, create_old("a"), CHANGE_CREATED);
	/* Between two changes the committer may prove the tail of its journal, and meet the fault there: then again. */
	for (int tries = 0;; tries++) {
		enum change_end end;

		ck_assert_int_lt(tries, 20);
		atomic_store(faults[_i].where, faults[_i].fault);
		end = rig_do(&rig, to_new("a"));
		if (end == CHANGE_UPDATED) {
			(void)rig_expect(&rig, kit_delete("a"), CHANGE_E_RUNNING);
			rig_close(&rig);
			rig_open(&rig, &kit_disk);
			before = rig_expect(&rig, create_old("a"), CHANGE_CREATED);
			continue;
		}
		ck_assert_str_eq(change_end_name(end), change_end_name(faults[_i].end));
		break;
	}
	ck_assert_uint_eq(rig_expect_status(&rig, "a", (struct status)OLD), before);
	ck_assert_uint_eq(store_revision(rig.store), before);
	rig_wait(&rig, rig_is_writable);
	ck_assert_uint_gt(rig_expect(&rig, to_new("a"), CHANGE_UPDATED), before);
	rig_restart(&rig);
	(void)rig_expect_status(&rig, "a", (struct status)NEW);
	rig_close(&rig);
}
END_TEST

START_TEST(U14_refused_is_absent_after_a_restart)
{
	struct files files = files_system;
	struct rig rig;

	files.pwrite = faulty_pwrite;
	files.fdatasync = faulty_fdatasync;
	kit_files = &files;
	rig_open(&rig, &kit_disk);
	(void)rig_expect(&rig, create_old("a"), CHANGE_CREATED);
	atomic_store(&fail_sync, EIO);
	if (rig_do(&rig, to_new("a")) == CHANGE_E_CHECKPOINT_FAILED) {
		rig_restart(&rig);
		(void)rig_expect_status(&rig, "a", (struct status)OLD);
	}
	rig_close(&rig);
}
END_TEST

/* ---- disks that cannot be written ---- */

static atomic_int disk_fault; /* every call that would change something fails so */

static bool refuses(void)
{
	errno = atomic_load(&disk_fault);
	return errno != 0;
}

static int stuck_openat(int dir, const char *name, int flags, mode_t mode)
{
	bool writes = atomic_load(&disk_fault) == EROFS ? (flags & (O_CREAT | O_ACCMODE)) != 0 : (flags & O_CREAT) != 0;

	/* An existing file can be opened on a full disk, and so can one that O_CREAT names. */
	if (writes && atomic_load(&disk_fault) == ENOSPC && faccessat(dir, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		writes = false;
	return writes && refuses() ? -1 : files_system.openat(dir, name, flags, mode);
}

static ssize_t stuck_pwrite(int fd, const void *from, size_t len, off_t at)
{
	return refuses() ? -1 : files_system.pwrite(fd, from, len, at);
}

static int stuck_mkdirat(int dir, const char *name, mode_t mode)
{
	return refuses() ? -1 : files_system.mkdirat(dir, name, mode);
}

static int stuck_unlinkat(int dir, const char *name, int flags)
{
	return atomic_load(&disk_fault) == EROFS && refuses() ? -1 : files_system.unlinkat(dir, name, flags);
}

static int stuck_renameat2(int from_dir, const char *from, int to_dir, const char *to, unsigned flags)
{
	return atomic_load(&disk_fault) == EROFS && refuses() ? -1 : files_system.renameat2(from_dir, from, to_dir, to, flags);
}

enum { MANY = 1000 };

static void create_many(struct rig *rig)
{
	for (int i = 0; i < MANY; i++) {
		struct change change;
		char id[16];

		(void)snprintf(id, sizeof id, "c%04d", i);
		change = create_old(id);
		change.relaxed = true; /* the last one makes all of them durable */
		if (i == MANY - 1)
			change.relaxed = false;
		(void)rig_expect(rig, change, CHANGE_CREATED);
	}
}

static void expect_many(struct rig *rig)
{
	for (int i = 0; i < MANY; i++) {
		char id[16];

		(void)snprintf(id, sizeof id, "c%04d", i);
		(void)rig_expect_status(rig, id, (struct status)OLD);
	}
}

static const struct {
	const char *name;
	int fault;
	bool killed; /* what was there before did not end well */
} disks[] = {
	{ "U20 read-only", EROFS, false },
	{ "U20 read-only after a kill", EROFS, true },
	{ "U20 full", ENOSPC, false },
	{ "U20 full after a kill", ENOSPC, true },
};

START_TEST(U20_load_without_a_disk_to_write)
{
	struct files files = files_system;
	struct rig rig = { .kit = &kit_disk, .root = unit_directory() };
	char *before, *after;

	if (disks[_i].killed) {
		rig_killed(&rig, create_many);
	} else {
		rig_start(&rig);
		create_many(&rig);
		rig_stop(&rig);
	}
	files.openat = stuck_openat;
	files.pwrite = stuck_pwrite;
	files.mkdirat = stuck_mkdirat;
	files.unlinkat = stuck_unlinkat;
	files.renameat2 = stuck_renameat2;
	kit_files = &files;
	atomic_store(&disk_fault, disks[_i].fault);
	before = rig_tree(&rig);
	rig_load(&rig);
	expect_many(&rig);
	after = rig_tree(&rig);
	ck_assert_str_eq(after, before);
	free(after);
	free(before);
	rig_stop(&rig);
	rig_start(&rig);
	expect_many(&rig);
	if (disks[_i].fault == EROFS)
		(void)rig_expect(&rig, to_new("c0000"), CHANGE_E_READ_ONLY);
	expect_many(&rig);
	/* The disk comes back, and so do writes, without another start. */
	atomic_store(&disk_fault, 0);
	rig_wait(&rig, rig_is_writable);
	(void)rig_expect(&rig, to_new("c0000"), CHANGE_UPDATED);
	rig_restart(&rig);
	(void)rig_expect_status(&rig, "c0000", (struct status)NEW);
	rig_close(&rig);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("disk_faults");
	TCase *c = unit_case(s, "faults");

	tcase_add_test(c, U14_refused_is_absent_after_a_restart);
	for (size_t i = 0; i < COUNT(faults); i++)
		unit_vector(s, faults[i].name, U14_disk_fails_once, (int)i);
	for (size_t i = 0; i < COUNT(disks); i++)
		unit_vector(s, disks[i].name, U20_load_without_a_disk_to_write, (int)i);
	return unit_main(s);
}
