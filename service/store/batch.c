#include "store/batch.h"

#include <string.h>

#include "container/id.h"
#include "store/queue.h"

bool batch_is_full(const struct batch *b)
{
	return b->ticket_count == STORE_BATCH_MAX || b->bytes >= BATCH_BYTES;
}

/* ---- the overlay ---- */

/* The place in the overlay where an id stands or would stand. */
static size_t overlay_slot(const struct batch *b, const char *id)
{
	size_t i = id_hash(id) % OVERLAY_SLOTS;

	while (b->overlay[i] && strcmp(container_id(b->changes[b->overlay[i] - 1].next), id) != 0)
		i = (i + 1) % OVERLAY_SLOTS;
	return i;
}

struct container *batch_newest(const struct batch *b, struct store *store, const char *id)
{
	const struct backend_change *change;
	size_t slot;

	if (b->change_count == 0)
		return store_get(store, id);
	slot = overlay_slot(b, id);
	if (!b->overlay[slot])
		return store_get(store, id);
	change = &b->changes[b->overlay[slot] - 1];
	return change->kind == BACKEND_DELETE ? NULL : container_ref(change->next);
}

void batch_add_change(struct batch *b, enum backend_kind kind, struct container *previous, struct container *next)
{
	size_t slot = overlay_slot(b, container_id(next));

	b->changes[b->change_count++] =
		(struct backend_change){ kind, previous, next, container_revision(next), BACKEND_DONE };
	b->overlay[slot] = (uint16_t)b->change_count;
	b->bytes += container_json(next).len + 512; /* the record's own head and the checkpoint's longer names */
	b->creations += kind == BACKEND_CREATE;
}

void batch_reset(struct batch *b)
{
	for (size_t i = 0; i < b->change_count; i++) {
		container_unref(b->changes[i].previous);
		container_unref(b->changes[i].next);
	}
	if (b->change_count)
		memset(b->overlay, 0, sizeof b->overlay);
	b->ticket_count = b->change_count = b->creations = b->bytes = 0;
	b->durable = b->unknown = false;
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
static int decide_change(struct batch *b, struct ticket *t, struct container *newest, uint64_t *proposed)
{
	struct container *next = make_next(t, newest, *proposed + 1);

	if (!next) {
		container_unref(newest);
		t->verdict.end = CHANGE_E_NO_MEMORY;
		return -1;
	}
	++*proposed;
	batch_add_change(b, kind_of_end[t->verdict.end], newest, next);
	t->container = container_ref(next);
	return (int)b->change_count - 1;
}

static bool makes_change(enum change_end end)
{
	return end == CHANGE_CREATED || end == CHANGE_UPDATED || end == CHANGE_DELETED;
}

void batch_decide(struct batch *b, struct store *store, struct ticket *t, uint64_t *proposed)
{
	struct container *newest = batch_newest(b, store, t->change->id);
	int change = -1;

	if (change_decide(t->change, newest, clock_real(store_clock(store)), &t->verdict) < 0)
		t->verdict.end = CHANGE_E_NO_MEMORY;
	if (!makes_change(t->verdict.end))
		t->container = newest;
	else if (t->change->dry_run)
		decide_trial(t, newest);
	else
		change = decide_change(b, t, newest, proposed);
	if (!t->change->relaxed && !t->change->dry_run && change_end_is_success(t->verdict.end))
		b->durable = true;
	b->tickets[b->ticket_count] = t;
	b->change_of[b->ticket_count++] = change;
}

/* ---- answering ---- */

size_t batch_keep_done(struct batch *b)
{
	size_t kept = 0;

	for (size_t i = 0; i < b->change_count; i++)
		b->unknown |= b->changes[i].result != BACKEND_DONE;
	for (size_t i = 0; i < b->ticket_count; i++)
		/* Who changed nothing may have been decided against what is in doubt. */
		if (b->change_of[i] < 0 ? b->unknown : b->changes[b->change_of[i]].result != BACKEND_DONE) {
			ticket_clear(b->tickets[i]);
			b->tickets[i]->verdict.end = CHANGE_E_OUTCOME_UNKNOWN;
		}
	for (size_t i = 0; i < b->change_count; i++) {
		struct backend_change change = b->changes[i];

		if (change.result != BACKEND_DONE)
			continue;
		b->changes[i] = b->changes[kept];
		b->changes[kept++] = change;
	}
	return kept;
}

void batch_answer(struct batch *b)
{
	for (size_t i = 0; i < b->ticket_count; i++)
		b->tickets[i]->done(b->tickets[i]);
}

void batch_answer_failed(struct batch *b, enum change_end end, bool spare_deletions)
{
	for (size_t i = 0; i < b->ticket_count; i++) {
		struct ticket *t = b->tickets[i];

		if (spare_deletions && t->change->kind == CHANGE_DELETE)
			continue;
		ticket_clear(t);
		ticket_finish(t, end);
	}
}

struct ticket *batch_deletions(struct batch *b)
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

bool batch_is_deletions_alone(const struct batch *b)
{
	for (size_t i = 0; i < b->ticket_count; i++)
		if (b->tickets[i]->change->kind != CHANGE_DELETE)
			return false;
	return true;
}
