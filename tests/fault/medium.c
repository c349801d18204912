#include "fault/medium.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { DISTRUSTED_MAX = 4096 };

struct inode {
	dev_t dev;
	ino_t ino;
};

/* Common to all processes of a run. */
struct notes {
	struct inode distrusted[DISTRUSTED_MAX];
	size_t count;
	struct inode lock;
	char complaint[320];
};

/* What stood where a write went that was not synced since. */
struct pending {
	struct pending *older;
	struct inode inode;
	int fd; /* our own */
	off_t at, size;
	size_t len; /* of the old bytes: less than was written where the file grew */
	char old[];
};

struct files files_medium;
static const struct files *below;
static struct notes *notes;
static struct pending *newest;
static bool dead;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

/* ---- distrust ---- */

static bool same_inode(struct inode a, struct inode b)
{
	return a.dev == b.dev && a.ino == b.ino;
}

/* Which file, and whether the rule is for it: regular ones, but for the lock, which holds nothing of value. */
static bool identify(int fd, struct inode *ret)
{
	struct stat st;

	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return false;
	*ret = (struct inode){ st.st_dev, st.st_ino };
	return !same_inode(*ret, notes->lock);
}

static size_t place_of(struct inode inode)
{
	size_t i = 0;

	while (i < notes->count && !same_inode(notes->distrusted[i], inode))
		i++;
	return i;
}

static void distrust(struct inode inode)
{
	if (place_of(inode) < notes->count)
		return;
	if (notes->count == DISTRUSTED_MAX)
		abort();
	notes->distrusted[notes->count++] = inode;
}

/* A file made anew may have the number of one that is gone. */
static void trust(struct inode inode)
{
	size_t i = place_of(inode);

	if (i < notes->count)
		notes->distrusted[i] = notes->distrusted[--notes->count];
}

static void check_trust(struct inode inode, int fd, const char *what)
{
	char link[64], path[200];
	ssize_t n;

	if (place_of(inode) == notes->count || notes->complaint[0])
		return;
	(void)snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
	n = readlink(link, path, sizeof path - 1);
	path[n > 0 ? n : 0] = '\0';
	(void)snprintf(notes->complaint, sizeof notes->complaint, "%s of %s after a write or sync of it failed", what, path);
}

/* ---- bytes that are not safe ---- */

static void drop_pending(struct pending **at)
{
	struct pending *p = *at;

	*at = p->older;
	(void)close(p->fd);
	free(p);
}

static void undo(const struct pending *p)
{
	if (ftruncate(p->fd, p->size) < 0 || pwrite(p->fd, p->old, p->len, p->at) != (ssize_t)p->len)
		abort();
}

/* Forget what is pending of one file (NULL: of all), the newest first; with <lost>, its bytes go too. */
static void end_pending(const struct inode *inode, bool lost)
{
	struct pending **at = &newest;

	while (*at) {
		if (inode && !same_inode((*at)->inode, *inode)) {
			at = &(*at)->older;
			continue;
		}
		if (lost)
			undo(*at);
		drop_pending(at);
	}
}

/* The old bytes of what is about to be written. */
static struct pending *keep_old(int fd, struct inode inode, size_t len, off_t at)
{
	struct pending *p = malloc(sizeof *p + len);
	struct stat st;

	if (!p || fstat(fd, &st) < 0)
		abort();
	*p = (struct pending){ .inode = inode, .fd = fcntl(fd, F_DUPFD_CLOEXEC, 0), .at = at, .size = st.st_size };
	if (p->fd < 0)
		abort();
	if (at < st.st_size)
		p->len = (size_t)(st.st_size - at) < len ? (size_t)(st.st_size - at) : len;
	if (pread(p->fd, p->old, p->len, at) != (ssize_t)p->len)
		abort();
	return p;
}

/* ---- the calls ---- */

static int m_openat(int dir, const char *name, int flags, mode_t mode)
{
	struct inode inode;
	int fd;

	if ((flags & O_ACCMODE) == O_WRONLY)
		flags = (flags & ~O_ACCMODE) | O_RDWR; /* we read what is written over */
	pthread_mutex_lock(&mutex);
	errno = EIO;
	fd = dead ? -1 : below->openat(dir, name, flags, mode);
	if (fd >= 0 && (flags & O_CREAT) && identify(fd, &inode)) {
		if (flags & O_EXCL)
			trust(inode);
		if (!strcmp(name, "lock"))
			notes->lock = inode;
	}
	pthread_mutex_unlock(&mutex);
	return fd;
}

static ssize_t write_watched(int fd, const void *from, size_t len, off_t at)
{
	struct pending *p = NULL;
	struct inode inode;
	ssize_t n;

	if (dead) {
		errno = EIO;
		return -1;
	}
	if (identify(fd, &inode)) {
		check_trust(inode, fd, "a write");
		p = keep_old(fd, inode, len, at);
		p->older = newest;
		newest = p;
	}
	n = below->pwrite(fd, from, len, at);
	if (p && n < 0 && errno != EINTR) {
		int error = errno;

		distrust(inode);
		errno = error;
	}
	return n;
}

static ssize_t m_pwrite(int fd, const void *from, size_t len, off_t at)
{
	ssize_t n;

	pthread_mutex_lock(&mutex);
	n = write_watched(fd, from, len, at);
	pthread_mutex_unlock(&mutex);
	return n;
}

static int sync_watched(int fd, int (*sync)(int))
{
	struct inode inode;
	bool watched;
	int r, error;

	if (dead) {
		errno = EIO;
		return -1;
	}
	watched = identify(fd, &inode);
	if (watched)
		check_trust(inode, fd, "a sync");
	r = sync(fd);
	error = errno;
	if (watched && (r == 0 || error != EINTR)) {
		end_pending(&inode, r < 0);
		if (r < 0)
			distrust(inode);
	}
	errno = error;
	return r;
}

static int m_fsync(int fd)
{
	int r;

	pthread_mutex_lock(&mutex);
	r = sync_watched(fd, below->fsync);
	pthread_mutex_unlock(&mutex);
	return r;
}

static int m_fdatasync(int fd)
{
	int r;

	pthread_mutex_lock(&mutex);
	r = sync_watched(fd, below->fdatasync);
	pthread_mutex_unlock(&mutex);
	return r;
}

/* Names: safe at once, but nothing comes after the end. */
static bool is_dead(void)
{
	bool is;

	pthread_mutex_lock(&mutex);
	is = dead;
	pthread_mutex_unlock(&mutex);
	errno = is ? EIO : errno;
	return is;
}

static int m_mkdirat(int dir, const char *name, mode_t mode)
{
	return is_dead() ? -1 : below->mkdirat(dir, name, mode);
}

static int m_unlinkat(int dir, const char *name, int flags)
{
	return is_dead() ? -1 : below->unlinkat(dir, name, flags);
}

static int m_renameat2(int from_dir, const char *from, int to_dir, const char *to, unsigned flags)
{
	return is_dead() ? -1 : below->renameat2(from_dir, from, to_dir, to, flags);
}

/* ---- from outside ---- */

void medium_begin(const struct files *table)
{
	below = table;
	files_medium = *table;
	files_medium.openat = m_openat;
	files_medium.pwrite = m_pwrite;
	files_medium.fsync = m_fsync;
	files_medium.fdatasync = m_fdatasync;
	files_medium.mkdirat = m_mkdirat;
	files_medium.unlinkat = m_unlinkat;
	files_medium.renameat2 = m_renameat2;
	notes = mmap(NULL, sizeof *notes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (notes == MAP_FAILED)
		abort();
}

void medium_settle(void)
{
	pthread_mutex_lock(&mutex);
	end_pending(NULL, false);
	pthread_mutex_unlock(&mutex);
}

void medium_cut_power(void)
{
	pthread_mutex_lock(&mutex);
	dead = true;
	end_pending(NULL, true);
	pthread_mutex_unlock(&mutex);
}

const char *medium_complaint(void)
{
	return notes->complaint;
}
