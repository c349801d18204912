#include "persist/segment.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

void segment_name(uint64_t segno, char ret_name[static SEGMENT_NAME + 1])
{
	(void)snprintf(ret_name, SEGMENT_NAME + 1, "%016" PRIx64, segno);
}

uint64_t segment_number(const char *name)
{
	uint64_t n = 0;

	for (size_t i = 0; i < SEGMENT_NAME; i++) {
		char c = name[i];

		if (c >= '0' && c <= '9')
			n = n << 4 | (uint64_t)(c - '0');
		else if (c >= 'a' && c <= 'f')
			n = n << 4 | (uint64_t)(c - 'a' + 10);
		else
			return 0;
	}
	return name[SEGMENT_NAME] == '\0' ? n : 0;
}

uint64_t segment_size(const struct files *files, int dir, const char *name)
{
	struct stat st;

	if (files->fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISREG(st.st_mode))
		return 0;
	return (uint64_t)st.st_size;
}

/* ---- making ---- */

static int open_for_zeros(const struct files *files, int dir, const char *name, uint64_t size)
{
	if (segment_size(files, dir, name) == size)
		return fsx_open(files, dir, name, O_WRONLY, 0);
	if (files->unlinkat(dir, name, 0) < 0 && errno != ENOENT)
		return -errno;
	return fsx_open(files, dir, name, O_WRONLY | O_CREAT | O_EXCL, 0600);
}

int segment_make(const struct files *files, int dir, const char *name, uint64_t size, struct err *err)
{
	int fd = open_for_zeros(files, dir, name, size), r, closed;

	if (fd < 0)
		return err_set(err, fd, "make journal/%s", name);
	r = fsx_write_zeros(files, fd, size, 0);
	if (r == 0)
		r = fsx_sync(files, fd);
	closed = fsx_close(files, fd);
	if (r == 0)
		r = closed;
	if (r == 0)
		r = fsx_sync(files, dir);
	if (r == 0)
		return 0;
	/* A file whose sync failed must never be used, not even by a later start: its pages look clean and are not. */
	(void)files->unlinkat(dir, name, 0);
	return err_set(err, r, "write journal/%s", name);
}

/* ---- beginning ---- */

static int write_start(const struct files *files, int fd, const struct segment_header *header, struct slice copies)
{
	uint8_t block[FRAME_BLOCK];
	int r;

	segment_header_encode(header, block);
	r = fsx_pwrite_all(files, fd, block, sizeof block, 0);
	if (r == 0 && copies.len > 0)
		r = fsx_pwrite_all(files, fd, copies.at, copies.len, FRAME_BLOCK);
	return r == 0 ? fsx_sync_data(files, fd) : r;
}

/* A file that lies where the new one goes is what an earlier failed attempt could not take away. */
static int rename_fresh(const struct files *files, int dir, const char *from, const char *to)
{
	int r = files->renameat2(dir, from, dir, to, RENAME_NOREPLACE) < 0 ? -errno : 0;

	if (r == -EEXIST) {
		if (files->unlinkat(dir, to, 0) < 0)
			return -errno;
		r = files->renameat2(dir, from, dir, to, RENAME_NOREPLACE) < 0 ? -errno : 0;
	}
	if (r == -EINVAL) /* some file systems have no flags; nobody else writes here */
		r = files->renameat2(dir, from, dir, to, 0) < 0 ? -errno : 0;
	return r;
}

int segment_begin(const struct files *files, int dir, const char *from, const struct segment_header *header,
		  struct slice copies, bool *ret_doubtful, struct err *err)
{
	int fd = fsx_open(files, dir, from, O_WRONLY, 0), r;
	char name[SEGMENT_NAME + 1];
	const char *left = from;

	*ret_doubtful = false;
	segment_name(header->segno, name);
	if (fd < 0)
		return err_set(err, fd, "open journal/%s", from);
	r = write_start(files, fd, header, copies);
	if (r < 0)
		goto fail;
	r = rename_fresh(files, dir, from, name);
	if (r < 0)
		goto fail;
	left = name;
	*ret_doubtful = true;
	r = fsx_sync(files, dir);
	if (r < 0)
		goto fail;
	*ret_doubtful = false;
	return fd;

fail:
	(void)fsx_close(files, fd);
	(void)files->unlinkat(dir, left, 0);
	return err_set(err, r, "begin journal segment %s", name);
}
