/* store_kit.h - a started store on one kind of backend, in a directory of its own, and short words for changes. */
#ifndef UNIT_STORE_KIT_H
#define UNIT_STORE_KIT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/fsx.h"
#include "container/change.h"
#include "store/store.h"
#include "unit.h"

/* A kind of backend. */
struct kit {
	const char *name;
	bool keeps; /* what it holds is still there after a restart */
	struct backend *(*open)(const char *root);
};
extern const struct kit kit_memory, kit_disk;

/* What the disk's file calls go through: the system's own unless a test puts faults there before it starts a rig. */
extern const struct files *kit_files;

struct rig {
	const struct kit *kit;
	char *root; /* owned */
	struct store *store;
};

/* A fresh directory and a started store on it; close also removes the directory. */
void rig_open(struct rig *, const struct kit *);
void rig_close(struct rig *);

/* Load and start, and stop, the store alone. */
void rig_start(struct rig *);
void rig_stop(struct rig *);
void rig_restart(struct rig *);

/* Load alone: reads work, and nothing may be written yet.  rig_stop ends it. */
void rig_load(struct rig *);

/* Wait for something that another thread will do. */
void rig_wait(struct rig *, bool (*is_so)(struct rig *));
bool rig_is_checkpointed(struct rig *); /* nothing waits, and something was written */
bool rig_has_failed(struct rig *);      /* a checkpoint could not be written */
bool rig_is_writable(struct rig *);

/* Start, work and die without a word in a process of its own: what kill -9 leaves behind.  The rig must be stopped. */
void rig_killed(struct rig *, void (*work)(struct rig *));

/* ---- changes ---- */

struct change kit_change(enum change_kind, const char *id);
struct change kit_create(const char *id, unsigned given, struct status);
struct change kit_patch(const char *id, unsigned given, struct status);
struct change kit_delete(const char *id);

/* Make the change and wait; how it ended. */
enum change_end rig_do(struct rig *, struct change);

/* The same, and fails unless it ended so; the revision of the container it ended with, 0 = none. */
uint64_t rig_expect(struct rig *, struct change, enum change_end);

/* ---- reading ---- */

/* Fails unless the container is there with this status; its revision. */
uint64_t rig_expect_status(struct rig *, const char *id, struct status);
void rig_expect_absent(struct rig *, const char *id);

/* All ids in their order, separated by blanks; the caller frees them. */
char *rig_ids(struct rig *);
void rig_expect_ids(struct rig *, const char *ids);

/* How <ref> is found, and whose id it is; "" expects none. */
void rig_expect_found(struct rig *, const char *ref, enum store_find, const char *id);

/* Ambiguous, with exactly these candidates, separated by blanks. */
void rig_expect_candidates(struct rig *, const char *ref, const char *ids);

#endif
