/* The disk behind store/backend.h: puts root, recovery, journal and checkpointer together. */
#include "persist/disk_backend.h"

#include <errno.h>
#include <nettle/sha2.h>
#include <stdatomic.h>
#include <string.h>

#include "base/lock.h"
#include "persist/checkpoint.h"
#include "persist/journal.h"
#include "persist/recovery.h"
#include "persist/root.h"

enum { SEGMENT_BYTES = 16 * 1024 * 1024, SEGMENT_BYTES_MIN = 64 * 1024 };
#define JOURNAL_CAP (UINT64_C(256) * 1024 * 1024)
#define CLOSE_NS (3 * NS_PER_S / 2)
#define PAUSE_NS (10 * (int64_t)NS_PER_MS)

/* What a change means for a container's files, and how it is recorded. */
static const struct kind {
	uint8_t type, flags;
	unsigned todo;
} kinds[] = {
	[BACKEND_CREATE] = { RECORD_CREATE, 0, TODO_METADATA | TODO_STATUS },
	[BACKEND_STATUS] = { RECORD_STATUS, 0, TODO_STATUS },
	[BACKEND_DELETE] = { RECORD_DELETE, 0, TODO_DELETE },
	[BACKEND_DAMAGE] = { RECORD_DAMAGE, 0, TODO_STATUS },
	[BACKEND_ADOPT] = { RECORD_CREATE, RECORD_ADOPTED, TODO_METADATA | TODO_SWEEP },
};

struct disk {
	struct backend base;
	struct disk_options options;
	struct root root;
	/* The committer's thread alone: */
	struct recovery *recovery;         /* owned; from load until open */
	struct journal *journal;           /* owned; from open */
	struct checkpointer *checkpointer; /* owned; from open */
	struct checkpoint_change *pending; /* owned references; relaxed changes that are not durable yet */
	size_t pending_count, pending_room;
	uint64_t segments_seen; /* rotations and fences the checkpointer was told of */
	bool capped;            /* the journal is at its cap, until it is below 90 % */
	/* Any thread: */
	struct recovery_figures recovered; /* written by load, before others look */
	atomic_bool opened;
};

static struct disk *disk_of(struct backend *b)
{
	return (struct disk *)(void *)b;
}

static void report(struct disk *d, const struct err *err)
{
	if (err->code && d->options.report)
		d->options.report(d->options.report_cls, err);
}

/* ---- load ---- */

/* Same root, same key: walks begun before a restart go on.  The store's id is secret enough: nobody is shown it. */
static void derive_token_key(const struct root *root, uint8_t ret[static SHA256_DIGEST_SIZE])
{
	static const char purpose[] = "tallyd continue tokens";
	struct sha256_ctx ctx;

	sha256_init(&ctx);
	sha256_update(&ctx, sizeof purpose, (const uint8_t *)purpose);
	sha256_update(&ctx, STORE_ID, root->store_id);
	sha256_digest(&ctx, SHA256_DIGEST_SIZE, ret);
}

static int disk_load(struct backend *b, const struct backend_loader *loader, struct backend_loaded *ret, struct err *err)
{
	struct disk *d = disk_of(b);
	const struct recovery_options options = {
		.root = &d->root,
		.clock = d->options.clock,
		.salvage = d->options.salvage,
		.report = d->options.report,
		.report_cls = d->options.report_cls,
	};
	int r = recovery_run(&options, loader, &d->recovery, err);

	if (r < 0)
		return r;
	d->recovered = *recovery_figures(d->recovery);
	ret->revision = recovery_revision(d->recovery);
	ret->shown = recovery_shown(d->recovery);
	derive_token_key(&d->root, ret->token_key);
	return 0;
}

/* ---- open ---- */

static int open_journal(struct disk *d, struct err *err)
{
	struct journal_options options = {
		.files = d->options.files,
		.clock = d->options.clock,
		.segment_bytes = d->options.segment_bytes,
	};
	struct journal_start start = recovery_start(d->recovery);

	if (d->journal)
		return 0;
	options.dir = d->root.journal;
	memcpy(options.store_id, d->root.store_id, STORE_ID);
	return journal_open(&options, &start, &d->journal, err);
}

/* A new root gets its MANIFEST and, last of all, VERSION: from then on the journal rules. */
static int make_root(struct disk *d, struct err *err)
{
	int r = 0;

	if (!d->root.made)
		r = journal_retire(d->journal, 0, false, err);
	return r == 0 && !d->root.made ? root_make_version(&d->root, err) : r;
}

static int add_todo(void *cls, struct container *c, unsigned todo, uint64_t first_revision, bool held)
{
	return checkpoint_add(cls, c, todo, first_revision, held);
}

static int start_checkpointer(struct disk *d, struct err *err)
{
	const struct checkpoint_options options = {
		.files = d->options.files,
		.clock = d->options.clock,
		.containers = d->root.containers,
		.journal = d->journal,
		.journal_cap = d->options.journal_cap,
		.report = d->options.report,
		.report_cls = d->options.report_cls,
	};
	struct checkpointer *cp = checkpoint_new(&options);
	int r;

	if (!cp)
		return err_set(err, -ENOMEM, "start the checkpointer");
	r = recovery_each_todo(d->recovery, add_todo, cp);
	if (r < 0)
		(void)err_set(err, r, "start the checkpointer");
	else
		r = checkpoint_start(cp, recovery_revision(d->recovery), err);
	if (r < 0) {
		checkpoint_free(cp);
		return r;
	}
	d->checkpointer = cp;
	return 0;
}

static int disk_open(struct backend *b, struct err *err)
{
	struct disk *d = disk_of(b);
	int r;

	if (!d->recovery)
		return err_say(err, -EINVAL, "nothing was loaded, or it is open already");
	r = root_make_directories(&d->root, err);
	if (r == 0)
		r = open_journal(d, err);
	if (r == 0)
		r = make_root(d, err);
	if (r == 0)
		r = start_checkpointer(d, err);
	if (r < 0)
		return r;
	recovery_free(take(d->recovery));
	atomic_store(&d->opened, true);
	return 0;
}

/* ---- commit ---- */

static int reserve_pending(struct disk *d, size_t n)
{
	size_t want = d->pending_count + n;
	struct checkpoint_change *grown;

	if (want <= d->pending_room)
		return 0;
	if (want < 2 * d->pending_room)
		want = 2 * d->pending_room;
	grown = realloc(d->pending, want * sizeof *grown);
	if (!grown)
		return -ENOMEM;
	d->pending = grown;
	d->pending_room = want;
	return 0;
}

/* What waited for a sync is durable: the checkpointer may have it. */
static void hand_over(struct disk *d)
{
	checkpoint_note(d->checkpointer, d->pending, d->pending_count, journal_revision(d->journal));
	for (size_t i = 0; i < d->pending_count; i++)
		container_unref(d->pending[i].container);
	d->pending_count = 0;
}

/* The journal tells by itself what is durable: a sync may have come sooner than asked for. */
static void hand_over_durable(struct disk *d)
{
	if (d->pending_count > 0 && journal_is_durable(d->journal))
		hand_over(d);
}

static void tell_checkpointer(struct disk *d)
{
	struct journal_figures j;

	journal_figures(d->journal, &j);
	if (j.rotations + j.fences == d->segments_seen)
		return;
	d->segments_seen = j.rotations + j.fences;
	checkpoint_kick(d->checkpointer);
}

/* More than half of what may wait for checkpoints: go slower; all of it: stop until it is clearly less. */
static int mind_the_cap(struct disk *d, struct err *err)
{
	uint64_t cap = d->options.journal_cap, half = cap / 2;
	struct journal_figures j;

	journal_figures(d->journal, &j);
	if (j.bytes >= cap)
		d->capped = true;
	else if (j.bytes < cap / 10 * 9)
		d->capped = false;
	if (d->capped)
		return err_say(err, -EAGAIN, "%llu bytes of the journal wait for checkpoints", (unsigned long long)j.bytes);
	if (j.bytes > half)
		checkpoint_wait(d->checkpointer, (int64_t)((j.bytes - half) * (uint64_t)PAUSE_NS / half));
	return 0;
}

static int add_change(struct disk *d, struct backend_change *change, int64_t now_ns)
{
	const struct kind *kind = &kinds[change->kind];
	const char *id = container_id(change->next);
	const struct record head = {
		.type = kind->type,
		.flags = kind->flags | (container_status(change->next)->removing ? RECORD_TRANSIENT : 0),
		.id = { id, strlen(id) },
		.revision = change->revision,
		.prev_revision = change->previous ? container_revision(change->previous) : 0,
		.time_ns = now_ns,
	};

	return journal_add(d->journal, &head, change->next);
}

static int add_changes(struct disk *d, struct backend_change *changes, size_t n, bool *ret_frees_space)
{
	int64_t now = clock_real(d->options.clock);
	int r = reserve_pending(d, n);

	*ret_frees_space = n > 0;
	if (r == 0)
		r = checkpoint_reserve(d->checkpointer, d->pending_count + n);
	for (size_t i = 0; i < n && r == 0; i++) {
		*ret_frees_space = *ret_frees_space && changes[i].kind == BACKEND_DELETE;
		r = add_change(d, &changes[i], now);
	}
	return r;
}

static void accept(struct disk *d, struct backend_change *changes, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		changes[i].result = BACKEND_DONE;
		d->pending[d->pending_count++] = (struct checkpoint_change){
			container_ref(changes[i].next),
			kinds[changes[i].kind].todo,
		};
	}
}

static int disk_commit(struct backend *b, struct backend_change *changes, size_t n, bool durable, struct err *err)
{
	struct disk *d = disk_of(b);
	bool frees_space;
	int r = n > 0 ? mind_the_cap(d, err) : 0;

	if (r < 0)
		return r;
	r = add_changes(d, changes, n, &frees_space);
	if (r < 0) {
		journal_drop(d->journal);
		return err_set(err, r, "encode a batch");
	}
	r = journal_commit(d->journal, durable, frees_space, err);
	if (r == JOURNAL_DONE)
		accept(d, changes, n);
	for (size_t i = 0; r == JOURNAL_UNKNOWN && i < n; i++)
		changes[i].result = BACKEND_UNKNOWN;
	if (r == JOURNAL_UNKNOWN)
		report(d, err);
	hand_over_durable(d);
	tell_checkpointer(d);
	return r < 0 ? r : 0;
}

/* ---- upkeep, figures, close ---- */

static int64_t disk_upkeep(struct backend *b, int64_t mono_ns)
{
	struct disk *d = disk_of(b);
	struct err err = { 0 };
	int64_t next;

	if (!atomic_load(&d->opened))
		return INT64_MAX;
	next = journal_upkeep(d->journal, mono_ns, &err);
	hand_over_durable(d);
	tell_checkpointer(d);
	report(d, &err);
	return next;
}

static void journal_part(struct disk *d, struct backend_figures *ret, size_t *warnings)
{
	struct checkpoint_figures c;
	struct journal_figures j;

	journal_figures(d->journal, &j);
	checkpoint_figures(d->checkpointer, &c);
	ret->fsync = journal_sync_times(d->journal);
	ret->read_only = j.broken ? "the journal cannot be written" : NULL;
	ret->journal_bytes = j.bytes;
	ret->journal_frames = j.frames;
	ret->journal_rotations = j.rotations;
	ret->journal_fences = j.fences;
	ret->slow_syncs = j.slow_syncs;
	ret->checkpoints_written = c.written;
	ret->checkpoints_failed = c.failed;
	ret->checkpoints_waiting = c.waiting;
	ret->checkpoint_lag_ns = c.lag_ns;
	if (j.full)
		ret->warnings[(*warnings)++] = "the disk is full: no journal segment can be kept ready";
}

static void disk_figures(struct backend *b, struct backend_figures *ret)
{
	struct disk *d = disk_of(b);
	size_t warnings = 0;

	*ret = (struct backend_figures){ .torn_tails = d->recovered.torn_tails, .recovery_ns = d->recovered.took_ns };
	memcpy(ret->recovered, d->recovered.counts, sizeof ret->recovered);
	if (atomic_load(&d->opened))
		journal_part(d, ret, &warnings);
	if (d->root.warning)
		ret->warnings[warnings++] = d->root.warning;
}

/* In order: settle, mark the end, bring files up to date as far as time allows, say so in MANIFEST. */
static void settle(struct disk *d)
{
	struct err err = { 0 };
	uint64_t covered;

	if (journal_finish(d->journal, &err) < 0)
		report(d, &err);
	hand_over_durable(d);
	covered = checkpoint_stop(d->checkpointer, CLOSE_NS);
	err = (struct err){ 0 };
	if (journal_retire(d->journal, d->pending_count ? 0 : covered, true, &err) < 0)
		report(d, &err);
}

static void disk_close(struct backend *b)
{
	struct disk *d = disk_of(b);

	if (atomic_load(&d->opened))
		settle(d);
	checkpoint_free(d->checkpointer);
	journal_close(d->journal);
	recovery_free(d->recovery);
	for (size_t i = 0; i < d->pending_count; i++)
		container_unref(d->pending[i].container);
	free(d->pending);
	root_close(&d->root);
	free((char *)(uintptr_t)d->options.root);
	free(d);
}

/* ---- life ---- */

static const struct backend_ops ops = {
	.name = "disk",
	.load = disk_load,
	.open = disk_open,
	.commit = disk_commit,
	.upkeep = disk_upkeep,
	.figures = disk_figures,
	.close = disk_close,
};

static int set_options(struct disk *d, const struct disk_options *options, struct err *err)
{
	d->options = *options;
	d->options.root = strdup(options->root);
	if (!d->options.root)
		return err_set(err, -ENOMEM, "open the root");
	if (d->options.segment_bytes == 0)
		d->options.segment_bytes = SEGMENT_BYTES;
	if (d->options.segment_bytes < SEGMENT_BYTES_MIN || d->options.segment_bytes % FRAME_BLOCK)
		return err_say(err, -EINVAL, "a journal segment has at least %d bytes, in steps of %d", (int)SEGMENT_BYTES_MIN,
			       (int)FRAME_BLOCK);
	if (d->options.journal_cap == 0)
		d->options.journal_cap = JOURNAL_CAP;
	return root_check_limits(d->options.segment_bytes, err);
}

int disk_backend_new(const struct disk_options *options, struct backend **ret, struct err *err)
{
	struct disk *d = calloc(1, sizeof *d);
	int r;

	if (!d)
		return err_set(err, -ENOMEM, "open the root");
	d->base.ops = &ops;
	d->root = (struct root)ROOT_NONE;
	r = set_options(d, options, err);
	if (r == 0)
		r = root_open(options->files, d->options.root, &d->root, err);
	if (r < 0) {
		free((char *)(uintptr_t)d->options.root);
		free(d);
		return r;
	}
	*ret = &d->base;
	return 0;
}
