#include "persist/checkpoint.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "base/lock.h"
#include "container/codec.h"
#include "persist/dirty.h"

enum { ROUND_MAX = 1024, ROUND_STOPPING = 256, NOTE_MAX = 256 };
#define RETRY_NS NS_PER_S
#define NAP_NS (2 * (int64_t)NS_PER_MS) /* a worker sleeps off its debt in naps of at least this */

/* The work of a round, shared by the workers. */
struct round {
	struct dirty_item *items[ROUND_MAX];
	size_t count, next, done;
};

struct checkpointer {
	struct checkpoint_options options;
	struct mutex mutex; /* everything up to the threads */
	struct cond wake;   /* the main thread: something to do */
	struct cond work;   /* the workers: items of a round, or the end; also ends their naps */
	struct cond ended;  /* whoever waits for a round to end */
	struct dirty dirty;
	struct round round;
	struct dirty_view view; /* of the queue after the last round; first note afterwards makes it older */
	uint64_t noted, rounds;
	int64_t until_ns; /* of a stop */
	bool stopping, ended_workers, kicked;
	pthread_t main, workers[CHECKPOINT_WORKERS];
	size_t worker_count;
	bool running;
	/* The main thread alone: */
	int64_t prepare_ns, retire_ns; /* not to be tried before */
	uint64_t retired;              /* what the journal was told last; UINT64_MAX = told nothing yet */
	/* Any thread: */
	atomic_ullong written, failed, waiting;
	atomic_llong oldest_ns; /* INT64_MAX: nothing is dirty */
	atomic_bool told;       /* a failure of this round was reported: one line says enough */
};

static int64_t now_of(const struct checkpointer *cp)
{
	return clock_mono(cp->options.clock);
}

static void report(struct checkpointer *cp, const struct err *err)
{
	if (cp->options.report)
		cp->options.report(cp->options.report_cls, err);
}

/* ---- noting ---- */

/* With the mutex held: what others may read about the table. */
static void show(struct checkpointer *cp)
{
	atomic_store(&cp->waiting, cp->dirty.count);
	atomic_store(&cp->oldest_ns, cp->view.oldest_ns);
}

int checkpoint_add(struct checkpointer *cp, struct container *c, unsigned todo, uint64_t first_revision, bool held)
{
	int64_t now = now_of(cp);
	int r;

	mutex_lock(&cp->mutex);
	r = dirty_reserve(&cp->dirty, 1);
	if (r == 0)
		dirty_add(&cp->dirty, c, todo, first_revision, held, now);
	mutex_unlock(&cp->mutex);
	return r;
}

int checkpoint_reserve(struct checkpointer *cp, size_t n)
{
	int r;

	mutex_lock(&cp->mutex);
	r = dirty_reserve(&cp->dirty, n);
	mutex_unlock(&cp->mutex);
	return r;
}

static void make_older(struct dirty_view *v, uint64_t revision, int64_t now)
{
	if (v->first_revision > revision)
		v->first_revision = revision;
	if (v->oldest_ns > now)
		v->oldest_ns = now;
	if (v->due_ns > now + CHECKPOINT_AGE_NS)
		v->due_ns = now + CHECKPOINT_AGE_NS;
}

static void note_some(struct checkpointer *cp, const struct checkpoint_change *changes, size_t n, uint64_t noted)
{
	struct container *old[NOTE_MAX];
	int64_t now = now_of(cp);
	bool was_idle;

	mutex_lock(&cp->mutex);
	was_idle = cp->view.due_ns == INT64_MAX;
	for (size_t i = 0; i < n; i++) {
		uint64_t revision = container_revision(changes[i].container);

		old[i] = dirty_note(&cp->dirty, changes[i].container, changes[i].todo, revision, now);
		make_older(&cp->view, revision, now);
	}
	if (noted)
		cp->noted = noted;
	show(cp);
	if (was_idle)
		cond_wake_one(&cp->wake);
	mutex_unlock(&cp->mutex);
	for (size_t i = 0; i < n; i++)
		container_unref(old[i]);
}

void checkpoint_note(struct checkpointer *cp, const struct checkpoint_change *changes, size_t n, uint64_t noted)
{
	while (n > NOTE_MAX) {
		note_some(cp, changes, NOTE_MAX, 0);
		changes += NOTE_MAX;
		n -= NOTE_MAX;
	}
	note_some(cp, changes, n, noted);
}

void checkpoint_kick(struct checkpointer *cp)
{
	mutex_lock(&cp->mutex);
	cp->kicked = true;
	cond_wake_one(&cp->wake);
	mutex_unlock(&cp->mutex);
}

void checkpoint_wait(struct checkpointer *cp, int64_t ns)
{
	int64_t until = clock_mono(&clock_system) + ns;
	uint64_t rounds;

	mutex_lock(&cp->mutex);
	rounds = cp->rounds;
	while (cp->rounds == rounds && clock_mono(&clock_system) < until)
		cond_wait_until(&cp->ended, &cp->mutex, until);
	mutex_unlock(&cp->mutex);
}

/* ---- workers ---- */

/* Which share of its time a worker may keep the disk busy, in percent: the more waits, and the longer, the less it
 * makes way for the journal's own syncs. */
static int64_t share_of(struct checkpointer *cp)
{
	int64_t oldest = atomic_load(&cp->oldest_ns), lag = oldest == INT64_MAX ? 0 : now_of(cp) - oldest;
	struct journal_figures j;

	journal_figures(cp->options.journal, &j);
	if (j.bytes >= cp->options.journal_cap / 4 * 3 || lag > CHECKPOINT_VERY_LATE_NS)
		return 100;
	if (j.bytes >= cp->options.journal_cap / 2 || lag > CHECKPOINT_LATE_NS)
		return 50;
	return 25;
}

/* Sleep off what was worked, unless it is time to stop. */
static void nap(struct checkpointer *cp, int64_t ns)
{
	int64_t until = clock_mono(&clock_system) + ns;

	mutex_lock(&cp->mutex);
	while (!cp->stopping && clock_mono(&clock_system) < until)
		cond_wait_until(&cp->work, &cp->mutex, until);
	mutex_unlock(&cp->mutex);
}

/* The next item of the round, or NULL: the workers' end. */
static struct dirty_item *next_item(struct checkpointer *cp, bool *ret_late)
{
	struct dirty_item *item = NULL;

	mutex_lock(&cp->mutex);
	while (cp->round.next == cp->round.count && !cp->ended_workers)
		cond_wait(&cp->work, &cp->mutex);
	if (cp->round.next < cp->round.count)
		item = cp->round.items[cp->round.next++];
	*ret_late = cp->stopping && now_of(cp) > cp->until_ns;
	mutex_unlock(&cp->mutex);
	return item;
}

static void item_done(struct checkpointer *cp)
{
	mutex_lock(&cp->mutex);
	if (++cp->round.done == cp->round.count)
		cond_wake_one(&cp->wake);
	mutex_unlock(&cp->mutex);
}

static void write_item(struct checkpointer *cp, struct dirty_item *item, struct buf *scratch)
{
	const struct checkpoint_place place = { cp->options.files, cp->options.containers };
	struct err err = { 0 };

	item->result = checkpoint_file_write(&place, item->snapshot, &item->todo, clock_real(cp->options.clock), scratch,
					     &item->parent_changed, &err);
	if (item->result < 0 && !atomic_exchange(&cp->told, true))
		report(cp, &err);
}

static void *worker_run(void *arg)
{
	struct checkpointer *cp = arg;
	auto_buf struct buf scratch = BUF(CAP_METADATA_FILE);
	struct dirty_item *item;
	int64_t debt = 0;
	bool late;

	while ((item = next_item(cp, &late))) {
		int64_t start = now_of(cp);

		item->parent_changed = false;
		item->result = -ECANCELED;
		if (!late)
			write_item(cp, item, &scratch);
		debt += (now_of(cp) - start) * (100 - share_of(cp)) / share_of(cp);
		item_done(cp);
		if (debt >= NAP_NS) {
			nap(cp, debt);
			debt = 0;
		}
	}
	return NULL;
}

/* ---- the main thread ---- */

/* Begin a round with what is due; how many items. */
static size_t begin_round(struct checkpointer *cp, bool *ret_stopping)
{
	int64_t now = now_of(cp);
	struct round *round = &cp->round;
	size_t n;

	mutex_lock(&cp->mutex);
	*ret_stopping = cp->stopping;
	if (cp->stopping)
		n = dirty_take(&cp->dirty, round->items, ROUND_STOPPING, INT64_MAX, now);
	else
		n = dirty_take(&cp->dirty, round->items, ROUND_MAX, now - CHECKPOINT_AGE_NS, now);
	atomic_store(&cp->told, false);
	round->next = round->done = 0;
	round->count = n;
	if (n > 0)
		cond_wake_all(&cp->work);
	mutex_unlock(&cp->mutex);
	return n;
}

static void wait_for_workers(struct checkpointer *cp)
{
	mutex_lock(&cp->mutex);
	while (cp->round.done < cp->round.count)
		cond_wait(&cp->wake, &cp->mutex);
	mutex_unlock(&cp->mutex);
}

/* One sync of containers/ for all directories that came or went. */
static int sync_parent(struct checkpointer *cp, size_t n)
{
	bool changed = false;
	struct err err = { 0 };
	int r;

	for (size_t i = 0; i < n; i++)
		changed = changed || cp->round.items[i]->parent_changed;
	r = changed ? fsx_sync(cp->options.files, cp->options.containers) : 0;
	if (r < 0) {
		(void)err_set(&err, r, "sync containers/");
		report(cp, &err);
	}
	return r;
}

static void end_round(struct checkpointer *cp, size_t n, int parent)
{
	struct container *drop[2 * ROUND_MAX];
	size_t drops = 0, done = 0, failed = 0;
	int64_t now = now_of(cp);

	mutex_lock(&cp->mutex);
	for (size_t i = 0; i < n; i++) {
		struct dirty_item *item = cp->round.items[i];
		bool doubtful = parent < 0 && item->parent_changed, tried = item->result != -ECANCELED;
		bool ok = item->result == 0 && !doubtful;

		/* Done again only where the whole container was written: of the others, what is on disk may be the only copy. */
		if (doubtful && ((item->todo & TODO_DELETE) || (item->todo & TODO_BOTH) == TODO_BOTH))
			item->todo |= TODO_REDO;
		drops += dirty_settle(&cp->dirty, item, ok, tried ? now + RETRY_NS : 0, drop + drops);
		done += ok;
		failed += tried && !ok;
	}
	cp->round.count = cp->round.next = cp->round.done = 0;
	cp->view = dirty_look(&cp->dirty, CHECKPOINT_AGE_NS);
	cp->rounds++;
	show(cp);
	cond_wake_all(&cp->ended);
	mutex_unlock(&cp->mutex);
	atomic_fetch_add(&cp->written, done);
	atomic_fetch_add(&cp->failed, failed);
	for (size_t i = 0; i < drops; i++)
		container_unref(drop[i]);
}

static void prepare(struct checkpointer *cp)
{
	struct err err = { 0 };
	int64_t now = now_of(cp);

	if (now < cp->prepare_ns)
		return;
	cp->prepare_ns = 0;
	if (!journal_wants_prepare(cp->options.journal))
		return;
	if (journal_prepare(cp->options.journal, &err) < 0) {
		cp->prepare_ns = now + RETRY_NS;
		report(cp, &err);
	}
}

/* Everything up to this revision is in files. */
static uint64_t covered(struct checkpointer *cp)
{
	uint64_t revision;

	mutex_lock(&cp->mutex);
	revision = cp->noted;
	if (cp->view.first_revision <= revision)
		revision = cp->view.first_revision - 1;
	mutex_unlock(&cp->mutex);
	return revision;
}

static void retire(struct checkpointer *cp, bool kicked)
{
	uint64_t revision = covered(cp);
	struct err err = { 0 };
	int64_t now = now_of(cp);

	if ((!kicked && revision == cp->retired) || now < cp->retire_ns)
		return;
	cp->retire_ns = 0;
	cp->retired = revision;
	if (journal_retire(cp->options.journal, revision, false, &err) < 0) {
		cp->retire_ns = now + RETRY_NS;
		cp->retired = UINT64_MAX;
		report(cp, &err);
	}
}

/* Wait until something is due; false when it is time to end.  *ret_kicked: the journal has a new segment. */
static bool wait_for_work(struct checkpointer *cp, bool *ret_kicked)
{
	bool go_on;

	mutex_lock(&cp->mutex);
	while (!cp->stopping && !cp->kicked && now_of(cp) < cp->view.due_ns) {
		int64_t until = cp->view.due_ns;

		if (cp->prepare_ns && cp->prepare_ns < until)
			until = cp->prepare_ns;
		if (cp->retire_ns && cp->retire_ns < until)
			until = cp->retire_ns;
		if (now_of(cp) >= until)
			break;
		cond_wait_until(&cp->wake, &cp->mutex, until);
	}
	*ret_kicked = cp->kicked;
	cp->kicked = false;
	go_on = !cp->stopping || (cp->dirty.queued > 0 && now_of(cp) < cp->until_ns);
	mutex_unlock(&cp->mutex);
	return go_on;
}

static void *main_run(void *arg)
{
	struct checkpointer *cp = arg;
	bool kicked, stopping = false;
	size_t n = 1;

	/* What failed a moment ago is not tried again while stopping: it is in the journal. */
	while (wait_for_work(cp, &kicked) && !(stopping && n == 0)) {
		n = begin_round(cp, &stopping);
		if (!stopping)
			prepare(cp); /* while the workers are at it */
		wait_for_workers(cp);
		end_round(cp, n, sync_parent(cp, n));
		retire(cp, kicked);
	}
	return NULL;
}

/* ---- life ---- */

struct checkpointer *checkpoint_new(const struct checkpoint_options *options)
{
	struct checkpointer *cp = calloc(1, sizeof *cp);

	if (!cp)
		return NULL;
	cp->options = *options;
	cp->retired = UINT64_MAX;
	dirty_init(&cp->dirty);
	mutex_init(&cp->mutex, RANK_CHECKPOINT);
	cond_init(&cp->wake);
	cond_init(&cp->work);
	cond_init(&cp->ended);
	return cp;
}

int checkpoint_start(struct checkpointer *cp, uint64_t noted, struct err *err)
{
	char name[16];
	int r = 0;

	cp->noted = noted;
	cp->view = dirty_look(&cp->dirty, CHECKPOINT_AGE_NS);
	cp->kicked = true;
	show(cp);
	while (cp->worker_count < CHECKPOINT_WORKERS && r == 0) {
		(void)snprintf(name, sizeof name, "checkpoint-%zu", cp->worker_count);
		r = thread_start(&cp->workers[cp->worker_count], name, worker_run, cp);
		cp->worker_count += r == 0;
	}
	if (r == 0)
		r = thread_start(&cp->main, "checkpointer", main_run, cp);
	cp->running = r == 0;
	return r < 0 ? err_set(err, r, "start the checkpointer's threads") : 0;
}

static void join_workers(struct checkpointer *cp)
{
	mutex_lock(&cp->mutex);
	cp->ended_workers = true;
	cond_wake_all(&cp->work);
	mutex_unlock(&cp->mutex);
	while (cp->worker_count > 0)
		thread_join(cp->workers[--cp->worker_count]);
}

uint64_t checkpoint_stop(struct checkpointer *cp, int64_t within_ns)
{
	uint64_t revision;

	mutex_lock(&cp->mutex);
	cp->stopping = true;
	cp->until_ns = now_of(cp) + within_ns;
	cond_wake_all(&cp->wake);
	cond_wake_all(&cp->work);
	mutex_unlock(&cp->mutex);
	if (cp->running)
		thread_join(cp->main);
	cp->running = false;
	join_workers(cp);
	revision = covered(cp);
	return cp->dirty.queued == 0 ? UINT64_MAX : revision;
}

void checkpoint_free(struct checkpointer *cp)
{
	if (!cp)
		return;
	(void)checkpoint_stop(cp, 0);
	dirty_done(&cp->dirty);
	cond_done(&cp->ended);
	cond_done(&cp->work);
	cond_done(&cp->wake);
	mutex_done(&cp->mutex);
	free(cp);
}

void checkpoint_figures(struct checkpointer *cp, struct checkpoint_figures *ret)
{
	int64_t oldest = atomic_load(&cp->oldest_ns);

	*ret = (struct checkpoint_figures){
		.written = atomic_load(&cp->written),
		.failed = atomic_load(&cp->failed),
		.waiting = atomic_load(&cp->waiting),
		.lag_ns = oldest == INT64_MAX ? 0 : now_of(cp) - oldest,
	};
}
