/* The root directory: one owner, known formats, and what may be made of it. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "disk.h"
#include "faulty.h"
#include "unit.h"

static struct disk *started(void)
{
	struct disk *d = disk_new();

	ck_assert_msg(disk_start(d) == 0, "%s", d->err.text);
	return d;
}

START_TEST(layout_of_a_new_root)
{
	struct disk *d = started();
	char *text, *path = disk_path(d, "containers");
	struct stat st;

	text = unit_read_file(d->root, "VERSION");
	ck_assert_ptr_nonnull(text);
	ck_assert(!strncmp(text, "{\"Format\":1,\"StoreId\":\"", 23));
	free(text);
	text = unit_read_file(d->root, "journal/MANIFEST");
	ck_assert_ptr_nonnull(text);
	free(text);
	text = unit_read_file(d->root, "journal/0000000000000001");
	ck_assert_ptr_nonnull(text);
	free(text);
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0700);
	free(path);
	disk_free(d);
}
END_TEST

START_TEST(second_owner)
{
	struct disk *d = started(), other = { .root = d->root, .options = d->options };
	char pid[32], *lock = disk_path(d, "lock");

	ck_assert_int_eq(disk_load(&other), -EBUSY);
	(void)snprintf(pid, sizeof pid, "process %ld", (long)getpid());
	ck_assert_msg(strstr(other.err.text, pid) != NULL, "%s", other.err.text);
	/* Not even when somebody removes the file. */
	ck_assert_int_eq(unlink(lock), 0);
	ck_assert_int_eq(disk_load(&other), -EBUSY);
	free(lock);
	disk_stop(d);
	ck_assert_int_eq(disk_load(&other), 0);
	disk_stop(&other);
	disk_free(d);
}
END_TEST

/* U10 */
START_TEST(root_that_cannot_be)
{
	struct disk *d = disk_new();
	char *path = disk_path(d, "a/b"), *file = disk_path(d, "file");

	d->options.root = path;
	ck_assert_int_eq(disk_load(d), -ENOENT);
	ck_assert_ptr_nonnull(strstr(d->err.text, path));
	unit_write_file(d->root, "file", "x", 1);
	d->options.root = file;
	ck_assert_int_eq(disk_load(d), -ENOTDIR);
	ck_assert_ptr_nonnull(strstr(d->err.text, file));
	d->options.root = d->root;
	disk_free(d);
	free(path);
	free(file);
}
END_TEST

static const struct version {
	const char *text;
} versions[] = {
	{ "" }, { "{}" }, { "{\"Format\":1,\"StoreId\":\"00\"}\n" },
	{ "{\"Format\":1,\"StoreId\":\"00112233445566778899aabbccddeeff\",\"Crc32\":\"00000000\"}\n" },
};

START_TEST(version_not_known)
{
	struct disk *d = started();

	disk_stop(d);
	unit_write_file(d->root, "VERSION", versions[_i].text, strlen(versions[_i].text));
	ck_assert_int_eq(disk_load(d), DISK_E_FORMAT);
	disk_free(d);
}
END_TEST

START_TEST(version_missing_but_frames)
{
	struct disk *d = started();
	char *version = disk_path(d, "VERSION");

	ck_assert_int_eq(disk_create(d, 1, 0, true), 0);
	disk_stop(d);
	ck_assert_int_eq(unlink(version), 0);
	ck_assert_int_eq(disk_load(d), DISK_E_FORMAT);
	free(version);
	disk_free(d);
}
END_TEST

/* The nth call of a first start fails for ever; the next start finds nothing in its way. */
START_TEST(first_start_broken_off)
{
	struct disk *d = disk_new();
	int r;

	d->options.files = &files_faulty;
	faulty_arm((struct faulty_rule){ .calls = CALL_ANY_CHANGE, .where = d->root, .error = EIO, .pass = _i, .count = -1 });
	r = disk_start(d);
	faulty_disarm();
	disk_stop(d);
	(void)r;
	ck_assert_msg(disk_start(d) == 0, "%s", d->err.text);
	ck_assert_int_eq(disk_create(d, 1, 0, true), 0);
	disk_expect_same(d);
	disk_free(d);
}
END_TEST

START_TEST(opening_is_tried_again)
{
	struct disk *d = disk_new();

	d->options.files = &files_faulty;
	ck_assert_int_eq(disk_load(d), 0);
	for (int n = 0; n < 60; n++) {
		faulty_arm((struct faulty_rule){ .calls = CALL_ANY_CHANGE, .where = d->root, .error = EIO, .pass = n, .count = 1 });
		if (d->backend->ops->open(d->backend, &d->err) == 0)
			break;
	}
	faulty_disarm();
	ck_assert_int_eq(disk_create(d, 1, 0, true), 0);
	disk_expect_same(d);
	disk_free(d);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("root");

	tcase_add_test(unit_case(s, "layout"), layout_of_a_new_root);
	tcase_add_test(unit_case(s, "second owner"), second_owner);
	tcase_add_test(unit_case(s, "U10"), root_that_cannot_be);
	tcase_add_loop_test(unit_case(s, "version not known"), version_not_known, 0, (int)COUNT(versions));
	tcase_add_test(unit_case(s, "version missing"), version_missing_but_frames);
	tcase_add_loop_test(unit_case(s, "first start broken off"), first_start_broken_off, 0, 25);
	tcase_add_test(unit_case(s, "opening is tried again"), opening_is_tried_again);
	return unit_main(s);
}
