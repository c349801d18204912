/* disk.h - a root directory driven through the backend's doors, and what should be in it.
 *
 * The model is what was acknowledged: after any crash a load must give exactly that. */
#ifndef UNIT_DISK_H
#define UNIT_DISK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/fsx.h"
#include "persist/disk_backend.h"
#include "store/backend.h"

enum { DISK_IDS = 400 };

struct disk_box {
	struct container *container; /* newest acknowledged; NULL = none */
	unsigned flags;              /* as the last load found it */
};

struct disk {
	char *root; /* owned; see disk_new */
	struct disk_options options;
	struct backend *backend; /* NULL = closed */
	struct backend_loaded loaded;
	uint64_t proposed;
	struct disk_box boxes[DISK_IDS]; /* by number; the id is disk_id(number) */
	struct err err;                  /* of the last call that failed */
	struct err reported;             /* the newest report */
	int reports;
};

/* A fresh root below TMPDIR, not opened. */
struct disk *disk_new(void);

/* Close when open, remove the root, free. */
void disk_free(struct disk *);

/* Forget the model and give back its references; the root stays. */
void disk_forget(struct disk *);

const char *disk_id(int number, char ret_id[32]);
char *disk_path(const struct disk *, const char *fmt, ...) __attribute__((format(printf, 2, 3))); /* below the root; to be freed */

/* New backend and load into the model, which is forgotten before.  0, or the fault. */
int disk_load(struct disk *);
/* disk_load, open, and what the committer does with what was found. */
int disk_start(struct disk *);
void disk_stop(struct disk *);

/* What a container looks like after its nth change: its message names number and n. */
struct status disk_status(int number, int n, char room[64]);

/* Create, update or delete; on success the model follows.  0, BACKEND_UNKNOWN as 1, or the fault. */
int disk_create(struct disk *, int number, int n, bool durable);
int disk_update(struct disk *, int number, int n, bool durable);
int disk_delete(struct disk *, int number);
int disk_change(struct disk *, enum backend_kind, int number, struct container *next, bool durable);

/* Load in another process's place: fails the test unless a fresh load gives exactly the model's containers and
 * statuses, all with revisions at or above the model's. */
void disk_expect_same(struct disk *);

/* Wait until nothing waits for checkpoints. */
void disk_settle(struct disk *);

/* Call upkeep until it wants nothing more (syncs, seals). */
void disk_upkeep(struct disk *);

#endif
