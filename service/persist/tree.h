/* tree.h - the containers as their own files tell them: containers/<id>/{metadata,status}, read by several threads.
 * Reads only.
 *
 * Only directories with a legal name are containers; files, links and other names are counted and left alone.  A file
 * that cannot be used makes its container no less a container: what is known of it is kept, and recovery decides. */
#ifndef PERSIST_TREE_H
#define PERSIST_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/compiler.h"
#include "base/err.h"
#include "base/fsx.h"
#include "container/container.h"
#include "persist/frame.h"

enum tree_file {
	FILE_MISSING,
	FILE_GOOD,
	FILE_FOREIGN,    /* containerd's own: without our members */
	FILE_DAMAGED,    /* there, and not what it should be */
	FILE_UNREADABLE, /* the disk does not give it */
};

/* One container, from its files and then from the journal. */
struct tree_entry {
	const char *id; /* in the tree's arena */
	uint64_t hash;  /* id_hash */
	bool directory; /* containers/<id> is there */
	uint8_t status, metadata; /* enum tree_file */
	bool mismatch;            /* both files are good, but of different creations */
	bool transient;           /* its stamp tells of a flag that is in no file */
	uint64_t revision;        /* of a status that can be used; 0 = there is none */
	uint64_t created;
	struct metadata *meta;       /* owned; NULL = cannot be used */
	struct container *container; /* owned; what the files tell, or what stands for it; NULL = not yet built */
	/* From the journal: */
	struct slice record_metadata, record_status; /* newest, owned copies (malloc); .at NULL = none */
	uint64_t first_record; /* revision of the oldest record about it; 0 = none */
	bool deleted;          /* the newest record is a deletion */
	bool replayed;         /* the newest record is newer than the files */
	bool adopted_only;     /* nothing but its adoption was recorded: the status file is still containerd's */
	bool recreated;        /* a creation was recorded, not an adoption */
	int fault;             /* of a worker */
};

struct tree {
	const struct files *files;
	int containers;             /* borrowed; -1: there is none */
	struct tree_entry *entries; /* owned */
	size_t count, room;
	uint64_t ignored;           /* what lies there and is no container */
	struct arena names;
};

/* List and read.  <progress> is called from this thread now and then; may be NULL.  0, or a fault of the directory
 * itself; containers are never the fault. */
must_check int tree_load(struct tree *, const struct files *, int containers, void (*progress)(void *cls, size_t done, size_t total),
			 void *cls, struct err *);
void tree_free(struct tree *);

/* Add an entry for an id that has no directory.  NULL when memory runs out; earlier entries may move. */
must_check struct tree_entry *tree_add(struct tree *, const char *id, size_t len);

/* Call <fn> for every entry, from several threads; one at a time touches an entry.  0, or the fault of one. */
struct tree_worker {
	struct arena arena; /* reset between entries */
	struct buf file;
	const struct tree *tree;
};
typedef int tree_work(struct tree_worker *, struct tree_entry *);
must_check int tree_each(struct tree *, tree_work *fn, void (*progress)(void *cls, size_t done, size_t total), void *cls);

/* Build what stands for a container whose status cannot be used; <why> goes into its message. */
must_check int tree_build_damaged(struct tree_worker *, struct tree_entry *, const char *why);

#endif
