/* What storage on a disk promises beyond what every backend does: files as containerd has them, damage that is found and
 * shown, and processes that die at any moment. */
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "persist/disk_backend.h"
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

/* ---- files ---- */

START_TEST(U1_file_after_the_checkpoint)
{
	static const mode_t umasks[] = { 0, 022, 0377 };
	auto_arena struct arena arena = ARENA;
	struct rig rig;

	for (size_t i = 0; i < COUNT(umasks); i++) {
		static const char expected[] = "{\"Version\":\"v1\",\"Pid\":0,\"CreatedAt\":11,\"StartedAt\":0,\"FinishedAt\":0,"
					       "\"ExitCode\":0,\"Reason\":\"\",\"Message\":\"\",\"Resources\":null,\"Id\":\"a\",";
		struct stat st;
		char *bytes;

		(void)umask(umasks[i]);
		rig_open(&rig, &kit_disk);
		(void)rig_expect(&rig, create_old("a"), CHANGE_CREATED);
		rig_stop(&rig);
		(void)umask(0);
		bytes = unit_read_file(rig.root, "containers/a/status");
		ck_assert_ptr_nonnull(bytes);
		ck_assert_int_eq(strncmp(bytes, expected, sizeof expected - 1), 0);
		free(bytes);
		ck_assert_int_eq(stat(rig_path(&rig, "containers/a/status", &arena), &st), 0);
		ck_assert_int_eq((int)(st.st_mode & 07777), 0600);
		ck_assert_int_eq(stat(rig_path(&rig, "containers/a/metadata", &arena), &st), 0);
		ck_assert_int_eq((int)(st.st_mode & 07777), 0600);
		rig_close(&rig);
	}
}
END_TEST

START_TEST(U8_U9_no_file_after_deletion)
{
	auto_arena struct arena arena = ARENA;
	struct rig rig;

	rig_open(&rig, &kit_disk);
	(void)rig_expect(&rig, create_old("a"), CHANGE_CREATED);
	rig_wait(&rig, rig_is_checkpointed);
	(void)rig_expect(&rig, kit_delete("a"), CHANGE_DELETED);
	rig_stop(&rig);
	ck_assert_int_lt(access(rig_path(&rig, "containers/a", &arena), F_OK), 0);
	rig_start(&rig);
	rig_expect_absent(&rig, "a");
	rig_close(&rig);
}
END_TEST

static int try_root(const char *root, struct err *err)
{
	const struct disk_options options = { .root = root, .files = &files_system, .clock = &clock_system };
	struct backend *b = NULL;
	int r = disk_backend_new(&options, &b, err);

	if (r == 0)
		b->ops->close(b);
	return r;
}

START_TEST(U10_root_that_cannot_be)
{
	auto_arena struct arena arena = ARENA;
	struct rig rig = { .root = unit_directory() };
	struct err err = { 0 };
	const char *file = rig_path(&rig, "file", &arena), *below = rig_path(&rig, "file/root", &arena);

	unit_write_file(rig.root, "file", "x", 1);
	ck_assert_int_lt(try_root(file, &err), 0);
	ck_assert_msg(strstr(err.text, file), "%s", err.text);
	ck_assert_int_lt(try_root(below, &err), 0);
	ck_assert_msg(strstr(err.text, below), "%s", err.text);
	unit_remove(rig.root);
	free(rig.root);
}
END_TEST

START_TEST(root_is_locked)
{
	struct rig rig;
	struct err err = { 0 };

	rig_open(&rig, &kit_disk);
	ck_assert_int_eq(try_root(rig.root, &err), -EBUSY);
	rig_close(&rig);
}
END_TEST

START_TEST(U11_directory_in_the_way)
{
	auto_arena struct arena arena = ARENA;
	struct rig rig;

	rig_open(&rig, &kit_disk);
	(void)rig_expect(&rig, create_old("a"), CHANGE_CREATED);
	rig_wait(&rig, rig_is_checkpointed);
	ck_assert_int_eq(unlink(rig_path(&rig, "containers/a/status", &arena)), 0);
	ck_assert_int_eq(mkdir(rig_path(&rig, "containers/a/status", &arena), 0700), 0);
	unit_write_file(rig.root, "containers/a/status/x", "x", 1);
	(void)rig_expect(&rig, to_new("a"), CHANGE_UPDATED);
	(void)rig_expect_status(&rig, "a", (struct status)NEW);
	rig_wait(&rig, rig_has_failed);
	rig_restart(&rig);
	(void)rig_expect_status(&rig, "a", (struct status)NEW);
	rig_close(&rig);
}
END_TEST

START_TEST(U12_U13_directory_removed_from_outside)
{
	auto_arena struct arena arena = ARENA;
	struct rig rig;

	rig_open(&rig, &kit_disk);
	(void)rig_expect(&rig, create_old("a"), CHANGE_CREATED);
	rig_wait(&rig, rig_is_checkpointed);
	unit_remove(rig_path(&rig, "containers/a", &arena));
	(void)rig_expect(&rig, to_new("a"), CHANGE_UPDATED);
	rig_stop(&rig);
	ck_assert_int_eq(access(rig_path(&rig, "containers/a/status", &arena), F_OK), 0);
	ck_assert_int_eq(access(rig_path(&rig, "containers/a/metadata", &arena), F_OK), 0);
	rig_start(&rig);
	(void)rig_expect_status(&rig, "a", (struct status)NEW);
	unit_remove(rig_path(&rig, "containers/a", &arena));
	(void)rig_expect(&rig, kit_patch("a", GIVEN_FINISHED_AT, (struct status){ .finished_at = 40 }), CHANGE_UPDATED);
	(void)rig_expect(&rig, kit_delete("a"), CHANGE_DELETED);
	rig_restart(&rig);
	rig_expect_ids(&rig, "");
	ck_assert_int_lt(access(rig_path(&rig, "containers/a", &arena), F_OK), 0);
	rig_close(&rig);
}
END_TEST

/* ---- loading ---- */

static const char good_line[] = "{\"Version\":\"v1\",\"Pid\":0,\"CreatedAt\":5,\"StartedAt\":6,\"FinishedAt\":0,\"ExitCode\":0,"
				"\"Reason\":\"\",\"Message\":\"\",\"Resources\":null}";

/* A tree as containerd leaves it, with what a crash of it leaves behind. */
static void make_containerd_tree(struct rig *rig)
{
	*rig = (struct rig){ .kit = &kit_disk, .root = unit_directory() };
	rig_make_directory(rig, "containers");
	rig_make_directory(rig, "containers/good");
	rig_write(rig, "containers/good/status", good_line);
	rig_write(rig, "containers/good/.tmp-status123", "half");
	rig_make_directory(rig, "containers/cut");
	rig_write(rig, "containers/cut/status", "{\"Version\":\"v1\",\"Pi");
	rig_make_directory(rig, "containers/missing");
	rig_write(rig, "containers/missing/other", "x");
	rig_make_directory(rig, "containers/nuls");
	unit_write_file(rig->root, "containers/nuls/status", "\0\0\0\0", 4);
	rig_make_directory(rig, "containers/empty");
	rig_make_directory(rig, "containers/.hidden");
	rig_make_directory(rig, "containers/half");
	rig_write(rig, "containers/half.del-status", good_line);
	rig_write(rig, "containers/plain", good_line);
}

static void expect_damaged(struct rig *rig, const char *id)
{
	struct container *c = store_get(rig->store, id);

	ck_assert_msg(c, "%s is not there", id);
	ck_assert_int_eq(container_state(c), CONTAINER_UNKNOWN);
	ck_assert_int_eq(container_status(c)->exit_code, 255);
	ck_assert_str_eq(container_status(c)->reason, "CheckpointDamaged");
	ck_assert_int_eq(container_status(c)->created_at | container_status(c)->started_at | container_status(c)->finished_at, 0);
	container_unref(c);
}

static void expect_containerd_tree(struct rig *rig)
{
	rig_expect_ids(rig, "cut good missing nuls");
	(void)rig_expect_status(rig, "good", (struct status){ .created_at = 5, .started_at = 6 });
	expect_damaged(rig, "cut");
	expect_damaged(rig, "missing");
	expect_damaged(rig, "nuls");
}

/* U16: what cannot be read is shown as such, and lies as it lay. */
START_TEST(U16_damage_is_shown_and_untouched)
{
	struct rig rig;
	char *before, *after;

	make_containerd_tree(&rig);
	before = rig_tree(&rig);
	rig_load(&rig);
	expect_containerd_tree(&rig);
	after = rig_tree(&rig);
	ck_assert_str_eq(after, before);
	rig_stop(&rig);
	free(after);
	after = rig_tree(&rig);
	ck_assert_str_eq(after, before);
	free(after);
	free(before);
	rig_close(&rig);
}
END_TEST

/* Once writes work: an unknown container can be ended, damage is remembered, evidence is kept, good files stay. */
START_TEST(U16_adopted_tree)
{
	auto_arena struct arena arena = ARENA;
	struct rig rig;
	char *bytes;

	make_containerd_tree(&rig);
	rig_start(&rig);
	rig_wait(&rig, rig_is_writable);
	expect_containerd_tree(&rig);
	(void)rig_expect(&rig, kit_patch("cut", GIVEN_FINISHED_AT | GIVEN_EXIT_CODE, (struct status){ .finished_at = 7, .exit_code = 1 }),
			 CHANGE_UPDATED);
	rig_restart(&rig);
	rig_expect_ids(&rig, "cut good missing nuls");
	(void)rig_expect_status(&rig, "cut", (struct status){ .finished_at = 7, .exit_code = 1 });
	expect_damaged(&rig, "nuls");
	rig_stop(&rig);
	bytes = unit_read_file(rig.root, "containers/good/status");
	ck_assert_str_eq(bytes, good_line);
	free(bytes);
	ck_assert_int_eq(access(rig_path(&rig, "containers/half.del-status", &arena), F_OK), 0);
	ck_assert_int_eq(access(rig_path(&rig, "containers/plain", &arena), F_OK), 0);
	rig_close(&rig);
}
END_TEST

/* ---- death ---- */

struct progress {
	atomic_uint asked, answered;
};

static struct progress *progress;

/* Count up for ever, telling what is asked and what was answered. */
static void count_for_ever(struct rig *rig)
{
	struct container *c = store_get(rig->store, "a");
	uint32_t pid = c ? container_status(c)->pid : 0;

	container_unref(c);
	if (!c)
		(void)rig_expect(rig, kit_create("a", GIVEN_CREATED_AT | GIVEN_STARTED_AT, (struct status)NEW), CHANGE_CREATED);
	for (;;) {
		atomic_store(&progress->asked, ++pid);
		(void)rig_expect(rig, kit_patch("a", GIVEN_PID, (struct status){ .pid = pid }), CHANGE_UPDATED);
		atomic_store(&progress->answered, pid);
	}
}

static pid_t start_counter(struct rig *rig)
{
	pid_t pid = fork();

	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		rig_start(rig);
		count_for_ever(rig);
	}
	return pid;
}

/* U17: killed at any moment; what was answered is there, what was asked may be, nothing else. */
START_TEST(U17_killed_at_any_moment)
{
	struct rig rig = { .kit = &kit_disk, .root = unit_directory() };
	uint64_t revision = 0;

	progress = mmap(NULL, sizeof *progress, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ck_assert(progress != MAP_FAILED);
	for (unsigned round = 1; round <= 12; round++) {
		unsigned target = atomic_load(&progress->answered) + 1 + round * round * 7 % 97;
		pid_t pid = start_counter(&rig);
		struct container *c;

		while (atomic_load(&progress->answered) < target && waitpid(pid, NULL, WNOHANG) == 0)
			(void)sched_yield();
		ck_assert_int_eq(kill(pid, SIGKILL), 0);
		ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
		rig_start(&rig);
		c = store_get(rig.store, "a");
		ck_assert_ptr_nonnull(c);
		ck_assert_uint_ge(container_status(c)->pid, atomic_load(&progress->answered));
		ck_assert_uint_le(container_status(c)->pid, atomic_load(&progress->asked));
		ck_assert_uint_gt(container_revision(c), revision);
		revision = container_revision(c);
		container_unref(c);
		rig_stop(&rig);
	}
	rig_close(&rig);
}
END_TEST

static void delete_and_die(struct rig *rig)
{
	(void)rig_expect(rig, kit_delete("a"), CHANGE_DELETED);
}

static void create_and_die(struct rig *rig)
{
	(void)rig_expect(rig, create_old("a"), CHANGE_CREATED);
}

/* U18, U19 after a kill: no file brings a deleted container back, and its id begins a new life. */
START_TEST(U19_deleted_stays_deleted_after_a_kill)
{
	struct rig rig;
	uint64_t before;

	rig_open(&rig, &kit_disk);
	before = rig_expect(&rig, create_old("a"), CHANGE_CREATED);
	rig_wait(&rig, rig_is_checkpointed);
	rig_stop(&rig);
	rig_killed(&rig, delete_and_die);
	rig_start(&rig);
	rig_expect_absent(&rig, "a");
	rig_stop(&rig);
	rig_killed(&rig, create_and_die);
	rig_start(&rig);
	ck_assert_uint_gt(rig_expect_status(&rig, "a", (struct status)OLD), before);
	rig_expect_ids(&rig, "a");
	rig_close(&rig);
}
END_TEST

/* A transient flag is in no checkpoint: after a start it is cleared, under a revision of its own. */
START_TEST(removing_is_cleared_by_a_restart)
{
	struct rig rig;
	uint64_t flagged;

	rig_open(&rig, &kit_disk);
	(void)rig_expect(&rig, create_old("a"), CHANGE_CREATED);
	flagged = rig_expect(&rig, kit_patch("a", GIVEN_REMOVING, (struct status){ .removing = true }), CHANGE_UPDATED);
	rig_restart(&rig);
	rig_wait(&rig, rig_is_writable);
	ck_assert_uint_gt(rig_expect_status(&rig, "a", (struct status)OLD), flagged);
	rig_close(&rig);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("storage");
	TCase *c = unit_case(s, "storage");

	tcase_add_test(c, U1_file_after_the_checkpoint);
	tcase_add_test(c, U8_U9_no_file_after_deletion);
	tcase_add_test(c, U10_root_that_cannot_be);
	tcase_add_test(c, root_is_locked);
	tcase_add_test(c, U11_directory_in_the_way);
	tcase_add_test(c, U12_U13_directory_removed_from_outside);
	tcase_add_test(c, U16_damage_is_shown_and_untouched);
	tcase_add_test(c, U16_adopted_tree);
	tcase_add_test(c, U17_killed_at_any_moment);
	tcase_add_test(c, U19_deleted_stays_deleted_after_a_kill);
	tcase_add_test(c, removing_is_cleared_by_a_restart);
	return unit_main(s);
}
