/* The habits built on the file calls: what takes several calls, and what a signal interrupts. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/fsx.h"
#include "unit.h"

/* How the next calls behave: <interrupts> of them end with EINTR and do nothing, transfers move at most <most> bytes. */
static int interrupts, calls;
static size_t most;

static bool interrupted(void)
{
	calls++;
	errno = EINTR;
	return interrupts > 0 && interrupts-- > 0;
}

static size_t some(size_t len)
{
	return len < most ? len : most;
}

static ssize_t lazy_pwrite(int fd, const void *from, size_t len, off_t at)
{
	return interrupted() ? -1 : pwrite(fd, from, some(len), at);
}

static ssize_t lazy_pread(int fd, void *to, size_t len, off_t at)
{
	return interrupted() ? -1 : pread(fd, to, some(len), at);
}

static int lazy_fsync(int fd)
{
	(void)fd;
	return interrupted() ? -1 : 0;
}

static const struct files lazy = { .pwrite = lazy_pwrite, .pread = lazy_pread, .fsync = lazy_fsync, .fdatasync = lazy_fsync };

static int open_file(char **ret_directory)
{
	int dir, fd;

	*ret_directory = unit_directory();
	dir = open(*ret_directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ck_assert_int_ge(dir, 0);
	fd = openat(dir, "file", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(close(dir), 0);
	return fd;
}

START_TEST(all_is_written_and_read)
{
	static const char text[] = "every byte of it, however many calls that takes";
	char seen[sizeof text] = "", *directory;
	int fd = open_file(&directory);

	most = (size_t)_i;
	interrupts = 3;
	ck_assert_int_eq(fsx_pwrite_all(&lazy, fd, text, sizeof text, 7), 0);
	ck_assert_int_eq((int)pread(fd, seen, sizeof seen, 7), (int)sizeof seen);
	ck_assert_str_eq(seen, text);
	memset(seen, 0, sizeof seen);
	interrupts = 3;
	ck_assert_int_eq(fsx_pread_all(&lazy, fd, seen, sizeof seen, 7), 0);
	ck_assert_str_eq(seen, text);
	ck_assert_int_eq(fsx_pread_all(&lazy, fd, seen, sizeof seen, 8), -ENODATA);
	most = 0; /* a disk that takes nothing, and does not say why */
	ck_assert_int_eq(fsx_pwrite_all(&lazy, fd, text, 1, 0), -EIO);
	ck_assert_int_eq(close(fd), 0);
	unit_remove(directory);
	free(directory);
}
END_TEST

/* A sync that a signal ended has synced nothing. */
START_TEST(interrupted_sync_is_repeated)
{
	interrupts = 2;
	calls = 0;
	ck_assert_int_eq(_i ? fsx_sync(&lazy, -1) : fsx_sync_data(&lazy, -1), 0);
	ck_assert_int_eq(calls, 3);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("fsx");

	tcase_add_loop_test(unit_case(s, "all is written and read"), all_is_written_and_read, 1, 4);
	tcase_add_loop_test(unit_case(s, "interrupted sync"), interrupted_sync_is_repeated, 0, 2);
	return unit_main(s);
}
