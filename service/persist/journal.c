/* Writing: batches, frames, syncs, seals, and what happens when a call fails. */
#include "persist/journal.h"

#include <errno.h>
#include <string.h>

#include "container/codec.h"
#include "container/id.h"
#include "persist/journal_internal.h"

enum { CAP_TAIL = 256 * 1024 * 1024 };
#define SLOW_SYNC_NS NS_PER_S

static int64_t now_of(const struct journal *j)
{
	return clock_mono(j->options.clock);
}

/* ---- building a batch ---- */

static struct frame *open_frame(struct journal *j)
{
	struct frame *last = j->batch_count ? &j->batch[j->batch_count - 1] : NULL;

	/* The last place takes all that is left: a frame may be larger than planned, never lost. */
	if (last && (last->payload_len < JOURNAL_FRAME_MAX || j->batch_count == BATCH_FRAMES))
		return last;
	if (last)
		(void)buf_add_zeros(&j->tail, frame_room(last->payload_len) - FRAME_HEADER - last->payload_len);
	if (buf_add_zeros(&j->tail, FRAME_HEADER) < 0)
		return NULL;
	last = &j->batch[j->batch_count++];
	*last = (struct frame){ .seq = ++j->built.seq, .base_revision = j->built.revision };
	return last;
}

static int encode_record(struct buf *b, const struct record *head, const struct container *c)
{
	struct record_mark mark = record_begin(b, head);

	if (head->type == RECORD_CREATE)
		(void)codec_metadata_to_disk(b, metadata_value(container_metadata(c)), metadata_created(container_metadata(c)));
	record_middle(b, &mark);
	if (head->type != RECORD_DELETE)
		(void)codec_checkpoint(b, c);
	return record_end(b, &mark);
}

int journal_add(struct journal *j, const struct record *head, const struct container *c)
{
	struct frame *f = open_frame(j);
	size_t start = j->tail.len;

	if (!f || encode_record(&j->tail, head, c) < 0)
		return -ENOMEM;
	f->payload_len += (uint32_t)(j->tail.len - start);
	f->records++;
	j->built.revision = head->revision;
	if (head->type == RECORD_CREATE)
		live_add(&j->built.live, id_hash(container_id(c)));
	else if (head->type == RECORD_DELETE)
		live_drop(&j->built.live, id_hash(container_id(c)));
	return 0;
}

void journal_drop(struct journal *j)
{
	j->tail.len = j->shown_len;
	j->tail.failed = 0;
	j->batch_count = 0;
	j->built = j->shown;
}

/* Pad the last frame and put the headers in front of all. */
static int close_batch(struct journal *j)
{
	const struct frame *last = &j->batch[j->batch_count - 1];

	return buf_add_zeros(&j->tail, frame_room(last->payload_len) - FRAME_HEADER - last->payload_len);
}

static void encode_headers(struct journal *j)
{
	uint8_t *at = (uint8_t *)j->tail.at + j->shown_len;

	for (size_t i = 0; i < j->batch_count; i++) {
		struct frame *f = &j->batch[i];

		f->segno = j->segno;
		f->durable_seq = j->durable.seq;
		frame_encode(f, at);
		at += frame_room(f->payload_len);
	}
}

/* ---- counting ---- */

/* Everything in the tail is durable now. */
static void count_durable(struct journal *j)
{
	j->durable = j->shown = j->built;
	buf_reset(&j->tail);
	j->shown_len = j->batch_count = 0;
	atomic_store(&j->durable_seq, j->durable.seq);
	atomic_store(&j->durable_revision, j->durable.revision);
}

/* Everything in the tail may be shown. */
static void count_shown(struct journal *j)
{
	if (j->shown_len == 0)
		j->unsynced_since_ns = now_of(j);
	j->shown = j->built;
	j->shown_len = j->tail.len;
	j->batch_count = 0;
}

/* ---- failing ---- */

/* The current file is not to be trusted any more; what was shown goes on in another one.  0, or a fault: broken. */
static int fence(struct journal *j, struct err *err)
{
	int r;

	journal_drop(j);
	if (j->fd >= 0)
		(void)fsx_close(j->options.files, j->fd);
	j->fd = -1;
	r = journal_begin_segment(j, 0, true, err);
	atomic_store(&j->broken, r < 0);
	j->mend_ns = now_of(j) + JOURNAL_RETRY_NS;
	if (r == 0)
		atomic_fetch_add(&j->fences, 1);
	return r;
}

/* A call on the current segment has failed with <fault>, told in *err: what becomes of the batch. */
static int fail_batch(struct journal *j, int fault, struct err *err)
{
	struct err second = { 0 };

	if (fence(j, &second) == 0)
		return fault;
	(void)err_wrap(err, "the journal cannot be written (%s), after", second.text);
	return JOURNAL_UNKNOWN;
}

/* ---- writing ---- */

static int sync_current(struct journal *j, struct err *err)
{
	int64_t start = now_of(j), took;
	int r = fsx_sync_data(j->options.files, j->fd);

	took = now_of(j) - start;
	histogram_add(&j->sync_ns, took);
	if (took > SLOW_SYNC_NS)
		atomic_fetch_add(&j->slow_syncs, 1);
	return r < 0 ? err_set(err, r, "sync journal segment %llx", (unsigned long long)j->segno) : 0;
}

/* Behind every batch there is room for a seal, and behind that for a CLEAN frame. */
static bool fits(const struct journal *j, size_t len, size_t behind)
{
	return j->at + len + behind <= j->size;
}

/* Write the batch, whose headers are encoded, behind what is there. */
static int write_batch(struct journal *j, bool durable, struct err *err)
{
	size_t len = j->tail.len - j->shown_len;
	int r = fsx_pwrite_all(j->options.files, j->fd, j->tail.at + j->shown_len, len, (off_t)j->at);

	if (r < 0)
		return err_set(err, r, "write journal segment %llx", (unsigned long long)j->segno);
	if (durable || j->tail.len > JOURNAL_UNSYNCED_MAX || j->built.revision - j->durable.revision > JOURNAL_GAP) {
		r = sync_current(j, err);
		durable = r == 0;
	}
	if (r < 0)
		return r;
	j->at += len;
	j->last_frame_ns = now_of(j);
	atomic_fetch_add_explicit(&j->frames, j->batch_count, memory_order_relaxed);
	journal_count_written(j, len, j->built.revision);
	if (durable)
		count_durable(j);
	else
		count_shown(j);
	return JOURNAL_DONE;
}

/* The current segment has no room for the batch (or is not for it): go on in the next.  The batch stays built. */
static int rotate(struct journal *j, size_t len, bool frees_space, struct err *err)
{
	int old = j->fd, r;

	if (j->shown_len > 0) {
		r = sync_current(j, err);
		if (r < 0)
			/* The batch itself was not written: it is absent whatever becomes of the fence. */
			return fail_batch(j, r, err) == JOURNAL_UNKNOWN ? -EROFS : r;
		/* The shown frames are durable, the batch moves to the front of the tail. */
		j->durable = j->shown;
		atomic_store(&j->durable_seq, j->durable.seq);
		atomic_store(&j->durable_revision, j->durable.revision);
		if (j->tail.len > j->shown_len)
			memmove(j->tail.at, j->tail.at + j->shown_len, j->tail.len - j->shown_len);
		j->tail.len -= j->shown_len;
		j->shown_len = 0;
	}
	r = journal_begin_segment(j, len, frees_space, err);
	if (r < 0) {
		journal_drop(j);
		return r;
	}
	(void)fsx_close(j->options.files, old); /* synced: nothing can be lost */
	atomic_fetch_add(&j->rotations, 1);
	return JOURNAL_DONE;
}

/* Write what is built.  JOURNAL_DONE, JOURNAL_UNKNOWN, or a fault: then the batch is dropped. */
static int put_batch(struct journal *j, bool durable, struct err *err)
{
	int r;

	encode_headers(j);
	r = write_batch(j, durable, err);
	return r < 0 ? fail_batch(j, r, err) : r;
}

int journal_commit(struct journal *j, bool durable, bool frees_space, struct err *err)
{
	size_t len;
	int r;

	if (j->batch_count == 0)
		return durable ? journal_sync(j, err) : 0;
	if (j->fd < 0) {
		journal_drop(j);
		return err_say(err, -EROFS, "the journal cannot be written");
	}
	if (close_batch(j) < 0) {
		journal_drop(j);
		return err_set(err, -ENOMEM, "build a frame");
	}
	len = j->tail.len - j->shown_len;
	if (!fits(j, len, 2 * FRAME_BLOCK) || (j->on_reserve && !frees_space)) {
		r = rotate(j, len, frees_space, err);
		if (r != JOURNAL_DONE)
			return r;
	}
	r = put_batch(j, durable, err);
	if (r == JOURNAL_DONE)
		j->sealed = false;
	return r;
}

int journal_sync(struct journal *j, struct err *err)
{
	int r;

	if (j->shown_len == 0)
		return 0;
	if (j->fd < 0)
		return err_say(err, -EROFS, "the journal cannot be written");
	r = sync_current(j, err);
	if (r == 0) {
		count_durable(j);
		return 0;
	}
	/* The copies in the fence are as good as the sync would have been. */
	return fail_batch(j, r, err) == JOURNAL_UNKNOWN ? -EROFS : 0;
}

/* An empty frame, durable: a seal, or the clean end. */
static int put_mark(struct journal *j, uint32_t flags, struct err *err)
{
	struct frame *f = open_frame(j);
	int r;

	if (!f || close_batch(j) < 0) {
		journal_drop(j);
		return err_set(err, -ENOMEM, "build a frame");
	}
	f->flags = flags;
	r = put_batch(j, true, err);
	return r == JOURNAL_UNKNOWN ? -EROFS : r;
}

int journal_finish(struct journal *j, struct err *err)
{
	int r = journal_sync(j, err);

	if (r < 0)
		return r;
	if (j->fd < 0)
		return err_say(err, -EROFS, "the journal cannot be written");
	/* Without room the next start only skips some revisions. */
	return fits(j, FRAME_BLOCK, 0) ? put_mark(j, FRAME_CLEAN, err) : 0;
}

/* ---- upkeep ---- */

static void seal(struct journal *j, struct err *err)
{
	/* Tried once: a seal that fails costs a fence, which proves as much. */
	j->sealed = true;
	if (fits(j, FRAME_BLOCK, FRAME_BLOCK))
		(void)put_mark(j, FRAME_SEAL, err);
}

int64_t journal_upkeep(struct journal *j, int64_t mono_ns, struct err *err)
{
	if (j->fd < 0) {
		if (mono_ns >= j->mend_ns)
			(void)fence(j, err);
		if (j->fd < 0)
			return j->mend_ns;
	}
	if (j->shown_len > 0 && mono_ns >= j->unsynced_since_ns + JOURNAL_RELAXED_NS && journal_sync(j, err) < 0)
		return j->mend_ns;
	if (j->shown_len == 0 && !j->sealed && mono_ns >= j->last_frame_ns + JOURNAL_SEAL_NS)
		seal(j, err);
	if (j->fd < 0)
		return j->mend_ns;
	if (j->shown_len > 0)
		return j->unsynced_since_ns + JOURNAL_RELAXED_NS;
	return j->sealed ? INT64_MAX : j->last_frame_ns + JOURNAL_SEAL_NS;
}

uint64_t journal_revision(const struct journal *j)
{
	return j->shown.revision;
}

bool journal_is_durable(const struct journal *j)
{
	return j->shown_len == 0;
}

/* ---- life ---- */

static void take_start(struct journal *j, const struct journal_start *start)
{
	j->segno = start->next_segno - 1;
	j->durable = (struct journal_mark){ start->durable_seq, start->revision, start->durable_live };
	j->shown = j->built = (struct journal_mark){ start->copies_seq, start->revision, start->live };
	j->shown_len = j->tail.len;
	j->manifest_last = start->manifest_last;
	atomic_store(&j->durable_seq, start->durable_seq);
	atomic_store(&j->durable_revision, start->revision);
}

static int copy_start(struct journal *j, const struct journal_start *start)
{
	if (buf_add(&j->tail, start->copies.at, start->copies.len) < 0)
		return -ENOMEM;
	j->kept_room = start->kept_count + 64;
	j->kept = calloc(j->kept_room, sizeof *j->kept);
	if (!j->kept)
		return -ENOMEM;
	if (start->kept_count)
		memcpy(j->kept, start->kept, start->kept_count * sizeof *j->kept);
	j->kept_count = start->kept_count;
	for (size_t i = 0; i < j->kept_count; i++)
		atomic_fetch_add(&j->bytes, j->kept[i].used); /* nobody else is here yet */
	return 0;
}

int journal_open(const struct journal_options *options, const struct journal_start *start, struct journal **ret, struct err *err)
{
	struct journal *j = calloc(1, sizeof *j);
	int r;

	if (!j)
		return err_set(err, -ENOMEM, "open the journal");
	j->options = *options;
	j->fd = -1;
	j->tail = (struct buf)BUF(CAP_TAIL);
	mutex_init(&j->mutex, RANK_JOURNAL);
	r = copy_start(j, start);
	if (r < 0)
		r = err_set(err, r, "open the journal");
	if (r == 0) {
		take_start(j, start);
		r = journal_begin_segment(j, 0, true, err);
	}
	if (r < 0) {
		journal_close(j);
		return r;
	}
	*ret = j;
	return 0;
}

void journal_close(struct journal *j)
{
	if (!j)
		return;
	if (j->fd >= 0)
		(void)fsx_close(j->options.files, j->fd);
	mutex_done(&j->mutex);
	buf_free(&j->tail);
	free(j->kept);
	free(j);
}

const struct histogram *journal_sync_times(const struct journal *j)
{
	return &j->sync_ns;
}

void journal_figures(struct journal *j, struct journal_figures *ret)
{
	*ret = (struct journal_figures){
		.frames = atomic_load_explicit(&j->frames, memory_order_relaxed),
		.rotations = atomic_load_explicit(&j->rotations, memory_order_relaxed),
		.fences = atomic_load_explicit(&j->fences, memory_order_relaxed),
		.slow_syncs = atomic_load_explicit(&j->slow_syncs, memory_order_relaxed),
		.bytes = atomic_load_explicit(&j->bytes, memory_order_relaxed),
		.durable_seq = atomic_load_explicit(&j->durable_seq, memory_order_relaxed),
		.broken = atomic_load_explicit(&j->broken, memory_order_relaxed),
		.full = atomic_load_explicit(&j->full, memory_order_relaxed),
	};
}
