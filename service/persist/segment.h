/* segment.h - the files a journal consists of: how one is made, begun and named.
 *
 * A segment is written full of zeros and synced before its first use, so that committing allocates nothing: on a file
 * system that overwrites in place a commit cannot meet a full disk, and fdatasync has no metadata to write. */
#ifndef PERSIST_SEGMENT_H
#define PERSIST_SEGMENT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/err.h"
#include "base/fsx.h"
#include "persist/frame.h"

#define SEGMENT_SPARE ".spare"     /* the next one, zero-written */
#define SEGMENT_NEW ".new"         /* being built */
#define SEGMENT_RESERVE ".reserve" /* for deletions when the disk is full */

enum { SEGMENT_NAME = 16 };

/* 16 hex digits, and back; 0 when the name is no segment's. */
void segment_name(uint64_t segno, char ret_name[static SEGMENT_NAME + 1]);
uint64_t segment_number(const char *name);

/* Make <name> a zero-written file of <size> bytes, durable.  A file of that size which is there is written over, any
 * other is replaced.  On failure no file is left, as far as the disk allows. */
must_check int segment_make(const struct files *, int dir, const char *name, uint64_t size, struct err *);

/* Turn the zero-written file <from> into the segment of this header, with <copies> behind the header block, durable
 * under its number: the rename and the sync of the directory are the moment it counts.  The descriptor for writing,
 * or a fault: then neither name is left, as far as the disk allows, and the number can be used again.  *ret_doubtful,
 * written in any case: after a crash the segment may be found although this failed, so that no older segment may be
 * written any more. */
must_check int segment_begin(const struct files *, int dir, const char *from, const struct segment_header *,
			     struct slice copies, bool *ret_doubtful, struct err *);

/* Size of the zero-written file <name>; 0 when it is not there or no regular file. */
uint64_t segment_size(const struct files *, int dir, const char *name);

#endif
