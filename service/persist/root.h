/* root.h - the root directory: one process at a time, what it is, and the directories in it.
 *
 *   root_open -> (load) -> root_make when root->made is false -> root_close
 *
 * Opening makes the directory itself and its lock file when they are missing, and nothing else: a tree that is only
 * looked at stays as it is.
 *
 * Invariants
 * 1. Between root_open and root_close no other process that keeps to the lock has this root: the file `lock` and the
 *    root directory itself are locked with flock.  The second lock closes the hole of a deleted lock file.
 * 2. VERSION is the last file made of a new root: with it, MANIFEST and a first segment exist.  Without it nothing was
 *    ever acknowledged here. */
#ifndef PERSIST_ROOT_H
#define PERSIST_ROOT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/err.h"
#include "base/fsx.h"
#include "persist/frame.h"

struct root {
	const struct files *files;
	int fd;                      /* the root; -1 = not open, as for all below */
	int lock_fd;
	int containers, journal;     /* -1: not there yet */
	bool made;                   /* VERSION is there: the journal rules */
	uint8_t store_id[STORE_ID];  /* of VERSION; fresh random bytes when there is none */
	const char *warning;         /* static text about the file system; NULL = none */
};

/* 0; -EBUSY with the other process's number in the text; DISK_E_FORMAT when VERSION is not known or damaged;
 * another fault.  On failure nothing is held. */
must_check int root_open(const struct files *, const char *path, struct root *ret, struct err *);

/* Make the missing directories of a new or adopted root, durably.  May be repeated. */
must_check int root_make_directories(struct root *, struct err *);

/* Write VERSION, last of all.  0: root->made. */
must_check int root_make_version(struct root *, struct err *);

/* Unlock and close; a root that was never opened must be ROOT_NONE. */
void root_close(struct root *);
#define ROOT_NONE { .fd = -1, .lock_fd = -1, .containers = -1, .journal = -1 }

/* 0, or why segments of this size cannot be written by this process (RLIMIT_FSIZE). */
must_check int root_check_limits(uint64_t segment_bytes, struct err *);

#endif
