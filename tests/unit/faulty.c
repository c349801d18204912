#include "faulty.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

struct state {
	struct faulty_rule rule;
	int failed, seen, due; /* due: that would have failed, those that passed in turn included */
};

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static struct state own, *state = &own;

void faulty_share(void)
{
	struct state *common = mmap(NULL, sizeof *common, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (common == MAP_FAILED)
		abort();
	*common = *state;
	state = common;
}

void faulty_arm(struct faulty_rule r)
{
	pthread_mutex_lock(&mutex);
	*state = (struct state){ .rule = r };
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
	return look(&state->failed);
}

int faulty_seen(void)
{
	return look(&state->seen);
}

/* With the mutex held. */
static bool is_hit(const struct faulty_rule *rule)
{
	state->seen++;
	if (state->seen <= rule->pass || (rule->count >= 0 && state->failed >= rule->count))
		return false;
	if (rule->alternates && state->due++ % 2)
		return false;
	state->failed++;
	return true;
}

/* Does this call on this path fail?  Sets errno. */
static bool fails(unsigned call, const char *path, struct faulty_rule *ret)
{
	bool hit = false;

	pthread_mutex_lock(&mutex);
	if ((state->rule.calls & call) && strstr(path, state->rule.where)) {
		if (state->rule.aborts) {
			(void)fprintf(stderr, "a call that must not be: %x on %s\n", call, path);
			abort();
		}
		*ret = state->rule;
		hit = is_hit(ret);
		errno = hit ? ret->error : errno;
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

/* Whether somebody asks at all for paths, which cost more than many a call. */
static bool wants_paths(void)
{
	bool wants;

	pthread_mutex_lock(&mutex);
	wants = state->rule.calls && state->rule.where[0];
	pthread_mutex_unlock(&mutex);
	return wants;
}

static bool fails_fd(unsigned call, int fd, struct faulty_rule *ret)
{
	char room[PATH_MAX];
	int before = errno;
	bool hit = fails(call, wants_paths() ? path_of(fd, room) : "", ret);

	if (!hit)
		errno = before;
	return hit;
}

/* For calls that either fail or do not. */
static bool fails_plainly(unsigned call, int fd)
{
	struct faulty_rule rule;

	return fails_fd(call, fd, &rule);
}

static bool fails_at(unsigned call, int dir, const char *name)
{
	char room[PATH_MAX], path[2 * PATH_MAX];
	struct faulty_rule rule;

	path[0] = '\0';
	if (wants_paths())
		(void)snprintf(path, sizeof path, "%s/%s", path_of(dir, room), name);
	return fails(call, path, &rule);
}

/* ---- the calls ---- */

static int f_openat(int dir, const char *name, int flags, mode_t mode)
{
	if (fails_at(CALL_OPEN, dir, name))
		return -1;
	if ((flags & O_CREAT) && faccessat(dir, name, F_OK, AT_SYMLINK_NOFOLLOW) < 0 && fails_at(CALL_MAKES, dir, name))
		return -1;
	return files_system.openat(dir, name, flags, mode);
}

/* How much a cut transfer moves; 0: none, the call fails. */
static size_t cut_of(const struct faulty_rule *rule, size_t len)
{
	switch (rule->cut) {
	case CUT_ONE_BYTE:
		return 1;
	case CUT_HALF:
		return (len + 1) / 2;
	case CUT_NONE:
		break;
	}
	return 0;
}

static ssize_t f_pread(int fd, void *to, size_t len, off_t at)
{
	struct faulty_rule rule;

	if (!fails_fd(CALL_PREAD, fd, &rule))
		return pread(fd, to, len, at);
	return rule.cut == CUT_NONE ? -1 : pread(fd, to, cut_of(&rule, len), at);
}

static ssize_t f_pwrite(int fd, const void *from, size_t len, off_t at)
{
	struct faulty_rule rule;

	if (!fails_fd(CALL_PWRITE, fd, &rule))
		return pwrite(fd, from, len, at);
	if (rule.cut != CUT_NONE)
		return pwrite(fd, from, cut_of(&rule, len), at);
	if (rule.torn)
		(void)!pwrite(fd, from, len / 2, at);
	errno = rule.error;
	return -1;
}

static int f_close(int fd)
{
	bool failed = fails_plainly(CALL_CLOSE, fd);
	int error = errno, r = close(fd);

	if (!failed)
		return r;
	errno = error;
	return -1;
}

static int f_fsync(int fd)
{
	return fails_plainly(CALL_FSYNC, fd) ? -1 : fsync(fd);
}

static int f_fdatasync(int fd)
{
	return fails_plainly(CALL_FDATASYNC, fd) ? -1 : fdatasync(fd);
}

static int f_fstat(int fd, struct stat *ret)
{
	return fails_plainly(CALL_FSTAT, fd) ? -1 : fstat(fd, ret);
}

static int f_fstatat(int dir, const char *name, struct stat *ret, int flags)
{
	return fails_at(CALL_FSTATAT, dir, name) ? -1 : fstatat(dir, name, ret, flags);
}

static int f_fchmod(int fd, mode_t mode)
{
	return fails_plainly(CALL_FCHMOD, fd) ? -1 : fchmod(fd, mode);
}

static int f_fchmodat(int dir, const char *name, mode_t mode, int flags)
{
	return fails_at(CALL_FCHMODAT, dir, name) ? -1 : fchmodat(dir, name, mode, flags);
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
	return fails_plainly(CALL_FLOCK, fd) ? -1 : files_system.flock(fd, how);
}

static DIR *f_fdopendir(int fd)
{
	return fails_plainly(CALL_FDOPENDIR, fd) ? NULL : fdopendir(fd);
}

static struct dirent *f_readdir(DIR *dir)
{
	struct faulty_rule rule = { 0 };
	struct dirent *entry;

	if (fails_fd(CALL_READDIR, dirfd(dir), &rule))
		return NULL;
	entry = readdir(dir);
	pthread_mutex_lock(&mutex);
	if (entry && state->rule.hides_types)
		entry->d_type = DT_UNKNOWN;
	pthread_mutex_unlock(&mutex);
	return entry;
}

static int f_closedir(DIR *dir)
{
	bool failed = fails_plainly(CALL_CLOSEDIR, dirfd(dir));
	int error = errno, r = closedir(dir);

	if (!failed)
		return r;
	errno = error;
	return -1;
}

const struct files files_faulty = {
	.openat = f_openat,
	.close = f_close,
	.pread = f_pread,
	.pwrite = f_pwrite,
	.fsync = f_fsync,
	.fdatasync = f_fdatasync,
	.fstat = f_fstat,
	.fstatat = f_fstatat,
	.fchmod = f_fchmod,
	.fchmodat = f_fchmodat,
	.mkdirat = f_mkdirat,
	.unlinkat = f_unlinkat,
	.renameat2 = f_renameat2,
	.flock = f_flock,
	.fdopendir = f_fdopendir,
	.readdir = f_readdir,
	.closedir = f_closedir,
};
