/* sealed.h - checkpoint lines of our own, read without a tree.
 *
 * At a start every container's two files are decoded, and building jansson's tree only to take it apart again was
 * more than half of the user time: 12 microseconds a container of 670 bytes, against 1.4 in this way, checksums
 * included.  Nearly all of these lines are exactly what codec_disk.c writes, and say so by their checksum.  They are
 * read here in one pass, the members in the order of the field tables, and only what is kept is copied.
 *
 * Each function answers true, or false: not canonical (canonical.h tells the form of the values; beyond it, the members
 * stand in the writer's order and spelling, and none is carried).  False is no verdict: nothing was written, and the
 * tree must be asked.
 *
 * Why this is safe: what is accepted here the tree accepts with the same values (tests/unit/test_sealed.c and
 * tests/fuzz/fuzz_sealed.c hold both ways against each other), the caller has found the checksum right, and whoever
 * doubts answers false.  A line of a newer or older version, or of a writer with a mistake, costs time, never
 * meaning. */
#ifndef CONTAINER_SEALED_H
#define CONTAINER_SEALED_H

#include "container/codec.h"

/* <body> is the line without its end: everything before `,"Crc32"`.  Nothing behind it is looked at.  The texts live in
 * the arena, as those of codec_status_from_disk and codec_metadata_from_disk do. */
must_check bool sealed_status(struct slice body, struct arena *, struct status *ret_status, struct stamp *ret_stamp);
must_check bool sealed_metadata(struct slice body, struct arena *, struct metadata_value *ret_value,
				struct stamp *ret_stamp);

#endif
