/* Commits when calls fail: what is refused is absent, what was answered stays. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "disk.h"
#include "faulty.h"
#include "unit.h"

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

/* The spare and the reserve are made by the checkpointer's thread. */
static void wait_for_spare(const struct disk *d)
{
	char *spare = disk_path(d, "journal/.spare"), *reserve = disk_path(d, "journal/.reserve");

	while (access(spare, F_OK) < 0 || access(reserve, F_OK) < 0)
		unit_look_again();
	unit_look_again(); /* made, but perhaps not yet synced: either way the tests below hold */
	free(spare);
	free(reserve);
}

START_TEST(rotates_and_retires)
{
	struct disk *d = started();
	uint64_t first;

	for (int n = 1; n <= 100; n++)
		ck_assert_int_eq(n <= 10 ? disk_create(d, n, 0, true) : disk_update(d, n % 10 + 1, n, true), 0);
	ck_assert_uint_gt(figures_of(d).journal_rotations, 3);
	disk_settle(d);
	/* Checkpointed segments go, the current one stays. */
	while (figures_of(d).journal_bytes > 0)
		unit_look_again();
	disk_stop(d);
	for (first = 1; first < 4; first++) {
		char name[64], *text;

		(void)snprintf(name, sizeof name, "journal/%016lx", (unsigned long)first);
		text = unit_read_file(d->root, name);
		ck_assert_ptr_null(text);
	}
	disk_expect_same(d);
	disk_free(d);
}
END_TEST

START_TEST(clean_stop_leaves_no_gap)
{
	struct disk *d = started();

	ck_assert_int_eq(disk_create(d, 1, 0, true), 0);
	disk_stop(d);
	ck_assert_int_eq(disk_load(d), 0);
	ck_assert_uint_eq(d->loaded.revision, 1);
	disk_free(d);
}
END_TEST

/* A call on the segment fails once: the batch is refused and absent, the next one goes on. */
static void fail_once(unsigned call, bool torn, bool relaxed_before)
{
	struct disk *d = started();

	ck_assert_int_eq(disk_create(d, 1, 0, true), 0);
	if (relaxed_before)
		ck_assert_int_eq(disk_update(d, 1, 5, false), 0);
	faulty_arm((struct faulty_rule){ .calls = call, .where = "/journal/0", .error = EIO, .count = 1, .torn = torn });
	ck_assert_int_eq(disk_create(d, 2, 0, true), -EIO);
	ck_assert_int_eq(faulty_failed(), 1);
	faulty_disarm();
	ck_assert_uint_eq(figures_of(d).journal_fences, 1);
	ck_assert_ptr_null(figures_of(d).read_only);
	ck_assert_int_eq(disk_create(d, 3, 0, true), 0);
	ck_assert_int_eq(disk_update(d, 3, 9, false), 0);
	disk_expect_same(d);
	disk_free(d);
}

START_TEST(fdatasync_fails)
{
	fail_once(CALL_FDATASYNC, false, _i);
}
END_TEST

START_TEST(pwrite_fails)
{
	fail_once(CALL_PWRITE, true, _i);
}
END_TEST

/* The relaxed change was answered: the fence takes it along although its own file is lost. */
START_TEST(relaxed_survives_the_fence)
{
	struct disk *d = started();

	ck_assert_int_eq(disk_create(d, 1, 0, true), 0);
	ck_assert_int_eq(disk_update(d, 1, 5, false), 0);
	faulty_arm((struct faulty_rule){ .calls = CALL_FDATASYNC, .where = "/journal/0", .error = EIO, .count = 1 });
	while (faulty_failed() == 0)
		(void)d->backend->ops->upkeep(d->backend, clock_mono(&clock_system) + NS_PER_S);
	faulty_disarm();
	ck_assert_uint_eq(figures_of(d).journal_fences, 1);
	disk_expect_same(d);
	disk_free(d);
}
END_TEST

/* The fence cannot be written either: nobody knows; read-only until it can, and then the batch is absent. */
START_TEST(fence_fails)
{
	struct disk *d = started();

	ck_assert_int_eq(disk_create(d, 1, 0, true), 0);
	ck_assert_int_eq(disk_update(d, 1, 5, false), 0);
	faulty_arm((struct faulty_rule){ .calls = CALL_FDATASYNC | CALL_FSYNC | CALL_PWRITE, .where = "/journal/", .error = EIO, .count = -1 });
	ck_assert_int_eq(disk_create(d, 2, 0, true), 1);
	ck_assert_ptr_nonnull(figures_of(d).read_only);
	ck_assert_int_eq(disk_create(d, 3, 0, true), -EROFS);
	(void)d->backend->ops->upkeep(d->backend, clock_mono(&clock_system) + 2 * NS_PER_S);
	ck_assert_ptr_nonnull(figures_of(d).read_only);
	faulty_disarm();
	(void)d->backend->ops->upkeep(d->backend, clock_mono(&clock_system) + 4 * NS_PER_S);
	ck_assert_ptr_null(figures_of(d).read_only);
	ck_assert_int_eq(disk_create(d, 4, 0, true), 0);
	disk_expect_same(d);
	disk_free(d);
}
END_TEST

/* The nth call in the life of a busy store fails, for every n and every kind of call, once or from then on. */
START_TEST(nth_call_fails)
{
	static const int errors[] = { EIO, ENOSPC };
	struct disk *d = started();
	int end = 0;

	faulty_arm((struct faulty_rule){ .calls = 1u << (_i % 7), .where = "", .error = errors[_i / 7 % 2],
					 .pass = _i / 28 * 7, .count = _i / 14 % 2 ? -1 : 1 });
	for (int n = 1; n <= 60 && end <= 0; n++) {
		int id = n % 15;

		if (!d->boxes[id].container)
			end = disk_create(d, id, n, n % 3 != 0);
		else if (n % 7 == 0)
			end = disk_delete(d, id);
		else
			end = disk_update(d, id, n, n % 3 != 0);
		(void)d->backend->ops->upkeep(d->backend, clock_mono(&clock_system) + (n % 5) * NS_PER_S);
	}
	faulty_disarm();
	/* Whatever it was, it mends by itself once the disk is well again. */
	while ((end = disk_create(d, 99, 0, true)) == -ENOSPC || end == -EROFS) {
		(void)d->backend->ops->upkeep(d->backend, clock_mono(&clock_system) + 100 * NS_PER_S);
		unit_look_again();
	}
	ck_assert_msg(end == 0, "%s", d->err.text);
	ck_assert_ptr_null(figures_of(d).read_only);
	disk_expect_same(d);
	ck_assert_msg(disk_start(d) == 0, "%s", d->err.text);
	ck_assert_int_eq(disk_update(d, 99, 1, true), 0);
	disk_expect_same(d);
	disk_free(d);
}
END_TEST

/* ---- a full disk ---- */

/* Nothing can be made or grown; what was written before can be written over. */
static const struct faulty_rule full = { .calls = CALL_MAKES | CALL_MKDIR, .where = "", .error = ENOSPC, .count = -1 };

START_TEST(full_disk)
{
	struct disk *d = started();
	int r = 0, id;

	for (id = 0; id < 20; id++)
		ck_assert_int_eq(disk_create(d, id, 0, true), 0);
	disk_settle(d);
	wait_for_spare(d);
	faulty_arm(full);
	for (int n = 1; n < 200 && r == 0; n++)
		r = disk_update(d, n % 20, n, true);
	ck_assert_int_eq(r, -ENOSPC);
	/* Deletions go on, changes do not; reads were never asked. */
	for (id = 0; id < 5; id++)
		ck_assert_int_eq(disk_delete(d, id), 0);
	ck_assert_int_eq(disk_update(d, 7, 1000, true), -ENOSPC);
	ck_assert_ptr_null(figures_of(d).read_only);
	ck_assert_ptr_nonnull(figures_of(d).warnings[0]);
	faulty_disarm();
	/* Space is back: without a restart, as soon as a spare can be made again. */
	while ((r = disk_update(d, 7, 2000, true)) == -ENOSPC)
		unit_look_again();
	ck_assert_int_eq(r, 0);
	disk_expect_same(d);
	disk_free(d);
}
END_TEST

START_TEST(start_on_a_full_disk)
{
	struct disk *d = started();

	for (int id = 0; id < 20; id++)
		ck_assert_int_eq(disk_create(d, id, 0, true), 0);
	wait_for_spare(d);
	disk_expect_same(d);
	faulty_arm(full);
	/* What was kept ready serves the new start; then there is nothing left, and reads still work. */
	for (int life = 0; life < 3; life++) {
		int r = disk_start(d);

		ck_assert_msg(r == (life < 2 ? 0 : -ENOSPC), "life %d: %s", life, d->err.text);
		disk_stop(d);
		ck_assert_int_eq(disk_load(d), 0);
		ck_assert_ptr_nonnull(d->boxes[19].container);
		disk_stop(d);
	}
	faulty_disarm();
	ck_assert_int_eq(disk_start(d), 0);
	ck_assert_int_eq(disk_update(d, 3, 77, true), 0);
	disk_expect_same(d);
	disk_free(d);
}
END_TEST

/* More than may wait for checkpoints: refused until they have caught up. */
START_TEST(journal_cap)
{
	struct disk *d = disk_new();
	int r = 0;

	d->options.files = &files_faulty;
	d->options.journal_cap = 256 * 1024;
	ck_assert_int_eq(disk_start(d), 0);
	ck_assert_int_eq(disk_create(d, 1, 0, true), 0);
	faulty_arm((struct faulty_rule){ .calls = CALL_RENAME, .where = "/containers/", .error = EIO, .count = -1 });
	for (int n = 1; n < 1000 && r == 0; n++)
		r = disk_update(d, 1, n, true);
	ck_assert_int_eq(r, -EAGAIN);
	ck_assert_int_eq(disk_delete(d, 1), -EAGAIN);
	faulty_disarm();
	while ((r = disk_update(d, 1, 5000, true)) == -EAGAIN)
		unit_look_again();
	ck_assert_int_eq(r, 0);
	disk_expect_same(d);
	disk_free(d);
}
END_TEST

/* A batch larger than a segment gets one of its own. */
START_TEST(large_batch)
{
	enum { N = 300 };
	struct disk *d = started();
	struct backend_change changes[N];
	char *filler = malloc(10001);

	memset(filler, 'x', 10000);
	filler[10000] = '\0';
	for (int i = 0; i < N; i++) {
		struct metadata_value v = METADATA_ZERO;
		char id[32], room[64];
		struct status s = disk_status(i, 1, room);

		s.reason = filler;
		v.id = disk_id(i, id);
		changes[i] = (struct backend_change){ BACKEND_CREATE, NULL, unit_container(&v, &s, d->proposed + 1),
						      d->proposed + 1, BACKEND_UNKNOWN };
		d->proposed++;
	}
	ck_assert_int_eq(d->backend->ops->commit(d->backend, changes, N, true, &d->err), 0);
	for (int i = 0; i < N; i++) {
		ck_assert_int_eq(changes[i].result, BACKEND_DONE);
		d->boxes[i].container = changes[i].next;
	}
	ck_assert_int_eq(disk_update(d, 5, 9, true), 0);
	free(filler);
	disk_expect_same(d);
	disk_free(d);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("journal");

	tcase_add_test(unit_case(s, "rotates and retires"), rotates_and_retires);
	tcase_add_test(unit_case(s, "clean stop"), clean_stop_leaves_no_gap);
	tcase_add_loop_test(unit_case(s, "fdatasync fails"), fdatasync_fails, 0, 2);
	tcase_add_loop_test(unit_case(s, "pwrite fails"), pwrite_fails, 0, 2);
	tcase_add_test(unit_case(s, "relaxed survives the fence"), relaxed_survives_the_fence);
	tcase_add_test(unit_case(s, "fence fails"), fence_fails);
	tcase_add_loop_test(unit_case(s, "nth call fails"), nth_call_fails, 0, 28 * 2);
	tcase_add_test(unit_case(s, "full disk"), full_disk);
	tcase_add_test(unit_case(s, "start on a full disk"), start_on_a_full_disk);
	tcase_add_test(unit_case(s, "journal cap"), journal_cap);
	tcase_add_test(unit_case(s, "large batch"), large_batch);
	return unit_main(s);
}
