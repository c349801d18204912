/* frame.h - the journal's bytes: segment headers, frames and records.  Pure: bytes in, values out, no I/O.
 *
 * A segment is block 0 with the segment header, then frames.  A frame is one group commit: a 64-byte header, records,
 * zeros up to the next block; it starts and ends on a block, so that no acknowledged byte is ever written again.
 * Integers are little-endian, put and taken byte by byte; nothing here casts a struct over bytes.  All of it can be
 * fed with anything: what does not check out is -EBADMSG, and nothing is read beyond what was given. */
#ifndef PERSIST_FRAME_H
#define PERSIST_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/compiler.h"
#include "base/err.h"
#include "container/container.h"

enum {
	FRAME_BLOCK = 4096,
	FRAME_HEADER = 64,
	RECORD_HEADER = 40,
	STORE_ID = 16, /* bytes of a store's id */
	FRAME_PAYLOAD_MAX = 64 * 1024 * 1024,
};

/* ---- segments ---- */

struct segment_header {
	uint64_t segno;
	uint64_t base_seq;      /* frames of this seq or above in any older segment are void: the fence */
	uint64_t base_revision; /* no revision up to this one will ever be given out again */
	uint64_t size;          /* of the file */
	uint8_t store_id[STORE_ID];
};

void segment_header_encode(const struct segment_header *, uint8_t ret_block[static FRAME_BLOCK]);

/* 0, or -EBADMSG with a text that says what is wrong. */
must_check int segment_header_decode(const uint8_t block[static FRAME_BLOCK], struct segment_header *ret, struct err *);

/* ---- frames ---- */

enum frame_flags {
	FRAME_SEAL = 1,  /* empty: only proves that the frame before it was durable */
	FRAME_CLEAN = 2, /* empty: the process ended in order behind it */
	FRAME_COPY = 4,  /* taken over from an older segment */
};

struct frame {
	uint64_t seq;           /* +1 per frame, for ever */
	uint64_t segno;
	uint64_t base_revision; /* newest revision before the first record */
	uint64_t durable_seq;   /* newest frame known durable when this one was written */
	uint32_t payload_len, records;
	uint32_t flags;
};

/* Bytes a frame takes in its segment. */
static inline size_t frame_room(size_t payload_len)
{
	return (FRAME_HEADER + payload_len + FRAME_BLOCK - 1) / FRAME_BLOCK * FRAME_BLOCK;
}

/* Write the header over the first 64 bytes of <at>, behind which the payload stands already; the checksum covers both. */
void frame_encode(const struct frame *, uint8_t *at);

/* Decode what stands at <at>, <room> bytes of which may be looked at.  The payload is at + FRAME_HEADER.  0, or
 * -EBADMSG: no frame, or one whose checksum does not match. */
must_check int frame_decode(const uint8_t *at, size_t room, struct frame *ret);

/* ---- records ---- */

enum record_type { RECORD_CREATE = 1, RECORD_STATUS = 2, RECORD_DELETE = 3, RECORD_DAMAGE = 4 };

enum record_flags {
	RECORD_ADOPTED = 1,   /* a creation: the directory came from containerd, its status file is not ours yet */
	RECORD_TRANSIENT = 2, /* a flag that is in no checkpoint was set at this revision */
};

struct record {
	uint8_t type, flags;
	struct slice id;       /* by the pattern of id.h */
	struct slice metadata; /* creations: the bytes of the checkpoint file */
	struct slice status;   /* all but deletions: the same */
	uint64_t revision;
	uint64_t prev_revision; /* the container's before; 0 = there was none */
	int64_t time_ns;        /* real time of the change */
};

/* Append a record whose metadata and status bytes the caller has not appended yet: begin, append the metadata bytes,
 * call record_middle, append the status bytes, end.  Errors stay in the buffer. */
struct record_mark {
	size_t start, middle;
};
struct record_mark record_begin(struct buf *, const struct record *head);
void record_middle(struct buf *, struct record_mark *);
must_check int record_end(struct buf *, const struct record_mark *);

/* The next record of a payload; *at is where to look and moves on.  1, 0 at the end, or -EBADMSG. */
must_check int record_next(struct slice payload, size_t *at, struct record *ret);

#endif
