/* The files of containers as the checkpointer leaves them. */
#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "disk.h"
#include "faulty.h"
#include "unit.h"

START_TEST(files_follow)
{
	struct disk *d = disk_new();
	char *text;

	ck_assert_msg(disk_start(d) == 0, "%s", d->err.text);
	ck_assert_int_eq(disk_create(d, 1, 0, true), 0);
	ck_assert_int_eq(disk_update(d, 1, 7, true), 0);
	disk_settle(d);
	text = unit_read_file(d->root, "containers/box-1/status");
	ck_assert_ptr_nonnull(text);
	ck_assert_ptr_nonnull(strstr(text, "{\"Version\":\"v1\",\"Pid\":7,"));
	ck_assert_ptr_nonnull(strstr(text, "\"Id\":\"box-1\",\"Revision\":2,\"Created\":1"));
	free(text);
	disk_expect_same(d);
	disk_free(d);
}
END_TEST

/* ---- helpers ---- */

static struct disk *started(void)
{
	struct disk *d = disk_new();

	d->options.files = &files_faulty;
	ck_assert_msg(disk_start(d) == 0, "%s", d->err.text);
	return d;
}

static struct backend_figures figures_of(struct disk *d)
{
	struct backend_figures f;

	d->backend->ops->figures(d->backend, &f);
	return f;
}

static bool is_there(const struct disk *d, const char *name)
{
	char *path = disk_path(d, "%s", name);
	bool there = access(path, F_OK) == 0;

	free(path);
	return there;
}

static void remove_directory(const struct disk *d, const char *name)
{
	char *path = disk_path(d, "%s", name);

	unit_remove(path);
	free(path);
}

/* ---- tests ---- */

START_TEST(modes)
{
	struct disk *d = started();
	char *path = disk_path(d, "containers/box-1/status");
	struct stat st;

	(void)umask(0777 & ~0700);
	ck_assert_int_eq(disk_create(d, 1, 0, true), 0);
	disk_settle(d);
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0600);
	free(path);
	disk_free(d);
}
END_TEST

/* U8, U9, U19 */
START_TEST(deleted_and_created_again)
{
	struct disk *d = started();
	uint64_t before;

	ck_assert_int_eq(disk_create(d, 1, 3, true), 0);
	if (_i & 1)
		disk_settle(d);
	before = container_revision(d->boxes[1].container);
	ck_assert_int_eq(disk_delete(d, 1), 0);
	if (_i & 2) {
		disk_settle(d);
		ck_assert(!is_there(d, "containers/box-1"));
	}
	ck_assert_int_eq(disk_create(d, 1, 4, true), 0);
	disk_settle(d);
	ck_assert_uint_gt(container_revision(d->boxes[1].container), before);
	disk_expect_same(d);
	ck_assert_int_eq(disk_start(d), 0);
	ck_assert_int_eq(disk_delete(d, 1), 0);
	disk_expect_same(d);
	ck_assert(!is_there(d, "containers/box-1"));
	disk_free(d);
}
END_TEST

/* U12, U13 */
START_TEST(directory_removed_from_outside)
{
	struct disk *d = started();

	ck_assert_int_eq(disk_create(d, 1, 0, true), 0);
	disk_settle(d);
	remove_directory(d, "containers/box-1");
	ck_assert_int_eq(disk_update(d, 1, 5, true), 0);
	disk_settle(d);
	ck_assert(is_there(d, "containers/box-1/status"));
	ck_assert(is_there(d, "containers/box-1/metadata"));
	disk_expect_same(d);
	ck_assert_int_eq(disk_start(d), 0);
	remove_directory(d, "containers/box-1");
	ck_assert_int_eq(disk_delete(d, 1), 0);
	disk_settle(d);
	disk_expect_same(d);
	disk_free(d);
}
END_TEST

/* U11 */
START_TEST(directory_in_the_place_of_status)
{
	struct disk *d = started();
	char *status = disk_path(d, "containers/box-1/status");

	ck_assert_int_eq(disk_create(d, 1, 0, true), 0);
	disk_settle(d);
	ck_assert_int_eq(unlink(status), 0);
	ck_assert_int_eq(mkdir(status, 0700), 0);
	ck_assert_int_eq(disk_update(d, 1, 5, true), 0);
	while (figures_of(d).checkpoints_failed == 0)
		unit_look_again();
	disk_expect_same(d);
	/* The next start sets it aside. */
	ck_assert_int_eq(disk_start(d), 0);
	disk_settle(d);
	disk_expect_same(d);
	free(status);
	disk_free(d);
}
END_TEST

START_TEST(foreign_files_are_kept)
{
	struct disk *d = started();
	char *path = disk_path(d, "containers"), command[500];

	ck_assert_int_eq(disk_create(d, 1, 0, true), 0);
	disk_settle(d);
	unit_write_file(d->root, "containers/box-1/precious", "x", 1);
	unit_write_file(d->root, "containers/box-1/status.corrupt-5", "x", 1);
	unit_write_file(d->root, "containers/box-1/.status.tmp", "x", 1);
	ck_assert_int_eq(disk_delete(d, 1), 0);
	disk_settle(d);
	ck_assert(!is_there(d, "containers/box-1"));
	(void)snprintf(command, sizeof command, "test \"$(ls -A '%s'/.foreign-box-1-*)\" = precious", path);
	ck_assert_int_eq(system(command), 0);
	disk_expect_same(d);
	free(path);
	disk_free(d);
}
END_TEST

/* The nth call of the checkpointer fails, once or many times: counted, tried again, and in the end all is in files. */
START_TEST(nth_call_fails)
{
	struct disk *d = started();
	char *journal = disk_path(d, "journal"), command[500];

	ck_assert_int_eq(disk_create(d, 1, 1, true), 0);
	ck_assert_int_eq(disk_create(d, 2, 2, true), 0);
	disk_settle(d);
	faulty_arm((struct faulty_rule){ .calls = CALL_ANY_CHANGE | CALL_OPEN, .where = "/containers", .error = _i % 2 ? ENOSPC : EIO,
					 .pass = _i / 4 * 5, .count = _i / 2 % 2 ? 5 : 1 });
	ck_assert_int_eq(disk_update(d, 1, 5, true), 0);
	ck_assert_int_eq(disk_delete(d, 2), 0);
	ck_assert_int_eq(disk_create(d, 3, 3, true), 0);
	disk_settle(d);
	faulty_disarm();
	disk_stop(d);
	/* Without the journal's help. */
	(void)snprintf(command, sizeof command, "test \"$(ls -A '%s' | wc -l)\" -le 4", journal);
	ck_assert_int_eq(system(command), 0);
	disk_expect_same(d);
	free(journal);
	disk_free(d);
}
END_TEST

/* Many changes of one container are one file, and nobody waits for it. */
START_TEST(changes_are_gathered)
{
	struct disk *d = started();

	ck_assert_int_eq(disk_create(d, 1, 0, true), 0);
	for (int n = 1; n <= 200; n++)
		ck_assert_int_eq(disk_update(d, 1, n, false), 0);
	disk_upkeep(d);
	disk_settle(d);
	ck_assert_uint_lt(figures_of(d).checkpoints_written, 100);
	disk_expect_same(d);
	disk_free(d);
}
END_TEST

/* ---- a change while its checkpoint is being written ---- */

static atomic_int at_rename; /* 1: wait there; 2: somebody waits; 0: go on */

static int slow_renameat2(int from_dir, const char *from, int to_dir, const char *to, unsigned flags)
{
	int wanted = 1;

	if (!strcmp(to, "status") && atomic_compare_exchange_strong(&at_rename, &wanted, 2))
		while (atomic_load(&at_rename) != 0)
			unit_look_again();
	return files_system.renameat2(from_dir, from, to_dir, to, flags);
}

/* The file that is being written is older than what is acknowledged meanwhile: that is still to be written. */
START_TEST(changed_while_written)
{
	struct files files = files_system;
	struct disk *d = disk_new();

	files.renameat2 = slow_renameat2;
	d->options.files = &files;
	ck_assert_msg(disk_start(d) == 0, "%s", d->err.text);
	atomic_store(&at_rename, 1);
	ck_assert_int_eq(disk_create(d, 1, 1, true), 0);
	while (atomic_load(&at_rename) != 2)
		unit_look_again();
	if (_i)
		ck_assert_int_eq(disk_delete(d, 1), 0);
	else
		ck_assert_int_eq(disk_update(d, 1, 2, true), 0);
	atomic_store(&at_rename, 0);
	disk_settle(d);
	disk_expect_same(d);
	disk_free(d);
}
END_TEST

/* ---- a sync of containers/ that fails ---- */

static atomic_int parent_syncs_to_fail, times_made, times_removed;

static int failing_fsync(int fd)
{
	char link[32], path[300];
	const char *last;
	ssize_t n;

	(void)snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
	n = readlink(link, path, sizeof path - 1);
	path[n > 0 ? n : 0] = '\0';
	last = strrchr(path, '/');
	if (!last || strcmp(last, "/containers") != 0 || atomic_load(&parent_syncs_to_fail) == 0)
		return files_system.fsync(fd);
	atomic_fetch_sub(&parent_syncs_to_fail, 1);
	errno = EIO;
	return -1;
}

static int counting_mkdirat(int dir, const char *name, mode_t mode)
{
	atomic_fetch_add(&times_made, !strcmp(name, "box-1"));
	return files_system.mkdirat(dir, name, mode);
}

static int counting_unlinkat(int dir, const char *name, int flags)
{
	atomic_fetch_add(&times_removed, !strcmp(name, "box-1"));
	return files_system.unlinkat(dir, name, flags);
}

/* What the next sync would say of it is worth nothing: the directory is made, or removed, once more. */
START_TEST(parent_sync_fails)
{
	struct files files = files_system;
	struct disk *d = disk_new();
	int removed;

	files.fsync = failing_fsync;
	files.mkdirat = counting_mkdirat;
	files.unlinkat = counting_unlinkat;
	d->options.files = &files;
	ck_assert_msg(disk_start(d) == 0, "%s", d->err.text);
	atomic_store(&parent_syncs_to_fail, 1);
	ck_assert_int_eq(disk_create(d, 1, 1, true), 0);
	disk_settle(d);
	ck_assert_int_eq(atomic_load(&parent_syncs_to_fail), 0);
	ck_assert_int_eq(atomic_load(&times_made), 2);
	removed = atomic_load(&times_removed);
	atomic_store(&parent_syncs_to_fail, 1);
	ck_assert_int_eq(disk_delete(d, 1), 0);
	disk_settle(d);
	ck_assert_int_eq(atomic_load(&parent_syncs_to_fail), 0);
	ck_assert_int_eq(atomic_load(&times_removed), removed + 2);
	ck_assert_int_eq(atomic_load(&times_made), 3);
	disk_expect_same(d);
	disk_free(d);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("checkpoint");

	tcase_add_test(unit_case(s, "files follow"), files_follow);
	tcase_add_test(unit_case(s, "modes"), modes);
	tcase_add_loop_test(unit_case(s, "U19"), deleted_and_created_again, 0, 4);
	tcase_add_test(unit_case(s, "U12, U13"), directory_removed_from_outside);
	tcase_add_test(unit_case(s, "U11"), directory_in_the_place_of_status);
	tcase_add_test(unit_case(s, "foreign files"), foreign_files_are_kept);
	tcase_add_loop_test(unit_case(s, "nth call fails"), nth_call_fails, 0, 4 * 5);
	tcase_add_test(unit_case(s, "gathered"), changes_are_gathered);
	tcase_add_test(unit_case(s, "parent sync fails"), parent_sync_fails);
	tcase_add_loop_test(unit_case(s, "changed while written"), changed_while_written, 0, 2);
	return unit_main(s);
}
