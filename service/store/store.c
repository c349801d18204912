#include "store/store_internal.h"

#include <errno.h>
#include <string.h>

const struct shown *store_see(const struct store *s)
{
	return &s->shown_;
}

struct shown *store_edit(struct store *s)
{
	return &s->shown_;
}

static const char *key_of_container(const void *item)
{
	return container_id(item);
}

static const char *key_of_name(const void *item)
{
	return metadata_value(item)->name;
}

static const char *tie_of_name(const void *item)
{
	return metadata_value(item)->id;
}

/* ---- life ---- */

struct store *store_new(struct backend *backend, const struct store_options *options)
{
	struct store *s = calloc(1, sizeof *s);

	if (!s)
		goto fail;
	s->backend = backend;
	s->options = *options;
	rwlock_init(&s->lock, RANK_STORE);
	s->shown_.by_id = index_new(key_of_container, NULL);
	s->shown_.by_name = index_new(key_of_name, tie_of_name);
	s->committer = committer_new(s);
	if (!s->shown_.by_id || !s->shown_.by_name || !s->committer) {
		store_free(s);
		return NULL;
	}
	return s;

fail:
	backend->ops->close(backend);
	return NULL;
}

static void drop_containers(struct index *by_id)
{
	struct index_cursor c = index_seek(by_id, "");
	struct container *box;

	while ((box = index_next(by_id, &c)))
		container_unref(box);
}

void store_free(struct store *s)
{
	if (!s)
		return;
	store_stop(s);
	committer_free(s->committer);
	if (s->shown_.by_id)
		drop_containers(s->shown_.by_id);
	index_free(s->shown_.by_name);
	index_free(s->shown_.by_id);
	rwlock_done(&s->lock);
	free(s);
}

void store_stop(struct store *s)
{
	if (s->committer)
		committer_stop(s->committer);
	if (s->backend)
		s->backend->ops->close(s->backend);
	s->backend = NULL;
}

/* ---- loading ---- */

struct loading {
	struct store *store;
	void (*progress)(void *cls, size_t done, size_t total);
	void *progress_cls;
	int failed; /* the first error */
};

static void take_found(void *cls, struct container *c, unsigned flags)
{
	struct loading *l = cls;
	int r = 0;

	if (flags)
		r = committer_note_found(l->store->committer, container_ref(c), flags);
	if (r == 0)
		r = store_insert_loaded(l->store, c);
	else
		container_unref(c);
	if (r < 0 && !l->failed)
		l->failed = r;
}

static void tell_progress(void *cls, size_t done, size_t total)
{
	struct loading *l = cls;

	if (l->progress)
		l->progress(l->progress_cls, done, total);
}

int store_load(struct store *s, void (*progress)(void *cls, size_t done, size_t total), void *cls, struct err *err)
{
	struct loading l = { .store = s, .progress = progress, .progress_cls = cls };
	const struct backend_loader loader = { take_found, tell_progress, &l };
	struct backend_loaded loaded = { 0 };
	int r = s->backend->ops->load(s->backend, &loader, &loaded, err);

	if (r < 0)
		return r;
	if (l.failed)
		return err_set(err, l.failed, "keep what was loaded");
	memcpy(s->token_key, loaded.token_key, sizeof s->token_key);
	s->loaded_revision = loaded.revision;
	rwlock_write(&s->lock);
	store_edit(s)->revision = loaded.shown;
	rwlock_write_unlock(&s->lock);
	return 0;
}

int store_start(struct store *s, struct err *err)
{
	return committer_start(s->committer, s->loaded_revision, err);
}

/* ---- showing changes ---- */

static void count_state(struct store *s, const struct container *c, long step)
{
	atomic_fetch_add_explicit(&s->by_state[container_state(c)], (unsigned long long)step, memory_order_relaxed);
}

int store_reserve(struct store *s, size_t n)
{
	int r;

	if (n == 0)
		return 0;
	/* Readers walk the directory of chunks, which may move when it grows. */
	rwlock_write(&s->lock);
	r = index_reserve(store_edit(s)->by_id, n);
	if (r == 0)
		r = index_reserve(store_edit(s)->by_name, n);
	rwlock_write_unlock(&s->lock);
	return r;
}

static bool has_name(const struct container *c)
{
	return metadata_value(container_metadata(c))->name[0] != '\0';
}

/* Put in or replace.  The container that was there is returned, the caller's to drop after the lock. */
static struct container *show(struct shown *shown, struct container *c)
{
	struct container *old = index_put(shown->by_id, container_ref(c));

	/* Metadata of the same name and id is replaced too: the old one may go with its last snapshot. */
	if (has_name(c) && (!old || container_metadata(old) != container_metadata(c)))
		(void)index_put(shown->by_name, container_metadata(c));
	return old;
}

static struct container *hide(struct shown *shown, const struct container *last)
{
	const char *id = container_id(last);

	if (has_name(last))
		(void)index_take(shown->by_name, metadata_value(container_metadata(last))->name, id);
	return index_take(shown->by_id, id, NULL);
}

int store_insert_loaded(struct store *s, struct container *c)
{
	int r = store_reserve(s, 1);

	if (r == 0) {
		rwlock_write(&s->lock);
		container_unref(show(store_edit(s), c));
		rwlock_write_unlock(&s->lock);
		count_state(s, c, 1);
	}
	container_unref(c);
	return r;
}

static void count_change(struct store *s, const struct backend_change *change)
{
	if (change->previous)
		count_state(s, change->previous, -1);
	if (change->kind != BACKEND_DELETE)
		count_state(s, change->next, 1);
	if (!change->previous)
		atomic_fetch_add_explicit(&s->created, 1, memory_order_relaxed);
	else if (change->kind == BACKEND_DELETE)
		atomic_fetch_add_explicit(&s->deleted, 1, memory_order_relaxed);
	else
		atomic_fetch_add_explicit(
			&s->transitions[container_state(change->previous)][container_state(change->next)], 1,
			memory_order_relaxed);
}

void store_apply(struct store *s, const struct backend_change *changes, size_t n)
{
	struct container *old[STORE_BATCH_MAX];

	rwlock_write(&s->lock);
	for (size_t i = 0; i < n; i++) {
		bool is_deletion = changes[i].kind == BACKEND_DELETE;

		old[i] = is_deletion ? hide(store_edit(s), changes[i].next) : show(store_edit(s), changes[i].next);
		store_edit(s)->revision = changes[i].revision;
	}
	rwlock_write_unlock(&s->lock);
	for (size_t i = 0; i < n; i++) {
		count_change(s, &changes[i]);
		container_unref(old[i]); /* free may be slow: never under the lock */
	}
}

/* ---- reading ---- */

void candidates_free(struct candidates *c)
{
	for (size_t i = 0; i < c->count; i++)
		container_unref(c->at[i]);
	c->count = 0;
}

struct container *store_get(struct store *s, const char *id)
{
	struct container *c;

	rwlock_read(&s->lock);
	c = index_get(store_see(s)->by_id, id, NULL);
	if (c)
		(void)container_ref(c);
	rwlock_read_unlock(&s->lock);
	return c;
}

/* References to the containers of exactly this name; at most <max>. */
static size_t with_name(const struct shown *shown, const char *name, struct container **ret, size_t max)
{
	struct index_cursor cursor = index_seek(shown->by_name, name);
	const struct metadata *m;
	size_t n = 0;

	while (n < max && (m = index_next(shown->by_name, &cursor)) && !strcmp(metadata_value(m)->name, name))
		ret[n++] = container_ref(index_get(shown->by_id, metadata_value(m)->id, NULL));
	return n;
}

static enum store_find find_locked(const struct shown *shown, const char *ref, struct container **ret, struct candidates *few)
{
	struct container *named[STORE_CANDIDATES];
	struct container *c = index_get(shown->by_id, ref, NULL);
	size_t n;

	if (c) {
		*ret = container_ref(c);
		return STORE_EXACT;
	}
	few->count = store_with_prefix(shown->by_id, ref, few->at, STORE_CANDIDATES);
	if (few->count == 1) {
		*ret = few->at[0];
		few->count = 0;
		return STORE_PREFIX;
	}
	n = with_name(shown, ref, named, STORE_CANDIDATES);
	if (n == 1) {
		*ret = named[0];
		return STORE_NAME;
	}
	if (few->count) { /* ids come first: what begins so hides who is called so */
		while (n > 0)
			container_unref(named[--n]);
		return STORE_AMBIGUOUS;
	}
	while (few->count < n) {
		few->at[few->count] = named[few->count];
		few->count++;
	}
	return n ? STORE_AMBIGUOUS_NAME : STORE_NOT_FOUND;
}

size_t store_find_begun(struct store *s, const char *start, struct candidates *ret)
{
	*ret = (struct candidates){ 0 };
	rwlock_read(&s->lock);
	ret->count = store_with_prefix(store_see(s)->by_id, start, ret->at, STORE_CANDIDATES);
	rwlock_read_unlock(&s->lock);
	if (ret->count && !strcmp(container_id(ret->at[0]), start)) { /* the first in order */
		container_unref(ret->at[0]);
		memmove(&ret->at[0], &ret->at[1], --ret->count * sizeof(ret->at[0]));
	}
	return ret->count;
}

enum store_find store_find(struct store *s, const char *ref, struct container **ret, struct candidates *ret_candidates)
{
	struct candidates few = { 0 };
	enum store_find found;

	if (ref[0] == '\0')
		return STORE_NOT_FOUND;
	rwlock_read(&s->lock);
	found = find_locked(store_see(s), ref, ret, &few);
	rwlock_read_unlock(&s->lock);
	if (ret_candidates && (found == STORE_AMBIGUOUS || found == STORE_AMBIGUOUS_NAME))
		*ret_candidates = few;
	else
		candidates_free(&few);
	return found;
}

uint64_t store_revision(struct store *s)
{
	uint64_t revision;

	rwlock_read(&s->lock);
	revision = store_see(s)->revision;
	rwlock_read_unlock(&s->lock);
	return revision;
}

const uint8_t *store_token_key(const struct store *s)
{
	return s->token_key;
}

const struct clock *store_clock(const struct store *s)
{
	return s->options.clock;
}

/* ---- changing, as the committer does it ---- */

void store_submit(struct store *s, struct ticket *t)
{
	committer_submit(s->committer, t);
}

void store_withdraw_late(struct store *s)
{
	committer_withdraw_late(s->committer);
}

void ticket_clear(struct ticket *t)
{
	container_unref(t->container);
	t->container = NULL;
}

struct waiter {
	struct mutex mutex;
	struct cond cond;
	bool done;
};

static void wake_waiter(struct ticket *t)
{
	struct waiter *w = t->cls;

	mutex_lock(&w->mutex);
	w->done = true;
	cond_wake_one(&w->cond);
	mutex_unlock(&w->mutex);
}

void store_change(struct store *s, struct ticket *t)
{
	struct waiter w = { 0 };

	mutex_init(&w.mutex, RANK_LOG);
	cond_init(&w.cond);
	t->done = wake_waiter;
	t->cls = &w;
	store_submit(s, t);
	mutex_lock(&w.mutex);
	while (!w.done)
		cond_wait(&w.cond, &w.mutex);
	mutex_unlock(&w.mutex);
	cond_done(&w.cond);
	mutex_done(&w.mutex);
}

const char *store_read_only(struct store *s)
{
	return committer_read_only(s->committer);
}

void store_figures(struct store *s, struct store_figures *ret)
{
	*ret = (struct store_figures){ .revision = store_revision(s), .loaded_revision = s->loaded_revision };
	for (size_t from = 0; from < CONTAINER_STATE_COUNT; from++) {
		ret->containers[from] = atomic_load_explicit(&s->by_state[from], memory_order_relaxed);
		for (size_t to = 0; to < CONTAINER_STATE_COUNT; to++)
			ret->transitions[from][to] = atomic_load_explicit(&s->transitions[from][to], memory_order_relaxed);
	}
	ret->created = atomic_load_explicit(&s->created, memory_order_relaxed);
	ret->deleted = atomic_load_explicit(&s->deleted, memory_order_relaxed);
	committer_figures(s->committer, ret);
	if (!s->backend)
		return;
	ret->backend_name = s->backend->ops->name;
	s->backend->ops->figures(s->backend, &ret->backend);
}
