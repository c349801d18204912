#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "container/codec.h"

int unit_main(Suite *suite)
{
	SRunner *runner = srunner_create(suite);
	int failed;

	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed > 0;
}

TCase *unit_case(Suite *suite, const char *name)
{
	TCase *c = tcase_create(name);

	tcase_set_timeout(c, UNIT_SECONDS);
	suite_add_tcase(suite, c);
	return c;
}

void unit_vector(Suite *suite, const char *name, const TTest *test, int row)
{
	tcase_add_loop_test(unit_case(suite, name), test, row, row + 1);
}

struct container *unit_container(const struct metadata_value *value, const struct status *status, uint64_t revision)
{
	struct metadata *m = metadata_new(value, revision);
	struct container *c;

	ck_assert_ptr_nonnull(m);
	c = container_new(m, status, revision);
	ck_assert_ptr_nonnull(c);
	metadata_unref(m);
	return c;
}

struct status unit_status(struct status s)
{
	s.reason = s.reason ? s.reason : "";
	s.message = s.message ? s.message : "";
	return s;
}

static const char *status_text(const struct status *s, struct buf *b)
{
	const struct stamp none = { .id = "" };

	ck_assert_int_eq(codec_status_to_disk(b, s, &none), 0);
	ck_assert_int_eq(buf_addf(b, " removing=%d unknown=%d restore=%d", s->removing, s->unknown, (int)s->restore), 0);
	return buf_text(b);
}

void unit_expect_status(const char *what, const struct status *seen, struct status expected)
{
	auto_buf struct buf a = BUF(1 << 20), b = BUF(1 << 20);

	expected = unit_status(expected);
	if (!status_equal(seen, &expected))
		ck_abort_msg("%s:\nexpected %s\nseen     %s", what, status_text(&expected, &a), status_text(seen, &b));
}

char *unit_directory(void)
{
	const char *base = getenv("TMPDIR");
	char *path = NULL;

	ck_assert_int_gt(asprintf(&path, "%s/tallyd-unit.XXXXXX", base && *base ? base : "/tmp"), 0);
	ck_assert_ptr_nonnull(mkdtemp(path));
	return path;
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *where)
{
	(void)st;
	(void)kind;
	(void)where;
	return remove(path) < 0 && errno != ENOENT;
}

void unit_remove(const char *directory)
{
	(void)nftw(directory, remove_one, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
}

static int open_in(const char *directory, const char *name, int flags)
{
	char *path = NULL;
	int fd;

	ck_assert_int_gt(asprintf(&path, "%s/%s", directory, name), 0);
	fd = open(path, flags | O_CLOEXEC, 0600);
	free(path);
	return fd;
}

char *unit_read_file(const char *directory, const char *name)
{
	int fd = open_in(directory, name, O_RDONLY);
	auto_buf struct buf b = BUF(1 << 20);
	char chunk[4096];
	size_t len;
	ssize_t n;

	if (fd < 0)
		return NULL;
	while ((n = read(fd, chunk, sizeof chunk)) > 0)
		ck_assert_int_eq(buf_add(&b, chunk, (size_t)n), 0);
	ck_assert_int_eq((int)n, 0);
	(void)close(fd);
	ck_assert_ptr_nonnull(buf_text(&b));
	return buf_take(&b, &len);
}

void unit_write_file(const char *directory, const char *name, const void *bytes, size_t len)
{
	int fd = open_in(directory, name, O_WRONLY | O_CREAT | O_TRUNC);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq((int)write(fd, bytes, len), (int)len);
	ck_assert_int_eq(close(fd), 0);
}

void unit_look_again(void)
{
	(void)poll(NULL, 0, 2);
}
