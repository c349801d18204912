/* The files of containers as the checkpointer leaves them. */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "disk.h"
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

int main(void)
{
	Suite *s = suite_create("checkpoint");

	tcase_add_test(unit_case(s, "files follow"), files_follow);
	return unit_main(s);
}
