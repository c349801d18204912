/* checkpoint_file.h - the files of one container: written, set aside, removed.
 *
 *   containers/<id>/status     containerd's format, our members behind it
 *   containers/<id>/metadata   the same for what never changes
 *
 * Each is written under a temporary name, synced and renamed; then the container's directory is synced.  What happens
 * to containers/ itself (a directory made or removed) is durable only after the caller has synced that. */
#ifndef PERSIST_CHECKPOINT_FILE_H
#define PERSIST_CHECKPOINT_FILE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/compiler.h"
#include "base/err.h"
#include "base/fsx.h"
#include "container/container.h"

#define STATUS_NAME "status"
#define METADATA_NAME "metadata"

/* What is to be done for a container. */
enum {
	TODO_STATUS = 1 << 0,
	TODO_METADATA = 1 << 1,
	TODO_BOTH = TODO_STATUS | TODO_METADATA,
	TODO_DELETE = 1 << 2,             /* excludes the two above */
	TODO_SET_STATUS_ASIDE = 1 << 3,   /* the file that is there is damage: keep it under another name */
	TODO_SET_METADATA_ASIDE = 1 << 4,
	TODO_REDO = 1 << 5,  /* a directory was made or removed, and nobody can say whether durably: do that again */
	TODO_SWEEP = 1 << 6, /* containerd's temporary files may lie there */
};

struct checkpoint_place {
	const struct files *files;
	int containers; /* borrowed */
};

/* Do <todo> for the newest snapshot <c>; bits that must not be done twice are taken out as they are done.  <now_ns>:
 * real time, for names.  <scratch>: a buffer to encode in.  *ret_parent, written in any case: containers/ has changed
 * and must be synced.  0, or a fault: then the rest is to be done again. */
must_check int checkpoint_file_write(const struct checkpoint_place *, const struct container *c, unsigned *todo,
				     int64_t now_ns, struct buf *scratch, bool *ret_parent, struct err *);

/* containerd's and our own temporary files; never anything else. */
bool checkpoint_file_is_temporary(const char *name);

#endif
