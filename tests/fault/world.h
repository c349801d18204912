/* world.h - a store on a root directory, and what must be in it: everything that was answered, nothing that was refused.
 *
 * The model lies in memory common to a process and those forked from it, so that it outlives a killed one.  Whatever
 * contradicts it ends the process with exit status 1, after world_wrong has noted what it was. */
#ifndef FAULT_WORLD_H
#define FAULT_WORLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/err.h"
#include "base/fsx.h"
#include "container/change.h"
#include "container/status.h"
#include "store/store.h"

enum { WORLD_IDS = 6, WORLD_VERSIONS = 1000, WORLD_ALSO = 64, WORLD_TEXT = 400 };

/* What a container was asked to be. */
struct world_version {
	struct status status; /* texts: static, or <message> */
	bool nameless;        /* loading found its metadata damaged: what is left of them is the id */
	char message[WORLD_TEXT];
};

/* What is known of one container; versions are places in the table, 0 = there is none. */
struct world_box {
	int newest;            /* acknowledged: what readers see */
	uint64_t revision;     /* newest seen of it */
	int also[WORLD_ALSO];  /* what the next start may find instead: outcome unknown */
	size_t also_count;
	int before[WORLD_ALSO]; /* what a power cut may bring back: answers after the newest durable one are sync=false */
	size_t before_count;
};

struct world_model {
	struct world_version versions[WORLD_VERSIONS];
	int version_count;
	struct world_box boxes[WORLD_IDS];
	uint64_t revision; /* newest ever seen */
	uint64_t shown;    /* the store's, as it stands */
	bool lost;         /* a power cut took answers with sync=false along: what the next start shows may be older */
	bool shaky;        /* a start found damage: see the known limits about its revisions */
	uint64_t answered, refused, unknown, refused_starts;
};

struct world {
	const char *root;
	const struct files *files;
	bool reads_may_fail; /* a fault lies under reading: what it hits may be shown as damaged */
	bool lists;          /* compare lists too (they need memory) */
	char *wrong;         /* common; where world_wrong notes what it was */
	size_t wrong_room;
	struct world_model *model; /* common */
	struct store *store;       /* NULL = not open */
};

/* An empty world on <root>, its model common to this process and those that it forks. */
void world_begin(struct world *, const char *root);

/* Note what is wrong and end the process. */
__attribute__((noreturn)) printf_like(2, 3) void world_wrong(struct world *, const char *fmt, ...);

/* Open the root, load it, compare it with the model, start.  0, or the fault that it was refused with. */
must_check int world_open(struct world *, struct err *);

/* The power was cut before: what was answered as sync=false may be missing. */
void world_allow_losses(struct world *);

/* Steps. */
enum world_step {
	WORLD_NEXT,    /* create it, start it, report its exit, start it again: whatever comes next */
	WORLD_RELAXED, /* the same with sync=false */
	WORLD_FLAG,    /* an exited one: removing */
	WORLD_DELETE,  /* with force */
};
/* One change of container <id>; its answer is checked and noted, then all readers' views. */
enum change_end world_step(struct world *, int id, enum world_step);

/* Every reader sees what the model says. */
void world_look(struct world *);

/* Give the checkpointer some time to write all files, and the committer to prove its journal's end. */
void world_settle(struct world *);

/* Writes are taken again within the time that the service promises for it. */
void world_expect_healing(struct world *);

/* A clean stop. */
void world_close(struct world *);

#endif
