/* The only writer.  One thread: takes all changes that wait, decides each in its order, makes them durable by one call
 * of the backend, shows them, answers.  It also opens the backend for writing and, before it takes clients' changes,
 * writes down what loading found. */
#include <errno.h>
#include <string.h>

#include "store/batch.h"
#include "store/queue.h"
#include "store/store_internal.h"

#define RETRY_NS NS_PER_S
#define DEFAULT_WAIT_NS (10 * NS_PER_S)

struct found {
	struct container *container; /* owned reference */
	unsigned flags;
};

struct committer {
	struct store *store;
	struct queue *queue; /* owned */
	bool running;
	pthread_t thread;
	/* The committer's thread alone: */
	struct found *found;
	size_t found_count, found_room;
	uint64_t proposed; /* newest revision ever proposed: never goes back, also not after a failure */
	bool opened, unsynced;
	char told[sizeof ((struct err *)0)->text]; /* why it could not be opened: told once */
	int64_t next_upkeep_ns;
	struct batch batch;
	/* Any thread: */
	atomic_bool writable;
	_Atomic(const char *) cause; /* static text: why it is not writable */
	atomic_ullong commits, changes, failures;
	atomic_ullong sizes[11];
	struct histogram commit_ns;
};

/* ---- life ---- */

struct committer *committer_new(struct store *store)
{
	struct committer *c = calloc(1, sizeof *c);
	int64_t wait_ns = store->options.wait_ns ? store->options.wait_ns : DEFAULT_WAIT_NS;

	if (!c)
		return NULL;
	c->store = store;
	atomic_init(&c->cause, "starting");
	c->queue = queue_new(store->options.clock, wait_ns);
	if (!c->queue) {
		free(c);
		return NULL;
	}
	return c;
}

void committer_free(struct committer *c)
{
	if (!c)
		return;
	for (size_t i = 0; i < c->found_count; i++)
		container_unref(c->found[i].container);
	free(c->found);
	queue_free(c->queue);
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

void committer_submit(struct committer *c, struct ticket *t)
{
	t->container = NULL;
	queue_put(c->queue, t);
}

void committer_withdraw_late(struct committer *c)
{
	queue_withdraw_late(c->queue);
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
	if (r < 0)
		(void)err_set(&err, r, "make room for %zu containers", b->creations);
	else
		r = ops->commit(c->store->backend, b->changes, b->change_count, b->durable, &err);
	if (r < 0) {
		atomic_fetch_add(&c->failures, 1);
		if (r != -EAGAIN && r != -EROFS)
			report(c, &err);
		return r;
	}
	done = batch_keep_done(b);
	c->unsynced = !b->durable || done < b->change_count;
	store_apply(c->store, b->changes, done);
	if (b->change_count)
		count_batch(c, b->change_count, mono_now(c) - start);
	return 0;
}

/* Decide and commit the tickets of a list, as many as one batch holds; returns the rest. */
static struct ticket *run_batch(struct committer *c, struct ticket *list)
{
	struct ticket *again = NULL;
	struct batch *b = &c->batch;
	int r;

	while (list && !batch_is_full(b)) {
		struct ticket *t = list;

		list = t->next;
		batch_decide(b, c->store, t, &c->proposed);
	}
	r = commit(c);
	if (r == 0) {
		batch_answer(b);
	} else {
		/* Deletions free space, and may go on where nothing else can. */
		bool spare = (r == -ENOSPC || r == -EDQUOT) && !batch_is_deletions_alone(b);

		if (spare)
			again = batch_deletions(b);
		batch_answer_failed(b, end_of_fault(r), spare);
	}
	batch_reset(b);
	while (again)
		again = run_batch(c, again); /* deletions alone: goes no deeper */
	return list;
}

static void refuse_list(struct ticket *list, enum change_end end)
{
	while (list) {
		struct ticket *t = list;

		list = t->next;
		ticket_finish(t, end);
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
		batch_add_change(b, kind, container_ref(f->container), next);
	}
	b->durable = true;
	if (r == 0)
		r = commit(c);
	if (r == 0 && b->unknown)
		r = -EROFS; /* written down again later: twice does no harm, not at all would */
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

	c->next_upkeep_ns = mono_now(c) + RETRY_NS;
	if (!c->opened && ops->open(c->store->backend, &err) < 0) {
		if (strcmp(c->told, err.text) != 0)
			report(c, &err);
		memcpy(c->told, err.text, sizeof c->told);
		atomic_store(&c->cause, "the journal cannot be opened for writing; the log says why");
		return;
	}
	c->opened = true;
	if (settle_found(c) < 0) {
		(void)ops->upkeep(c->store->backend, mono_now(c));
		return;
	}
	free(take(c->found));
	c->found_room = 0;
	c->next_upkeep_ns = 0;
	atomic_store(&c->writable, true);
}

static void do_upkeep(struct committer *c)
{
	if (!atomic_load(&c->writable))
		try_to_open(c);
	else
		c->next_upkeep_ns = c->store->backend->ops->upkeep(c->store->backend, mono_now(c));
}

static void *committer_run(void *arg)
{
	struct committer *c = arg;
	bool closed = false;

	try_to_open(c);
	while (!closed) {
		struct ticket *list = queue_take(c->queue, c->next_upkeep_ns, &closed);

		if (list && !atomic_load(&c->writable))
			refuse_list(list, CHANGE_E_READ_ONLY);
		else if (list)
			queue_give_back(c->queue, run_batch(c, list));
		/* After each batch, but opening is tried once a second only. */
		if ((list && atomic_load(&c->writable)) || mono_now(c) >= c->next_upkeep_ns)
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
	bool closed = false;

	queue_close(c->queue);
	if (c->running)
		thread_join(c->thread);
	c->running = false;
	/* What was put in before a start that never came. */
	do
		refuse_list(queue_take(c->queue, 0, &closed), CHANGE_E_SHUTTING_DOWN);
	while (!closed);
}

const char *committer_read_only(struct committer *c)
{
	struct backend_figures figures = { 0 };

	if (!c->store->backend)
		return "stopped";
	c->store->backend->ops->figures(c->store->backend, &figures);
	if (figures.read_only)
		return figures.read_only;
	return atomic_load(&c->writable) ? NULL : atomic_load(&c->cause);
}

void committer_figures(struct committer *c, struct store_figures *ret)
{
	queue_figures(c->queue, &ret->waiting, &ret->refused_full, &ret->withdrawn);
	ret->commits = atomic_load(&c->commits);
	ret->changes = atomic_load(&c->changes);
	ret->commit_failures = atomic_load(&c->failures);
	ret->commit = &c->commit_ns;
	for (size_t i = 0; i < COUNT(c->sizes); i++)
		ret->batch_sizes[i] = atomic_load(&c->sizes[i]);
}
