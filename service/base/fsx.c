#include "base/fsx.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <unistd.h>

static int system_openat(int dir, const char *name, int flags, mode_t mode)
{
	return openat(dir, name, flags, mode);
}

const struct files files_system = {
	.openat = system_openat,
	.close = close,
	.pread = pread,
	.pwrite = pwrite,
	.fsync = fsync,
	.fdatasync = fdatasync,
	.fstat = fstat,
	.fstatat = fstatat,
	.fchmod = fchmod,
	.fchmodat = fchmodat,
	.mkdirat = mkdirat,
	.unlinkat = unlinkat,
	.renameat2 = renameat2,
	.flock = flock,
	.fdopendir = fdopendir,
	.readdir = readdir,
	.closedir = closedir,
};

int fsx_open(const struct files *files, int dir, const char *name, int flags, mode_t mode)
{
	int fd;

	do
		fd = files->openat(dir, name, flags | O_CLOEXEC | O_NOFOLLOW, mode);
	while (fd < 0 && errno == EINTR);
	return fd < 0 ? -errno : fd;
}

int fsx_pwrite_all(const struct files *files, int fd, const void *from, size_t len, off_t at)
{
	const char *p = from;

	while (len > 0) {
		ssize_t n = files->pwrite(fd, p, len, at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		p += n;
		at += n;
		len -= (size_t)n;
	}
	return 0;
}

int fsx_pread_all(const struct files *files, int fd, void *to, size_t len, off_t at)
{
	char *p = to;

	while (len > 0) {
		ssize_t n = files->pread(fd, p, len, at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -ENODATA;
		p += n;
		at += n;
		len -= (size_t)n;
	}
	return 0;
}

/* A file that grows between fstat and read would be read in part: the files read here are replaced, never extended. */
static int read_opened(const struct files *files, int fd, struct buf *to)
{
	struct stat st;
	int r;

	if (files->fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EINVAL;
	r = buf_reserve(to, (size_t)st.st_size);
	if (r < 0 || st.st_size == 0)
		return r;
	r = fsx_pread_all(files, fd, to->at + to->len, (size_t)st.st_size, 0);
	if (r == 0)
		to->len += (size_t)st.st_size;
	return r;
}

int fsx_read_file(const struct files *files, int dir, const char *name, struct buf *to)
{
	int fd = fsx_open(files, dir, name, O_RDONLY | O_NONBLOCK, 0), r;

	if (fd < 0)
		return fd;
	r = read_opened(files, fd, to);
	(void)fsx_close(files, fd); /* nothing was written: nothing can be lost */
	return r;
}

int fsx_replace(const struct files *files, int dir, const char *tmp, const char *name, const void *from, size_t len)
{
	int fd, r;

	fd = fsx_open(files, dir, tmp, O_WRONLY | O_CREAT | O_EXCL, 0600);
	if (fd == -EEXIST) {
		/* Left by a crash; nobody else writes here. */
		if (files->unlinkat(dir, tmp, 0) < 0)
			return -errno;
		fd = fsx_open(files, dir, tmp, O_WRONLY | O_CREAT | O_EXCL, 0600);
	}
	if (fd < 0)
		return fd;
	/* A umask may take rights away from the owner too. */
	r = files->fchmod(fd, 0600) < 0 ? -errno : fsx_pwrite_all(files, fd, from, len, 0);
	if (r < 0)
		goto fail_close;
	r = fsx_sync(files, fd);
	if (r < 0)
		goto fail_close;
	r = fsx_close(files, fd);
	if (r < 0)
		goto fail_unlink;
	if (files->renameat2(dir, tmp, dir, name, 0) < 0) {
		r = -errno;
		goto fail_unlink;
	}
	return 0;

fail_close:
	(void)fsx_close(files, fd);
fail_unlink:
	(void)files->unlinkat(dir, tmp, 0);
	return r;
}

int fsx_sync(const struct files *files, int fd)
{
	int r;

	do
		r = files->fsync(fd);
	while (r < 0 && errno == EINTR);
	return r < 0 ? -errno : 0;
}

int fsx_sync_data(const struct files *files, int fd)
{
	int r;

	do
		r = files->fdatasync(fd);
	while (r < 0 && errno == EINTR);
	return r < 0 ? -errno : 0;
}

int fsx_close(const struct files *files, int fd)
{
	/* EINTR from close means closed on Linux. */
	return files->close(fd) < 0 && errno != EINTR ? -errno : 0;
}

int fsx_mkdir(const struct files *files, int dir, const char *name)
{
	if (files->mkdirat(dir, name, 0700) < 0)
		return errno == EEXIST ? 1 : -errno;
	return files->fchmodat(dir, name, 0700, 0) < 0 ? -errno : 0;
}

int fsx_write_zeros(const struct files *files, int fd, uint64_t len, off_t at)
{
	static const char zeros[1 << 16];

	while (len > 0) {
		size_t n = len < sizeof zeros ? (size_t)len : sizeof zeros;
		int r = fsx_pwrite_all(files, fd, zeros, n, at);

		if (r < 0)
			return r;
		at += (off_t)n;
		len -= n;
	}
	return 0;
}
