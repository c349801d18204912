#include "faulty.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static struct faulty_rule rule;
static int failed, seen;

void faulty_arm(struct faulty_rule r)
{
	pthread_mutex_lock(&mutex);
	rule = r;
	failed = seen = 0;
	pthread_mutex_unlock(&mutex);
}

void faulty_disarm(void)
{
	faulty_arm((struct faulty_rule){ 0 });
}

static int look(const int *n)
{
	int now;

	pthread_mutex_lock(&mutex);
	now = *n;
	pthread_mutex_unlock(&mutex);
	return now;
}

int faulty_failed(void)
{
	return look(&failed);
}

int faulty_seen(void)
{
	return look(&seen);
}

/* Does this call on this path fail?  Sets errno. */
static bool fails(unsigned call, const char *path, bool *ret_torn)
{
	bool hit = false;

	pthread_mutex_lock(&mutex);
	if ((rule.calls & call) && strstr(path, rule.where)) {
		if (rule.aborts) {
			(void)fprintf(stderr, "a call that must not be: %x on %s\n", call, path);
			abort();
		}
		seen++;
		hit = seen > rule.pass && (rule.count < 0 || failed < rule.count);
		failed += hit;
		errno = hit ? rule.error : errno;
		*ret_torn = hit && rule.torn;
	}
	pthread_mutex_unlock(&mutex);
	return hit;
}

static const char *path_of(int fd, char room[PATH_MAX])
{
	char link[64];
	ssize_t n;

	if (fd == AT_FDCWD)
		return "";
	(void)snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
	n = readlink(link, room, PATH_MAX - 1);
	room[n > 0 ? n : 0] = '\0';
	return room;
}

static bool fails_fd(unsigned call, int fd, bool *ret_torn)
{
	char room[PATH_MAX];
	int before = errno;
	bool hit = fails(call, path_of(fd, room), ret_torn);

	if (!hit)
		errno = before;
	return hit;
}

static bool fails_at(unsigned call, int dir, const char *name)
{
	char room[PATH_MAX], path[2 * PATH_MAX];
	bool torn;

	(void)snprintf(path, sizeof path, "%s/%s", path_of(dir, room), name);
	return fails(call, path, &torn);
}

static int f_openat(int dir, const char *name, int flags, mode_t mode)
{
	if (fails_at(CALL_OPEN, dir, name))
		return -1;
	if ((flags & O_CREAT) && faccessat(dir, name, F_OK, AT_SYMLINK_NOFOLLOW) < 0 && fails_at(CALL_MAKES, dir, name))
		return -1;
	return files_system.openat(dir, name, flags, mode);
}

static ssize_t f_pread(int fd, void *to, size_t len, off_t at)
{
	bool torn;

	return fails_fd(CALL_PREAD, fd, &torn) ? -1 : pread(fd, to, len, at);
}

static ssize_t f_pwrite(int fd, const void *from, size_t len, off_t at)
{
	bool torn = false;

	if (!fails_fd(CALL_PWRITE, fd, &torn))
		return pwrite(fd, from, len, at);
	if (torn) {
		int error = errno;

		(void)!pwrite(fd, from, len / 2, at);
		errno = error;
	}
	return -1;
}

static int f_fsync(int fd)
{
	bool torn;

	return fails_fd(CALL_FSYNC, fd, &torn) ? -1 : fsync(fd);
}

static int f_fdatasync(int fd)
{
	bool torn;

	return fails_fd(CALL_FDATASYNC, fd, &torn) ? -1 : fdatasync(fd);
}

static int f_mkdirat(int dir, const char *name, mode_t mode)
{
	return fails_at(CALL_MKDIR, dir, name) ? -1 : mkdirat(dir, name, mode);
}

static int f_unlinkat(int dir, const char *name, int flags)
{
	return fails_at(CALL_UNLINK, dir, name) ? -1 : unlinkat(dir, name, flags);
}

static int f_renameat2(int from_dir, const char *from, int to_dir, const char *to, unsigned flags)
{
	return fails_at(CALL_RENAME, to_dir, to) ? -1 : renameat2(from_dir, from, to_dir, to, flags);
}

static int f_flock(int fd, int how)
{
	return files_system.flock(fd, how);
}

static int f_fstat(int fd, struct stat *ret)
{
	return fstat(fd, ret);
}

static int f_fstatat(int dir, const char *name, struct stat *ret, int flags)
{
	return fstatat(dir, name, ret, flags);
}

const struct files files_faulty = {
	.openat = f_openat,
	.close = close,
	.pread = f_pread,
	.pwrite = f_pwrite,
	.fsync = f_fsync,
	.fdatasync = f_fdatasync,
	.fstat = f_fstat,
	.fstatat = f_fstatat,
	.fchmod = fchmod,
	.fchmodat = fchmodat,
	.mkdirat = f_mkdirat,
	.unlinkat = f_unlinkat,
	.renameat2 = f_renameat2,
	.flock = f_flock,
	.fdopendir = fdopendir,
	.readdir = readdir,
	.closedir = closedir,
};
