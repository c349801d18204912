/* manifest.h - what the journal should consist of, so that a missing piece is noticed.
 *
 * ROOT/journal/MANIFEST is one JSON line, replaced atomically.  Written by the checkpointer alone (and once when a
 * root is made): after a rotation, before a segment is unlinked, at a clean stop. */
#ifndef PERSIST_MANIFEST_H
#define PERSIST_MANIFEST_H

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/err.h"
#include "base/fsx.h"
#include "persist/frame.h"

#define MANIFEST_NAME "MANIFEST"

/* Which ids live: their number and the XOR of their id_hash.  Adding and taking away are the same for the XOR, so that
 * creations and deletions can be applied in any order. */
struct live {
	uint64_t count, xor;
};

static inline void live_add(struct live *l, uint64_t hash)
{
	l->count++;
	l->xor ^= hash;
}

static inline void live_drop(struct live *l, uint64_t hash)
{
	l->count--;
	l->xor ^= hash;
}

struct manifest {
	uint8_t store_id[STORE_ID];
	uint64_t first_segment, last_segment; /* all of these exist; lower numbers are left over */
	uint64_t durable_seq;                 /* frames up to this one were durable */
	uint64_t checkpointed_seq;            /* everything up to this frame is in checkpoint files */
	uint64_t revision;                    /* newest given out */
	struct live live;                     /* right behind checkpointed_seq */
	bool clean;
};

/* 0; -ENOENT; -EBADMSG with what is wrong; another fault. */
must_check int manifest_read(const struct files *, int journal_dir, struct manifest *ret, struct err *);

/* Replace it, and sync the directory.  0, or a fault: then either one may be found after a crash. */
must_check int manifest_write(const struct files *, int journal_dir, const struct manifest *, struct err *);

/* From bytes alone, for manifest_read and fuzzers. */
must_check int manifest_decode(struct slice file, struct manifest *ret, struct err *);

/* 32 lower-case hex digits and back; the latter -EBADMSG for anything else. */
void store_id_to_text(const uint8_t id[static STORE_ID], char ret_text[static 2 * STORE_ID + 1]);
must_check int store_id_from_text(const char *text, uint8_t ret_id[static STORE_ID]);

#endif
