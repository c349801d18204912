/* What the segments of a journal owe to each other: none goes before its elders, and the last frame is proven. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "disk.h"
#include "faulty.h"
#include "unit.h"

static const struct faulty_rule no_checkpoints = { CALL_MKDIR, "/containers/", EIO, 0, -1, false, false };

/* Begin a life in which no checkpoint can be written, in a child that ends as by kill -9 after <work>, or by
 * <signal>. */
static void live_and_die(struct disk *d, int (*work)(struct disk *), int signal)
{
	pid_t child = fork();
	int status;

	ck_assert_int_ge(child, 0);
	if (child == 0) {
		d->options.files = &files_faulty;
		faulty_arm(no_checkpoints);
		_exit(disk_start(d) < 0 || work(d) < 0);
	}
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert_int_eq(WIFSIGNALED(status) ? WTERMSIG(status) : 0, signal);
	ck_assert(signal || WEXITSTATUS(status) == 0);
}

/* The first segment holds what is in no file, the second one nothing: it has to stay all the same, or the next start
 * would miss it. */
START_TEST(empty_segment_behind_a_needed_one)
{
	struct disk *d = disk_new();

	d->options.files = &files_faulty;
	ck_assert_msg(disk_start(d) == 0, "%s", d->err.text);
	ck_assert_int_eq(disk_create(d, 1, 1, true), 0);
	for (int i = 2; i <= 3; i++) {
		faulty_arm((struct faulty_rule){ CALL_FDATASYNC, "/journal/0", EIO, 0, 1, false, false });
		ck_assert_int_eq(disk_create(d, i, 1, true), -EIO);
	}
	faulty_arm(no_checkpoints);
	disk_stop(d);
	ck_assert_int_gt(faulty_failed(), 0);
	faulty_disarm();
	disk_expect_same(d);
	disk_free(d);
}
END_TEST

static int refused(struct disk *d)
{
	if (disk_create(d, 1, 1, true) < 0)
		return -1;
	faulty_arm((struct faulty_rule){ CALL_FDATASYNC, "/journal/0", EIO, 0, 1, false, false });
	return disk_create(d, 2, 1, true) == -EIO ? 0 : -1;
}

/* The batch was written, and then refused, since its sync failed: whatever of it is found, the fence makes it void. */
START_TEST(refused_is_void)
{
	struct disk *d = disk_new();

	live_and_die(d, refused, 0);
	ck_assert_msg(disk_load(d) == 0, "%s", d->err.text);
	ck_assert_ptr_nonnull(d->boxes[1].container);
	ck_assert_ptr_null(d->boxes[2].container);
	disk_free(d);
}
END_TEST

static int relaxed_and_fenced(struct disk *d)
{
	if (disk_create(d, 1, 1, true) < 0 || disk_update(d, 1, 2, false) < 0)
		return -1;
	faulty_arm((struct faulty_rule){ CALL_FDATASYNC, "/journal/0", EIO, 0, 1, false, false });
	while (faulty_failed() == 0)
		(void)d->backend->ops->upkeep(d->backend, clock_mono(&clock_system) + NS_PER_S);
	return 0;
}

/* What was answered with sync=false stands in the segment that fences off its own, and counts there, without the help of
 * any checkpoint. */
START_TEST(relaxed_is_in_the_fence)
{
	struct disk *d = disk_new();

	live_and_die(d, relaxed_and_fenced, 0);
	ck_assert_msg(disk_load(d) == 0, "%s", d->err.text);
	ck_assert_ptr_nonnull(d->boxes[1].container);
	ck_assert_str_eq(container_status(d->boxes[1].container)->message, "box 1, change 2");
	disk_free(d);
}
END_TEST

static void flip(const char *path, long at)
{
	int fd = open(path, O_RDWR | O_CLOEXEC);
	char c;

	ck_assert_int_eq((int)pread(fd, &c, 1, at), 1);
	c ^= 4;
	ck_assert_int_eq((int)pwrite(fd, &c, 1, at), 1);
	ck_assert_int_eq(close(fd), 0);
}

static int create_two_and_rest(struct disk *d)
{
	if (disk_create(d, 1, 1, true) < 0 || disk_create(d, 2, 2, true) < 0)
		return -1;
	disk_upkeep(d);
	return 0;
}

/* Once the seal stands behind it, the last change can be damaged, but not be dropped as a torn tail.  Frame n lies at
 * n * 4096. */
START_TEST(last_frame_is_sealed)
{
	struct disk *d = disk_new();
	char *path = disk_path(d, "journal/0000000000000001");

	live_and_die(d, create_two_and_rest, 0);
	ck_assert_int_eq(disk_load(d), 0);
	ck_assert_ptr_nonnull(d->boxes[2].container);
	disk_stop(d);
	flip(path, 2 * 4096 + 70);
	ck_assert_int_eq(disk_load(d), DISK_E_DAMAGED);
	free(path);
	disk_free(d);
}
END_TEST

/* ---- an end in order ---- */

/* Killed between the CLEAN frame and MANIFEST: the next start finds the end in order, and copies it. */
static int stop_without_manifest(struct disk *d)
{
	if (disk_create(d, 1, 1, true) < 0)
		return -1;
	faulty_arm((struct faulty_rule){ CALL_RENAME, "/journal/MANIFEST", 0, 0, 0, false, true });
	disk_stop(d);
	return -1;
}

static int relaxed(struct disk *d)
{
	return disk_update(d, 1, 2, false);
}

/* The copy tells of the life before.  What this one has shown and lost must not be given out again. */
START_TEST(clean_end_of_an_earlier_life)
{
	static const char nothing[4096];
	struct disk *d = disk_new();
	char *path = disk_path(d, "journal/0000000000000002");
	uint64_t shown;
	int fd;

	live_and_die(d, stop_without_manifest, SIGABRT);
	ck_assert_int_eq(disk_load(d), 0);
	shown = d->loaded.revision + 1;
	ck_assert_uint_eq(shown, 2);
	disk_stop(d);
	live_and_die(d, relaxed, 0);
	/* The power cut took the change, which stood behind the header and the copy. */
	fd = open(path, O_WRONLY | O_CLOEXEC);
	ck_assert_int_eq((int)pwrite(fd, nothing, sizeof nothing, 2 * 4096), (int)sizeof nothing);
	ck_assert_int_eq(close(fd), 0);
	ck_assert_int_eq(disk_load(d), 0);
	ck_assert_str_eq(container_status(d->boxes[1].container)->message, "box 1, change 1");
	ck_assert_uint_ge(d->loaded.revision, shown);
	free(path);
	disk_free(d);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("segments");

	tcase_add_test(unit_case(s, "none goes before its elders"), empty_segment_behind_a_needed_one);
	tcase_add_test(unit_case(s, "refused is void"), refused_is_void);
	tcase_add_test(unit_case(s, "relaxed is in the fence"), relaxed_is_in_the_fence);
	tcase_add_test(unit_case(s, "the last frame is sealed"), last_frame_is_sealed);
	tcase_add_test(unit_case(s, "an earlier clean end"), clean_end_of_an_earlier_life);
	return unit_main(s);
}
