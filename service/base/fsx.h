/* fsx.h - every file call of the program, behind one table, and the few habits built on it.
 *
 * The table is what tests put faults under.  Names are relative to directory descriptors; nothing follows a symbolic
 * link.  All helpers return 0 or a count, or a negative errno; EINTR and short transfers are dealt with here. */
#ifndef BASE_FSX_H
#define BASE_FSX_H

#include <dirent.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/compiler.h"

/* As the system calls of these names: -1 and errno. */
struct files {
	int (*openat)(int dir, const char *name, int flags, mode_t mode);
	int (*close)(int fd);
	ssize_t (*pread)(int fd, void *to, size_t len, off_t at);
	ssize_t (*pwrite)(int fd, const void *from, size_t len, off_t at);
	int (*fsync)(int fd);
	int (*fdatasync)(int fd);
	int (*fstat)(int fd, struct stat *ret);
	int (*fstatat)(int dir, const char *name, struct stat *ret, int flags);
	int (*fchmod)(int fd, mode_t mode);
	int (*fchmodat)(int dir, const char *name, mode_t mode, int flags);
	int (*mkdirat)(int dir, const char *name, mode_t mode);
	int (*unlinkat)(int dir, const char *name, int flags);
	int (*renameat2)(int from_dir, const char *from, int to_dir, const char *to, unsigned flags);
	int (*flock)(int fd, int how);
	DIR *(*fdopendir)(int fd); /* takes the descriptor */
	struct dirent *(*readdir)(DIR *);
	int (*closedir)(DIR *);
};

extern const struct files files_system;

/* Open with O_CLOEXEC | O_NOFOLLOW added; a descriptor, or a negative errno. */
must_check int fsx_open(const struct files *, int dir, const char *name, int flags, mode_t mode);

/* Write or read all of it.  A read that meets the end first is -ENODATA; a write of nothing is -EIO. */
must_check int fsx_pwrite_all(const struct files *, int fd, const void *from, size_t len, off_t at);
must_check int fsx_pread_all(const struct files *, int fd, void *to, size_t len, off_t at);

/* The whole of a small regular file, appended to <to>; -EMSGSIZE beyond its cap, -EINVAL when it is no regular file. */
must_check int fsx_read_file(const struct files *, int dir, const char *name, struct buf *to);

/* Replace <name> in <dir> by these bytes through the temporary name <tmp>, mode 0600 whatever the umask: written, synced, renamed.  The rename is NOT
 * durable before the directory is synced, which is the caller's to do (one sync may serve many).  On failure the old
 * file is untouched and no temporary file is left, as far as the disk allows. */
must_check int fsx_replace(const struct files *, int dir, const char *tmp, const char *name, const void *from, size_t len);

/* fsync and fdatasync with EINTR repeated.  After any other failure the file is never to be synced or trusted again:
 * the kernel has marked the pages clean. */
must_check int fsx_sync(const struct files *, int fd);
must_check int fsx_sync_data(const struct files *, int fd);

/* close; never tried again, since the descriptor is gone in any case. */
int fsx_close(const struct files *, int fd);

/* mkdir 0700 whatever the umask; 1 when it was there already. */
must_check int fsx_mkdir(const struct files *, int dir, const char *name);

/* Write <len> zero bytes from <at> on. */
must_check int fsx_write_zeros(const struct files *, int fd, uint64_t len, off_t at);

#endif
