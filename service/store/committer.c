/* The only writer.  One thread: takes all changes that wait, decides each in its order, makes them durable by one call
 * of the backend, shows them, answers.  It also opens the backend for writing and, before it takes clients' changes,
 * writes down what loading found. */
#include <errno.h>
#include <string.h>

#include "container/id.h"
#include "store/store_internal.h"

enum { BATCH_BYTES = 4 * 1024 * 1024, OVERLAY_SLOTS = 4 * STORE_BATCH_MAX };
#define RETRY_NS NS_PER_S
#define DEFAULT_WAIT_NS (10 * NS_PER_S)

struct found {
	struct container *container; /* owned reference */
	unsigned flags;
};

/* The changes of a batch by id, the newest of each id: what later changes of the batch are decided against. */
struct overlay {
	uint16_t slot[OVERLAY_SLOTS]; /* place in the batch + 1; 0 = free */
	size_t used;
};

/* Tickets in their order, and the changes that some of them made. */
struct batch {
	struct ticket *tickets[STORE_BATCH_MAX];
	int change_of[STORE_BATCH_MAX]; /* place of the ticket's change; -1 = it made none */
	size_t ticket_count;
	struct backend_change changes[STORE_BATCH_MAX];
	size_t change_count, creations, bytes;
	bool durable;
	struct overlay overlay;
};

struct committer {
	struct store *store;
	struct mutex mutex; /* the queue and <stopping> */
	struct cond wake;
	struct ticket *oldest, **newest_at;
	size_t waiting;
	bool stopping, running;
	pthread_t thread;
	/* The committer's thread alone: */
	struct found *found;
	size_t found_count, found_room;
	uint64_t proposed; /* newest revision ever proposed: never goes back, also not after a failure */
	bool opened, unsynced;
	int64_t next_upkeep;
	struct batch batch;
	/* Any thread: */
	atomic_bool writable;
	atomic_ullong commits, changes, failures, withdrawn, refused_full;
	atomic_ullong sizes[11];
	struct histogram commit_ns;
};

/* ---- life ---- */

struct committer *committer_new(struct store *store)
{
	struct committer *c = calloc(1, sizeof *c);

	if (!c)
		return NULL;
	c->store = store;
	c->newest_at = &c->oldest;
	mutex_init(&c->mutex, RANK_QUEUE);
	cond_init(&c->wake);
	return c;
}

void committer_free(struct committer *c)
{
	if (!c)
		return;
	for (size_t i = 0; i < c->found_count; i++)
		container_unref(c->found[i].container);
	free(c->found);
	cond_done(&c->wake);
	mutex_done(&c->mutex);
	free(c);
}

int committer_note_found(struct committer *c, struct container *box, unsigned flags)
{
	if (c->found_count == c->found_room) {
		size_t want = c->found_room ? 2 * c->found_room : 64;
		struct found *grown = realloc(c->found, want * sizeof *grown);

		if (!grown) {
			container_unref(box);
			return -ENOMEM;
		}
		c->found = grown;
		c->found_room = want;
	}
	c->found[c->found_count++] = (struct found){ box, flags };
	return 0;
}

static int64_t mono_now(const struct committer *c)
{
	return clock_mono(c->store->options.clock);
}

/* ---- the queue ---- */

static void finish(struct ticket *t, enum change_end end)
{
	t->verdict.end = end;
	t->done(t);
}

void committer_submit(struct committer *c, struct ticket *t)
{
	enum change_end refused = CHANGE_CREATED;

	t->next = NULL;
	t->container = NULL;
	t->queued_ns = mono_now(c);
	mutex_lock(&c->mutex);
	if (c->stopping) {
		refused = CHANGE_E_SHUTTING_DOWN;
	} else if (c->waiting == STORE_QUEUE_CAP) {
		refused = CHANGE_E_OVERLOADED;
	} else {
		*c->newest_at = t;
		c->newest_at = &t->next;
		if (c->waiting++ == 0)
			cond_wake_one(&c->wake);
	}
	mutex_unlock(&c->mutex);
	if (refused == CHANGE_E_OVERLOADED)
		atomic_fetch_add(&c->refused_full, 1);
	if (refused != CHANGE_CREATED)
		finish(t, refused);
}

void committer_withdraw_late(struct committer *c)
{
	int64_t limit = c->store->options.wait_ns ? c->store->options.wait_ns : DEFAULT_WAIT_NS;
	int64_t before = mono_now(c) - limit;
	struct ticket *late = NULL, **late_end = &late;

	mutex_lock(&c->mutex);
	while (c->oldest && c->oldest->queued_ns < before) {
		*late_end = c->oldest;
		late_end = &c->oldest->next;
		c->oldest = c->oldest->next;
		c->waiting--;
	}
	*late_end = NULL;
	if (!c->oldest)
		c->newest_at = &c->oldest;
	mutex_unlock(&c->mutex);
	while (late) {
		struct ticket *t = late;

		late = t->next;
		atomic_fetch_add(&c->withdrawn, 1);
		finish(t, CHANGE_E_OVERLOADED);
	}
}

/* Put what a batch had no room for back at the head of the queue. */
static void give_back(struct committer *c, struct ticket *rest)
{
	struct ticket *last = rest;
	size_t n = 1;

	if (!rest)
		return;
	for (; last->next; last = last->next)
		n++;
	mutex_lock(&c->mutex);
	last->next = c->oldest;
	if (!c->oldest)
		c->newest_at = &last->next;
	c->oldest = rest;
	c->waiting += n;
	mutex_unlock(&c->mutex);
}

/* ---- the overlay ---- */

static struct backend_change *overlay_find(struct batch *b, const char *id, size_t *ret_slot)
{
	size_t i = id_hash(id) % OVERLAY_SLOTS;

	while (b->overlay.slot[i]) {
		struct backend_change *change = &b->changes[b->overlay.slot[i] - 1];

		if (!strcmp(container_id(change->next), id)) {
			*ret_slot = i;
			return change;
		}
		i = (i + 1) % OVERLAY_SLOTS;
	}
	*ret_slot = i;
	return NULL;
}

/* The newest snapshot of an id, counting this batch; the caller's reference, NULL = there is none. */
static struct container *newest_of(struct committer *c, const char *id)
{
	struct backend_change *change;
	size_t slot;

	if (c->batch.change_count == 0)
		return store_get(c->store, id);
	change = overlay_find(&c->batch, id, &slot);
	if (!change)
		return store_get(c->store, id);
	return change->kind == BACKEND_DELETE ? NULL : container_ref(change->next);
}

/* Takes both references. */
static void add_change(struct batch *b, enum backend_kind kind, struct container *previous, struct container *next)
{
	struct backend_change *change = &b->changes[b->change_count++];
	size_t slot;

	*change = (struct backend_change){ kind, previous, next, container_revision(next), BACKEND_DONE };
	b->bytes += container_json(next).len + 512;
	b->creations += kind == BACKEND_CREATE;
	b->change_count--; /* the new change must not find itself */
	(void)overlay_find(b, container_id(next), &slot);
	b->change_count++;
	b->overlay.slot[slot] = (uint16_t)b->change_count;
}

static void batch_reset(struct batch *b)
{
	for (size_t i = 0; i < b->change_count; i++) {
		container_unref(b->changes[i].previous);
		container_unref(b->changes[i].next);
	}
	if (b->change_count)
		memset(&b->overlay, 0, sizeof b->overlay);
	b->ticket_count = b->change_count = b->creations = b->bytes = 0;
	b->durable = false;
}

/* ---- deciding ---- */

static const enum backend_kind kind_of_end[] = {
	[CHANGE_CREATED] = BACKEND_CREATE,
	[CHANGE_UPDATED] = BACKEND_STATUS,
	[CHANGE_DELETED] = BACKEND_DELETE,
};

/* The snapshot a verdict asks for; NULL when memory runs out. */
static struct container *make_next(const struct ticket *t, struct container *newest, uint64_t revision)
{
	struct container *next;
	struct metadata *m;

	if (newest)
		return container_new(container_metadata(newest), &t->verdict.next, revision);
	m = metadata_new(&t->change->metadata, revision);
	if (!m)
		return NULL;
	next = container_new(m, &t->verdict.next, revision);
	metadata_unref(m);
	return next;
}

/* A trial shows what would be, under the revision that is: no other exists yet. */
static void decide_trial(struct ticket *t, struct container *newest)
{
	t->container = make_next(t, newest, newest ? container_revision(newest) : 0);
	if (!t->container)
		t->verdict.end = CHANGE_E_NO_MEMORY;
	container_unref(newest);
}

/* Takes <newest>.  The place of the change in the batch, or -1. */
static int decide_change(struct committer *c, struct ticket *t, struct container *newest)
{
	struct container *next = make_next(t, newest, c->proposed + 1);

	if (!next) {
		container_unref(newest);
		t->verdict.end = CHANGE_E_NO_MEMORY;
		return -1;
	}
	c->proposed++;
	add_change(&c->batch, kind_of_end[t->verdict.end], newest, next);
	t->container = container_ref(next);
	return (int)c->batch.change_count - 1;
}

static bool makes_change(enum change_end end)
{
	return end == CHANGE_CREATED || end == CHANGE_UPDATED || end == CHANGE_DELETED;
}

static void decide(struct committer *c, struct ticket *t)
{
	struct container *newest = newest_of(c, t->change->id);
	struct batch *b = &c->batch;
	int change = -1;

	if (change_decide(t->change, newest, clock_real(c->store->options.clock), &t->verdict) < 0)
		t->verdict.end = CHANGE_E_NO_MEMORY;
	if (!makes_change(t->verdict.end))
		t->container = newest;
	else if (t->change->dry_run)
		decide_trial(t, newest);
	else
		change = decide_change(c, t, newest);
	if (!t->change->relaxed && !t->change->dry_run && change_end_is_success(t->verdict.end))
		b->durable = true;
	b->tickets[b->ticket_count] = t;
	b->change_of[b->ticket_count++] = change;
}

/* ---- committing ---- */

static enum change_end end_of_fault(int fault)
{
	switch (fault) {
	case -ENOSPC:
	case -EDQUOT:
		return CHANGE_E_NO_SPACE;
	case -EROFS:
		return CHANGE_E_READ_ONLY;
	case -EAGAIN:
		return CHANGE_E_OVERLOADED;
	case -ENOMEM:
		return CHANGE_E_NO_MEMORY;
	}
	return CHANGE_E_CHECKPOINT_FAILED;
}

static void report(struct committer *c, const struct err *err)
{
	if (c->store->options.report)
		c->store->options.report(c->store->options.report_cls, err);
}

static void count_batch(struct committer *c, size_t n, int64_t took_ns)
{
	size_t range = 0;

	while (range < COUNT(c->sizes) - 1 && n > (size_t)1 << range)
		range++;
	atomic_fetch_add_explicit(&c->commits, 1, memory_order_relaxed);
	atomic_fetch_add_explicit(&c->changes, n, memory_order_relaxed);
	atomic_fetch_add_explicit(&c->sizes[range], 1, memory_order_relaxed);
	histogram_add(&c->commit_ns, took_ns);
}

/* Move the accepted changes to the front; those of unknown end are not shown.  Tickets are told by their place, so
 * this must be the last look at the places: the results are copied to the tickets before. */
static size_t keep_done(struct batch *b)
{
	size_t kept = 0;

	for (size_t i = 0; i < b->ticket_count; i++)
		if (b->change_of[i] >= 0 && b->changes[b->change_of[i]].result != BACKEND_DONE)
			b->tickets[i]->verdict.end = CHANGE_E_OUTCOME_UNKNOWN;
	for (size_t i = 0; i < b->change_count; i++) {
		struct backend_change change = b->changes[i];

		if (change.result != BACKEND_DONE)
			continue;
		b->changes[i] = b->changes[kept];
		b->changes[kept++] = change;
	}
	return kept;
}

/* Make the batch durable and show it.  0, or the fault: then nothing of it happened. */
static int commit(struct committer *c)
{
	const struct backend_ops *ops = c->store->backend->ops;
	struct batch *b = &c->batch;
	int64_t start = mono_now(c);
	struct err err = { 0 };
	size_t done;
	int r;

	if (b->change_count == 0 && !(b->durable && c->unsynced))
		return 0;
	r = store_reserve(c->store, b->creations);
	if (r == 0)
		r = ops->commit(c->store->backend, b->changes, b->change_count, b->durable, &err);
	if (r < 0) {
		atomic_fetch_add(&c->failures, 1);
		if (r != -EAGAIN && r != -EROFS)
			report(c, &err);
		return r;
	}
	c->unsynced = !b->durable;
	done = keep_done(b);
	store_apply(c->store, b->changes, done);
	if (b->change_count)
		count_batch(c, b->change_count, mono_now(c) - start);
	return 0;
}

static void answer_all(struct batch *b)
{
	for (size_t i = 0; i < b->ticket_count; i++)
		b->tickets[i]->done(b->tickets[i]);
}

/* Every answer of a failed batch may rest on a change that did not happen: all get the fault's. */
static void answer_failed(struct batch *b, enum change_end end, bool spare_deletions)
{
	for (size_t i = 0; i < b->ticket_count; i++) {
		struct ticket *t = b->tickets[i];

		if (spare_deletions && t->change->kind == CHANGE_DELETE)
			continue;
		ticket_clear(t);
		finish(t, end);
	}
}

/* The deletions of a batch, again a list; what they had decided is forgotten. */
static struct ticket *deletions_of(struct batch *b)
{
	struct ticket *list = NULL, **end = &list;

	for (size_t i = 0; i < b->ticket_count; i++) {
		struct ticket *t = b->tickets[i];

		if (t->change->kind != CHANGE_DELETE)
			continue;
		ticket_clear(t);
		*end = t;
		end = &t->next;
	}
	*end = NULL;
	return list;
}

static bool is_deletions_alone(const struct batch *b)
{
	for (size_t i = 0; i < b->ticket_count; i++)
		if (b->tickets[i]->change->kind != CHANGE_DELETE)
			return false;
	return true;
}

/* Decide and commit the tickets of a list, as many as one batch holds; returns the rest. */
static struct ticket *run_batch(struct committer *c, struct ticket *list)
{
	struct batch *b = &c->batch;
	struct ticket *again = NULL, *t;
	int r;

	while (list && b->ticket_count < STORE_BATCH_MAX && b->bytes < BATCH_BYTES) {
		t = list;
		list = t->next;
		decide(c, t);
	}
	r = commit(c);
	if (r == 0) {
		answer_all(b);
	} else {
		/* Deletions free space, and may go on where nothing else can. */
		bool spare = (r == -ENOSPC || r == -EDQUOT) && !is_deletions_alone(b);

		if (spare)
			again = deletions_of(b);
		answer_failed(b, end_of_fault(r), spare);
	}
	batch_reset(b);
	if (again)
		(void)run_batch(c, again); /* holds deletions alone: goes no deeper, leaves no rest */
	return list;
}

static void refuse_list(struct ticket *list, enum change_end end)
{
	while (list) {
		struct ticket *t = list;

		list = t->next;
		finish(t, end);
	}
}

/* ---- writing down what loading found ---- */

static struct container *settled(const struct found *f, uint64_t revision, enum backend_kind *ret_kind)
{
	struct container *next;
	struct metadata *m;

	if (!(f->flags & FOUND_ADOPTED)) {
		*ret_kind = f->flags & FOUND_DAMAGED ? BACKEND_DAMAGE : BACKEND_STATUS;
		return container_new(container_metadata(f->container), container_status(f->container), revision);
	}
	*ret_kind = BACKEND_ADOPT;
	m = metadata_new(metadata_value(container_metadata(f->container)), revision);
	if (!m)
		return NULL;
	next = container_new(m, container_status(f->container), revision);
	metadata_unref(m);
	return next;
}

/* One batch of it.  How many were written down, or a fault. */
static int settle_some(struct committer *c, size_t from)
{
	struct batch *b = &c->batch;
	size_t n = 0;
	int r = 0;

	for (; from + n < c->found_count && n < STORE_BATCH_MAX && b->bytes < BATCH_BYTES; n++) {
		const struct found *f = &c->found[from + n];
		enum backend_kind kind;
		struct container *next = settled(f, c->proposed + 1, &kind);

		if (!next) {
			r = -ENOMEM;
			break;
		}
		c->proposed++;
		add_change(b, kind, container_ref(f->container), next);
	}
	b->durable = true;
	if (r == 0)
		r = commit(c);
	batch_reset(b);
	return r < 0 ? r : (int)n;
}

static int compare_found(const void *a, const void *b)
{
	const struct found *x = a, *y = b;

	return strcmp(container_id(x->container), container_id(y->container));
}

static int settle_found(struct committer *c)
{
	size_t done = 0;
	int r = 0;

	if (c->found_count)
		qsort(c->found, c->found_count, sizeof(c->found[0]), compare_found);
	while (done < c->found_count && r >= 0) {
		r = settle_some(c, done);
		if (r > 0)
			done += (size_t)r;
	}
	for (size_t i = 0; i < done; i++)
		container_unref(c->found[i].container);
	if (done)
		memmove(c->found, &c->found[done], (c->found_count - done) * sizeof(c->found[0]));
	c->found_count -= done;
	return r < 0 ? r : 0;
}

/* ---- the thread ---- */

/* Open for writing, and write down what was found.  Tried again every second until it succeeds. */
static void try_to_open(struct committer *c)
{
	const struct backend_ops *ops = c->store->backend->ops;
	struct err err = { 0 };

	c->next_upkeep = mono_now(c) + RETRY_NS;
	if (!c->opened) {
		if (ops->open(c->store->backend, &err) < 0) {
			report(c, &err);
			return;
		}
		c->opened = true;
	}
	if (settle_found(c) < 0) {
		(void)ops->upkeep(c->store->backend, mono_now(c));
		return;
	}
	free(take(c->found));
	c->found_room = 0;
	c->next_upkeep = 0;
	atomic_store(&c->writable, true);
}

static void do_upkeep(struct committer *c)
{
	if (!atomic_load(&c->writable))
		try_to_open(c);
	else
		c->next_upkeep = c->store->backend->ops->upkeep(c->store->backend, mono_now(c));
}

/* Wait for work: the waiting list, or NULL when upkeep is due or it is time to stop. */
static struct ticket *next_list(struct committer *c, bool *ret_stop)
{
	struct ticket *list;

	mutex_lock(&c->mutex);
	while (!c->oldest && !c->stopping && mono_now(c) < c->next_upkeep)
		cond_wait_until(&c->wake, &c->mutex, c->next_upkeep);
	list = c->oldest;
	*ret_stop = c->stopping && !list;
	c->oldest = NULL;
	c->newest_at = &c->oldest;
	c->waiting = 0;
	mutex_unlock(&c->mutex);
	return list;
}

static void *committer_run(void *arg)
{
	struct committer *c = arg;
	bool stop = false;

	try_to_open(c);
	while (!stop) {
		struct ticket *list = next_list(c, &stop);

		if (list && !atomic_load(&c->writable))
			refuse_list(list, CHANGE_E_READ_ONLY);
		else if (list)
			give_back(c, run_batch(c, list));
		if (list || mono_now(c) >= c->next_upkeep)
			do_upkeep(c);
	}
	return NULL;
}

int committer_start(struct committer *c, uint64_t revision, struct err *err)
{
	int r;

	c->proposed = revision;
	r = thread_start(&c->thread, "committer", committer_run, c);
	if (r < 0)
		return err_set(err, r, "start the committer's thread");
	c->running = true;
	return 0;
}

void committer_stop(struct committer *c)
{
	mutex_lock(&c->mutex);
	c->stopping = true;
	cond_wake_all(&c->wake);
	mutex_unlock(&c->mutex);
	if (c->running)
		thread_join(c->thread);
	c->running = false;
}

const char *committer_read_only(struct committer *c)
{
	struct backend_figures figures = { 0 };

	if (!c->store->backend)
		return "stopped";
	c->store->backend->ops->figures(c->store->backend, &figures);
	if (figures.read_only)
		return figures.read_only;
	return atomic_load(&c->writable) ? NULL : "starting";
}

void committer_figures(struct committer *c, struct store_figures *ret)
{
	mutex_lock(&c->mutex);
	ret->waiting = c->waiting;
	mutex_unlock(&c->mutex);
	ret->commits = atomic_load(&c->commits);
	ret->changes = atomic_load(&c->changes);
	ret->commit_failures = atomic_load(&c->failures);
	ret->withdrawn = atomic_load(&c->withdrawn);
	ret->refused_full = atomic_load(&c->refused_full);
	ret->commit = &c->commit_ns;
	for (size_t i = 0; i < COUNT(c->sizes); i++)
		ret->batch_sizes[i] = atomic_load(&c->sizes[i]);
}
