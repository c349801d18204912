/* disk_backend.h - containers kept in a root directory: a journal that makes changes durable, checkpoints that make
 * them readable, and the recovery that brings both together.
 *
 * A change that was committed survives kill -9, a kernel crash and a power cut; one that was refused with a fault is
 * wholly absent.  Loading never writes.  See DESIGN.md for the layout and its invariants. */
#ifndef PERSIST_DISK_BACKEND_H
#define PERSIST_DISK_BACKEND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/compiler.h"
#include "base/err.h"
#include "base/fsx.h"
#include "store/backend.h"

struct disk_options {
	const char *root;          /* made when it is not there (0700) */
	const struct files *files; /* every file call goes through it; &files_system */
	const struct clock *clock;
	uint64_t segment_bytes;    /* 0 = 16 MiB */
	uint64_t journal_cap;      /* not yet checkpointed; 0 = 256 MiB */
	bool salvage;              /* go on over damage that would otherwise refuse the start */
	/* Told what a person should know; from any of the backend's threads.  May be NULL. */
	void (*report)(void *cls, const struct err *);
	void *report_cls;
};

/* Lock the root (made when missing) and get ready to load.  0, or a fault: -EBUSY when another process holds it. */
must_check int disk_backend_new(const struct disk_options *, struct backend **ret, struct err *);

/* Why a start is refused, as load's fault code: what the journal held and had acknowledged cannot be read (exit
 * status 3), or the root is of a format that is not known (exit status 4). */
enum { DISK_E_DAMAGED = -1001, DISK_E_FORMAT = -1002 };

#endif
