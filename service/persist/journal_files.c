/* Which segments there are: beginning the next, removing the oldest, keeping a spare. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "persist/journal_internal.h"

static bool is_full(int fault)
{
	return fault == -ENOSPC || fault == -EDQUOT;
}

static uint64_t small_size(const struct journal *j)
{
	return j->options.segment_bytes < JOURNAL_FIRST_SEGMENT ? j->options.segment_bytes : JOURNAL_FIRST_SEGMENT;
}

/* ---- taking a file for the next segment ---- */

/* A file that was prepared: true when it is ours now. */
static bool take_ready(struct journal *j, enum ready_state *state)
{
	bool taken;

	mutex_lock(&j->mutex);
	taken = *state == READY_HERE;
	if (taken)
		*state = READY_TAKEN;
	mutex_unlock(&j->mutex);
	return taken;
}

/* The name is free again, whatever became of the file. */
static void give_up_ready(struct journal *j)
{
	mutex_lock(&j->mutex);
	if (j->spare == READY_TAKEN)
		j->spare = READY_NONE;
	if (j->reserve == READY_TAKEN)
		j->reserve = READY_NONE;
	mutex_unlock(&j->mutex);
}

struct candidate {
	const char *name;
	uint64_t size;
	bool is_reserve;
};

/* What an earlier process prepared: frames of an aborted fence may stand in it, so it is written over. */
static bool take_leftover(struct journal *j, const char *name, uint64_t total, struct candidate *ret)
{
	uint64_t size = segment_size(j->options.files, j->options.dir, name);
	struct err ignored;

	if (size < total || segment_make(j->options.files, j->options.dir, name, size, &ignored) < 0)
		return false;
	*ret = (struct candidate){ name, size, !strcmp(name, SEGMENT_RESERVE) };
	return true;
}

/* The spare, else a fresh file, else what is kept for a full disk.  0, or the fault of the fresh one. */
static int take_candidate(struct journal *j, uint64_t total, bool may_reserve, struct candidate *ret, struct err *err)
{
	uint64_t fresh = total > small_size(j) ? total : small_size(j);
	int r;

	if (total <= j->options.segment_bytes && take_ready(j, &j->spare)) {
		*ret = (struct candidate){ SEGMENT_SPARE, j->options.segment_bytes, false };
		return 0;
	}
	/* While the checkpointer finds no space there is none here either; it tries every second. */
	if (atomic_load(&j->full) && !may_reserve && journal_wants_prepare(j))
		return err_set(err, -ENOSPC, "make a journal segment");
	r = segment_make(j->options.files, j->options.dir, SEGMENT_NEW, fresh, err);
	if (r == 0) {
		*ret = (struct candidate){ SEGMENT_NEW, fresh, false };
		if (!journal_wants_prepare(j))
			atomic_store(&j->full, false); /* else the checkpointer tells */
		return 0;
	}
	if (!is_full(r))
		return r;
	atomic_store(&j->full, true);
	if (!may_reserve)
		return r;
	if (j->size == 0 /* opening */ && (take_leftover(j, SEGMENT_SPARE, total, ret) || take_leftover(j, SEGMENT_RESERVE, total, ret)))
		return 0;
	if (total > small_size(j) || !take_ready(j, &j->reserve))
		return r;
	*ret = (struct candidate){ SEGMENT_RESERVE, small_size(j), true };
	return 0;
}

/* ---- beginning the next segment ---- */

static int make_room(struct journal *j)
{
	struct kept_segment *grown = j->kept;
	int r = 0;

	mutex_lock(&j->mutex);
	if (j->kept_count == j->kept_room) {
		grown = realloc(j->kept, (j->kept_room + 64) * sizeof *grown);
		r = grown ? 0 : -ENOMEM;
	}
	if (r == 0 && grown != j->kept) {
		j->kept = grown;
		j->kept_room += 64;
	}
	mutex_unlock(&j->mutex);
	return r;
}

/* The shown frames as they will stand in segment <segno>. */
static int restamp_copies(struct journal *j, uint64_t segno)
{
	uint8_t *at = (uint8_t *)j->tail.at, *end = j->shown_len ? at + j->shown_len : at;

	while (at < end) {
		struct frame f;
		int r = frame_decode(at, (size_t)(end - at), &f);

		if (r < 0)
			return r; /* memory has gone bad: better stop here than write it down */
		f.segno = segno;
		f.durable_seq = j->durable.seq;
		f.flags |= FRAME_COPY;
		frame_encode(&f, at);
		at += frame_room(f.payload_len);
	}
	return 0;
}

/* The segment is there and holds what is shown. */
static void adopt_segment(struct journal *j, int fd, const struct segment_header *h, bool is_reserve)
{
	mutex_lock(&j->mutex);
	j->kept[j->kept_count++] = (struct kept_segment){
		.segno = h->segno,
		.before_seq = j->durable.seq,
		.before_live = j->durable.live,
		.last_revision = j->shown_len ? j->shown.revision : 0,
		.used = j->shown_len,
	};
	atomic_fetch_add(&j->bytes, j->shown_len);
	mutex_unlock(&j->mutex);
	j->fd = fd;
	j->segno = h->segno;
	j->size = h->size;
	j->at = FRAME_BLOCK + j->shown_len;
	j->on_reserve = is_reserve;
	/* The header proves all frames before it; copies are proven by what comes behind them. */
	j->sealed = j->shown_len == 0;
	j->last_frame_ns = clock_mono(j->options.clock);
	j->durable = j->shown;
	if (j->tail.len > j->shown_len)
		memmove(j->tail.at, j->tail.at + j->shown_len, j->tail.len - j->shown_len);
	j->tail.len -= j->shown_len;
	j->shown_len = 0;
	atomic_store(&j->durable_seq, j->durable.seq);
	atomic_store(&j->durable_revision, j->durable.revision);
	atomic_store(&j->broken, false);
}

/* After a crash the segment that failed may be found, and would make everything void that we went on to write. */
static void stop_writing(struct journal *j)
{
	if (j->fd >= 0)
		(void)fsx_close(j->options.files, j->fd);
	j->fd = -1;
	j->mend_ns = clock_mono(j->options.clock) + JOURNAL_RETRY_NS;
	atomic_store(&j->broken, true);
}

int journal_begin_segment(struct journal *j, size_t need, bool may_reserve, struct err *err)
{
	struct segment_header h = {
		.segno = j->segno + 1,
		.base_seq = j->durable.seq + 1,
		.base_revision = j->shown.revision,
	};
	/* Room for the header, a seal and a clean end. */
	uint64_t total = j->shown_len + need + (uint64_t)3 * FRAME_BLOCK;
	struct candidate file = { 0 };
	bool doubtful;
	int r = make_room(j);

	if (r == 0)
		r = restamp_copies(j, h.segno);
	if (r < 0)
		return err_set(err, r, "begin a journal segment");
	r = take_candidate(j, total, may_reserve, &file, err);
	if (r < 0)
		return r;
	h.size = file.size;
	memcpy(h.store_id, j->options.store_id, STORE_ID);
	r = segment_begin(j->options.files, j->options.dir, file.name, &h, (struct slice){ j->tail.at, j->shown_len }, &doubtful,
			  err);
	give_up_ready(j);
	if (r < 0 && doubtful)
		stop_writing(j);
	if (r < 0)
		return r;
	adopt_segment(j, r, &h, file.is_reserve);
	return 0;
}

void journal_count_written(struct journal *j, size_t len, uint64_t revision)
{
	struct kept_segment *current;

	mutex_lock(&j->mutex);
	current = &j->kept[j->kept_count - 1];
	current->used += len;
	if (current->last_revision < revision)
		current->last_revision = revision;
	atomic_fetch_add(&j->bytes, len);
	mutex_unlock(&j->mutex);
}

/* ---- retiring ---- */

/* What MANIFEST is to say, and how many segments may go then. */
struct retirement {
	struct manifest manifest;
	bool changed;
	size_t count;
};

static struct retirement plan_retirement(struct journal *j, uint64_t revision, bool clean)
{
	struct retirement plan = { 0 };
	const struct kept_segment *first;
	uint64_t bytes = 0; /* in segments that are not wholly checkpointed */

	mutex_lock(&j->mutex);
	while (plan.count + 1 < j->kept_count && j->kept[plan.count].last_revision <= revision)
		plan.count++;
	for (size_t i = plan.count; i < j->kept_count; i++)
		bytes += j->kept[i].last_revision > revision ? j->kept[i].used : 0;
	atomic_store(&j->bytes, bytes);
	first = &j->kept[plan.count];
	plan.manifest.first_segment = first->segno;
	plan.manifest.last_segment = j->kept[j->kept_count - 1].segno;
	plan.manifest.checkpointed_seq = first->before_seq;
	plan.manifest.live = first->before_live;
	plan.changed = clean || plan.count > 0 || plan.manifest.last_segment != j->manifest_last;
	mutex_unlock(&j->mutex);
	/* Whatever was retired was durable, also what the writer has not counted yet. */
	plan.manifest.durable_seq = atomic_load(&j->durable_seq);
	if (plan.manifest.durable_seq < plan.manifest.checkpointed_seq)
		plan.manifest.durable_seq = plan.manifest.checkpointed_seq;
	plan.manifest.revision = atomic_load(&j->durable_revision);
	plan.manifest.clean = clean;
	memcpy(plan.manifest.store_id, j->options.store_id, STORE_ID);
	return plan;
}

/* Remove the oldest segment's file, or set it aside when it holds evidence; durably, before the next one goes. */
static int remove_segment(struct journal *j, const struct kept_segment *k, struct err *err)
{
	char name[SEGMENT_NAME + 1], aside[SEGMENT_NAME + 64];
	const struct files *files = j->options.files;
	int dir = j->options.dir, r;

	segment_name(k->segno, name);
	(void)snprintf(aside, sizeof aside, "%s.corrupt-%" PRId64, name, clock_real(j->options.clock));
	if (k->damaged)
		r = files->renameat2(dir, name, dir, aside, 0) < 0 ? -errno : 0;
	else
		r = files->unlinkat(dir, name, 0) < 0 ? -errno : 0;
	if (r == 0 || r == -ENOENT)
		r = fsx_sync(files, dir);
	return r < 0 ? err_set(err, r, "remove journal segment %s", name) : 0;
}

static int remove_oldest(struct journal *j, struct err *err)
{
	struct kept_segment oldest;
	int r;

	mutex_lock(&j->mutex);
	oldest = j->kept[0];
	mutex_unlock(&j->mutex);
	r = remove_segment(j, &oldest, err);
	if (r < 0)
		return r;
	mutex_lock(&j->mutex);
	j->kept_count--;
	memmove(j->kept, j->kept + 1, j->kept_count * sizeof *j->kept);
	mutex_unlock(&j->mutex);
	return 0;
}

int journal_retire(struct journal *j, uint64_t revision, bool clean, struct err *err)
{
	struct retirement plan = plan_retirement(j, revision, clean);
	int r = 0;

	if (clean && revision == UINT64_MAX) {
		/* Writing has ended: the account of this very moment can be read. */
		plan.manifest.checkpointed_seq = j->durable.seq;
		plan.manifest.live = j->durable.live;
	}
	if (plan.changed)
		r = manifest_write(j->options.files, j->options.dir, &plan.manifest, err);
	if (r < 0)
		return r;
	mutex_lock(&j->mutex);
	j->manifest_last = plan.manifest.last_segment;
	mutex_unlock(&j->mutex);
	for (size_t i = 0; i < plan.count && r == 0; i++)
		r = remove_oldest(j, err);
	return r;
}

/* ---- preparing ---- */

static bool start_making(struct journal *j, enum ready_state *state)
{
	bool ours;

	mutex_lock(&j->mutex);
	ours = *state == READY_NONE;
	if (ours)
		*state = READY_MAKING;
	mutex_unlock(&j->mutex);
	return ours;
}

static int make_ready(struct journal *j, enum ready_state *state, const char *name, uint64_t size, struct err *err)
{
	int r;

	if (!start_making(j, state))
		return 0;
	r = segment_make(j->options.files, j->options.dir, name, size, err);
	mutex_lock(&j->mutex);
	*state = r == 0 ? READY_HERE : READY_NONE;
	mutex_unlock(&j->mutex);
	return r;
}

int journal_prepare(struct journal *j, struct err *err)
{
	int r = make_ready(j, &j->spare, SEGMENT_SPARE, j->options.segment_bytes, err);

	atomic_store(&j->full, is_full(r));
	return r < 0 ? r : make_ready(j, &j->reserve, SEGMENT_RESERVE, small_size(j), err);
}

bool journal_wants_prepare(struct journal *j)
{
	bool wants;

	mutex_lock(&j->mutex);
	wants = j->spare == READY_NONE || j->reserve == READY_NONE;
	mutex_unlock(&j->mutex);
	return wants;
}
