/* replay.h - bring the journal's records over the containers that were loaded from their files.
 *
 * Reads only.  A record counts when it is newer than what its container's files hold; since the journal lets go of its
 * oldest segments alone, whatever of a container is recorded ends in its newest state. */
#ifndef PERSIST_REPLAY_H
#define PERSIST_REPLAY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/compiler.h"
#include "base/err.h"
#include "persist/journal.h"
#include "persist/scan.h"
#include "persist/tree.h"

enum { CAP_COPIES = 256 * 1024 * 1024 };

struct replay {
	const struct scan *scan;
	struct tree *tree;
	bool salvage;
	uint32_t *slots; /* owned; place in the tree + 1, open addressing by hash */
	size_t slot_count;
	struct live live;         /* of the ids that should live, as MANIFEST and the records tell */
	struct live proven_live;  /* the same right behind the last frame that is proven durable */
	uint64_t revision;        /* newest revision told by frames, headers and MANIFEST */
	struct kept_segment *kept; /* owned; the scan's segments as the journal wants them */
	struct buf copies;        /* frames above the proven ones */
	uint64_t copies_seq;
};

/* 0; DISK_E_DAMAGED; another fault.  replay_free in any case. */
must_check int replay_run(struct replay *, const struct scan *, struct tree *, bool salvage, struct err *);
void replay_free(struct replay *);

#endif
