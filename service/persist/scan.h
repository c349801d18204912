/* scan.h - what the journal on disk says: which segments there are, which frames count, and whether any are missing.
 * Reads only.
 *
 * Torn or corrupt?  P, "proven", is the largest of MANIFEST.DurableSeq, every frame's durable_seq, and every segment's
 * base_seq - 1.  A frame that is bad or missing at or below P had been acknowledged: corruption, the start is refused.
 * Above P it is the torn tail of a crash: it and all behind it are dropped.  Bad frames do not stop the search, since
 * what stands behind them may raise P.  What is at or below MANIFEST.CheckpointedSeq is in checkpoint files: nobody
 * misses it. */
#ifndef PERSIST_SCAN_H
#define PERSIST_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/err.h"
#include "base/fsx.h"
#include "persist/frame.h"
#include "persist/manifest.h"

struct scan_segment {
	uint64_t segno;
	uint64_t base_seq, base_revision, size; /* of the header; 0 when that is damaged */
	bool damaged;  /* header, length or what could be read of it */
	bool leftover; /* below MANIFEST.FirstSegment: to be removed, never read */
};

struct scan_frame {
	struct frame frame;
	size_t segment; /* place in segments */
	uint64_t at;    /* offset in its file */
};

struct scan {
	const struct files *files;
	int dir;
	struct manifest manifest; /* under salvage perhaps rebuilt */
	bool has_manifest;        /* the file's own, so that its account of the living counts */
	struct scan_segment *segments;
	size_t segment_count;
	struct scan_frame *frames; /* those that count, above CheckpointedSeq, ascending */
	size_t frame_count, frame_room;
	uint64_t proven;    /* P */
	uint64_t revision;  /* newest that headers and MANIFEST tell; records may be newer */
	uint64_t last_segno;
	bool clean;         /* the last frame is a clean end */
	bool torn;          /* a tail was dropped */
	/* Salvage: frames that had been acknowledged are missing. */
	bool lost;
	uint64_t lost_revision; /* of the last of them at most; UINT64_MAX = nobody knows */
	struct err loss;        /* what was found first */
	struct err rebuilt;     /* salvage: why MANIFEST could not be used; code 0 = it could */
};

struct scan_options {
	const struct files *files;
	int dir; /* journal/, borrowed; -1: there is none */
	const uint8_t *store_id; /* NULL: the root was never finished, and there must be no frame */
	bool salvage;
};

/* 0; DISK_E_DAMAGED; DISK_E_FORMAT when there are frames in a root without VERSION; another fault. */
must_check int scan_journal(const struct scan_options *, struct scan *ret, struct err *);
void scan_free(struct scan *);

/* Read one of the frames again; the payload is in <room> until the next call.  0, or a fault. */
must_check int scan_payload(const struct scan *, const struct scan_frame *, struct buf *room, struct slice *ret, struct err *);

#endif
