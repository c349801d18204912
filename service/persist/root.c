#include "persist/root.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/vfs.h>

#include "container/codec.h"
#include "persist/disk_backend.h"
#include "persist/manifest.h"

#define LOCK_NAME "lock"
#define VERSION_NAME "VERSION"
enum { VERSION_FORMAT = 1, CAP_VERSION = 4096, LOCK_TRIES = 100 };

#ifndef FS_CASEFOLD_FL
#define FS_CASEFOLD_FL 0x40000000
#endif

/* ---- the lock ---- */

static int busy(const struct files *files, int fd, struct err *err)
{
	char pid[16] = "";
	ssize_t n = fd < 0 ? 0 : files->pread(fd, pid, sizeof pid - 1, 0);

	pid[n > 0 ? n : 0] = '\0';
	pid[strcspn(pid, "\n")] = '\0';
	return err_say(err, -EBUSY, "the root is in use by process %s", pid[0] ? pid + strspn(pid, " ") : "(unknown)");
}

/* The file as good as it can be had: a full or read-only disk must not keep anybody from reading. */
static int open_lock_file(const struct root *root)
{
	int fd = fsx_open(root->files, root->fd, LOCK_NAME, O_RDWR | O_CREAT, 0600);

	if (fd == -EROFS || fd == -EACCES || fd == -ENOSPC || fd == -EDQUOT)
		fd = fsx_open(root->files, root->fd, LOCK_NAME, O_RDONLY, 0);
	return fd;
}

/* The file we locked may have been replaced before we got the lock. */
static bool is_still_there(const struct root *root, int fd)
{
	struct stat held, there;

	if (root->files->fstat(fd, &held) < 0 || root->files->fstatat(root->fd, LOCK_NAME, &there, AT_SYMLINK_NOFOLLOW) < 0)
		return false;
	return held.st_dev == there.st_dev && held.st_ino == there.st_ino;
}

static int lock_one(const struct files *files, int fd)
{
	int r;

	do
		r = files->flock(fd, LOCK_EX | LOCK_NB);
	while (r < 0 && errno == EINTR);
	return r < 0 ? -errno : 0;
}

/* 1: locked; 0: the file was replaced meanwhile; or a fault. */
static int try_lock_file(struct root *root, struct err *err)
{
	int fd = open_lock_file(root), r;

	if (fd == -ENOENT || fd == -ENOSPC || fd == -EDQUOT || fd == -EROFS)
		return 1; /* none can be made: the lock on the directory alone counts */
	if (fd < 0)
		return err_set(err, fd, "open the root's lock file");
	r = lock_one(root->files, fd);
	if (r == -EWOULDBLOCK)
		r = busy(root->files, fd, err);
	else if (r < 0)
		r = err_set(err, r, "lock the root's lock file");
	else
		r = is_still_there(root, fd);
	if (r == 1)
		root->lock_fd = fd;
	else
		(void)fsx_close(root->files, fd);
	return r;
}

static int lock_root(struct root *root, struct err *err)
{
	char pid[16];
	int r = 0, n;

	for (int tries = 0; r == 0 && tries < LOCK_TRIES; tries++)
		r = try_lock_file(root, err);
	if (r == 0)
		return err_set(err, -EAGAIN, "lock the root's lock file, which somebody keeps replacing");
	if (r < 0)
		return r;
	r = lock_one(root->files, root->fd);
	if (r == -EWOULDBLOCK)
		return busy(root->files, root->lock_fd, err);
	/* Network file systems cannot lock a directory; then the file must do. */
	if (r < 0 && (r != -EBADF || root->lock_fd < 0))
		return err_set(err, r, "lock the root directory");
	n = snprintf(pid, sizeof pid, "%10ld\n", (long)getpid());
	if (root->lock_fd >= 0)
		(void)root->files->pwrite(root->lock_fd, pid, (size_t)n, 0); /* for people: best effort */
	return 0;
}

/* ---- VERSION ---- */

struct version_file {
	uint32_t format;
	const char *store_id;
};

static const struct field version_fields[] = {
	FIELD(U32,  struct version_file, format,   NULL, "Format",  0),
	FIELD(TEXT, struct version_file, store_id, NULL, "StoreId", 0),
};

static int take_version(struct root *root, struct slice file, struct err *err)
{
	struct version_file v = { .store_id = "" };
	auto_arena struct arena arena = ARENA;

	if (codec_flat_from_disk(file, &arena, version_fields, COUNT(version_fields), &v, err) < 0) {
		(void)err_wrap(err, "VERSION is damaged");
		return err->code = DISK_E_FORMAT;
	}
	if (v.format != VERSION_FORMAT)
		return err_say(err, DISK_E_FORMAT, "the root has format %u; this program knows format %d", (unsigned)v.format,
			       (int)VERSION_FORMAT);
	if (store_id_from_text(v.store_id, root->store_id) < 0)
		return err_say(err, DISK_E_FORMAT, "VERSION is damaged: StoreId is malformed");
	root->made = true;
	return 0;
}

static int read_version(struct root *root, struct err *err)
{
	auto_buf struct buf b = BUF(CAP_VERSION);
	int r = fsx_read_file(root->files, root->fd, VERSION_NAME, &b);

	if (r == 0)
		return take_version(root, (struct slice){ b.at, b.len }, err);
	if (r == -EMSGSIZE || r == -EINVAL)
		return err_say(err, DISK_E_FORMAT, "VERSION is no small regular file");
	if (r != -ENOENT)
		return err_set(err, r, "read VERSION");
	if (getrandom(root->store_id, STORE_ID, 0) != STORE_ID)
		return err_set(err, -EIO, "get random bytes for a store id");
	return 0;
}

int root_make_version(struct root *root, struct err *err)
{
	auto_buf struct buf b = BUF(CAP_VERSION);
	char id[2 * STORE_ID + 1];
	const struct version_file v = { VERSION_FORMAT, id };
	int r;

	store_id_to_text(root->store_id, id);
	r = codec_flat_to_disk(&b, version_fields, COUNT(version_fields), &v);
	if (r == 0)
		r = fsx_replace(root->files, root->fd, "." VERSION_NAME ".tmp", VERSION_NAME, b.at, b.len);
	if (r == 0)
		r = fsx_sync(root->files, root->fd);
	if (r < 0)
		return err_set(err, r, "write VERSION");
	root->made = true;
	return 0;
}

/* ---- directories ---- */

/* Open a directory of the root if it is there. */
static int open_directory(const struct root *root, const char *name, int *fd, struct err *err)
{
	int r = fsx_open(root->files, root->fd, name, O_RDONLY | O_DIRECTORY, 0);

	if (r == -ENOENT)
		return 0;
	if (r < 0)
		return err_set(err, r, "open the root's directory %s", name);
	*fd = r;
	return 0;
}

/* Two ids that differ in case alone would share a directory: not a file call of the table, since it only asks. */
static int refuse_folding(const struct root *root, struct err *err)
{
	int flags = 0;

	if (root->containers >= 0 && ioctl(root->containers, FS_IOC_GETFLAGS, &flags) == 0 && (flags & FS_CASEFOLD_FL))
		return err_say(err, -EINVAL, "containers/ folds the case of names: ids would be mixed up");
	return 0;
}

static int open_directories(struct root *root, struct err *err)
{
	int r = open_directory(root, "containers", &root->containers, err);

	if (r == 0)
		r = open_directory(root, "journal", &root->journal, err);
	return r < 0 ? r : refuse_folding(root, err);
}

static int make_directory(struct root *root, const char *name, int *fd, struct err *err)
{
	int r;

	if (*fd >= 0)
		return 0;
	r = fsx_mkdir(root->files, root->fd, name);
	if (r < 0)
		return err_set(err, r, "make the root's directory %s", name);
	r = open_directory(root, name, fd, err);
	if (r == 0 && *fd < 0)
		return err_set(err, -ENOENT, "open the root's directory %s", name);
	return r;
}

/* The root's own name.  A parent that may not be opened is somebody else's, and older than this start. */
static int sync_parent(const struct root *root)
{
	int parent = fsx_open(root->files, root->fd, "..", O_RDONLY | O_DIRECTORY, 0), r;

	if (parent < 0)
		return 0;
	r = fsx_sync(root->files, parent);
	(void)fsx_close(root->files, parent);
	return r == -EINVAL ? 0 : r; /* a file system that has nothing to sync there */
}

int root_make_directories(struct root *root, struct err *err)
{
	int r = make_directory(root, "containers", &root->containers, err);

	if (r == 0)
		r = make_directory(root, "journal", &root->journal, err);
	if (r == 0)
		r = refuse_folding(root, err);
	if (r < 0)
		return r;
	r = fsx_sync(root->files, root->fd);
	if (r == 0)
		r = sync_parent(root); /* at every open: the start that made the root may have been killed before */
	return r < 0 ? err_set(err, r, "sync the root directory, and the one above") : 0;
}

/* ---- life ---- */

/* File systems that do not keep their word on fsync, or not over a restart of the machine. */
static const char *warning_of(int fd)
{
	struct statfs fs;

	if (fstatfs(fd, &fs) < 0)
		return NULL;
	switch ((unsigned long)fs.f_type) {
	case TMPFS_MAGIC:
	case RAMFS_MAGIC:
		return "the root lies in memory (tmpfs): a restart of the machine loses it";
	case OVERLAYFS_SUPER_MAGIC:
		return "the root lies on an overlay file system: use a volume";
	case NFS_SUPER_MAGIC:
	case CIFS_SUPER_MAGIC:
	case SMB2_SUPER_MAGIC:
		return "the root lies on a network file system: locking and fsync depend on the server";
	}
	return NULL;
}

static int open_root_fd(const struct files *files, const char *path, struct err *err)
{
	/* "/." lets the root be a symbolic link, which a person may well want; below it none is followed. */
	char *dot = NULL;
	int fd;

	if (asprintf(&dot, "%s/.", path) < 0)
		return err_set(err, -ENOMEM, "open the root %s", path);
	fd = fsx_open(files, AT_FDCWD, dot, O_RDONLY | O_DIRECTORY, 0);
	if (fd == -ENOENT) {
		int r = fsx_mkdir(files, AT_FDCWD, path);

		fd = r < 0 ? r : fsx_open(files, AT_FDCWD, dot, O_RDONLY | O_DIRECTORY, 0);
	}
	free(dot);
	return fd < 0 ? err_set(err, fd, "open or make the root %s", path) : fd;
}

int root_open(const struct files *files, const char *path, struct root *ret, struct err *err)
{
	struct root root = ROOT_NONE;
	int r;

	root.files = files;
	root.fd = open_root_fd(files, path, err);
	if (root.fd < 0)
		return root.fd;
	root.warning = warning_of(root.fd);
	r = lock_root(&root, err);
	if (r == 0)
		r = read_version(&root, err);
	if (r == 0)
		r = open_directories(&root, err);
	if (r < 0) {
		root_close(&root);
		return r;
	}
	*ret = root;
	return 0;
}

void root_close(struct root *root)
{
	int *const fds[] = { &root->containers, &root->journal, &root->lock_fd, &root->fd };

	/* Closing gives the locks back. */
	for (size_t i = 0; i < COUNT(fds); i++) {
		if (*fds[i] >= 0)
			(void)fsx_close(root->files, *fds[i]);
		*fds[i] = -1;
	}
}

int root_check_limits(uint64_t segment_bytes, struct err *err)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_FSIZE, &limit) < 0)
		return err_set(err, -errno, "ask for the limit of file sizes");
	if (limit.rlim_cur != RLIM_INFINITY && limit.rlim_cur < segment_bytes)
		return err_say(err, -EFBIG, "files may not grow beyond %llu bytes (RLIMIT_FSIZE), a journal segment needs %llu",
			       (unsigned long long)limit.rlim_cur, (unsigned long long)segment_bytes);
	return 0;
}
