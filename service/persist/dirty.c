#include "persist/dirty.h"

#include <errno.h>
#include <string.h>

#include "container/id.h"
#include "persist/checkpoint_file.h"

enum { FIRST_BUCKETS = 1024 };

/* Bits that tell about the files on disk rather than about the container: a newer change does not undo them. */
static const unsigned about_files = TODO_SET_STATUS_ASIDE | TODO_SET_METADATA_ASIDE | TODO_REDO | TODO_SWEEP;

void dirty_init(struct dirty *d)
{
	*d = (struct dirty){ 0 };
	d->queue.prev = d->queue.next = &d->queue;
}

static void free_chain(struct dirty_item *item)
{
	while (item) {
		struct dirty_item *next = item->chain;

		container_unref(item->snapshot);
		container_unref(item->later);
		free(item);
		item = next;
	}
}

void dirty_done(struct dirty *d)
{
	for (size_t i = 0; i < d->bucket_count; i++)
		free_chain(d->bucket[i]);
	free_chain(d->free);
	free(d->bucket);
	dirty_init(d);
}

/* ---- places ---- */

static struct dirty_item **bucket_of(const struct dirty *d, const char *id)
{
	return &d->bucket[id_hash(id) & (d->bucket_count - 1)];
}

static int grow(struct dirty *d, size_t want)
{
	struct dirty old = *d;
	size_t count = d->bucket_count ? d->bucket_count : FIRST_BUCKETS;

	while (count < want)
		count *= 2;
	if (count == d->bucket_count)
		return 0;
	d->bucket = calloc(count, sizeof(struct dirty_item *));
	if (!d->bucket) {
		d->bucket = old.bucket;
		return -ENOMEM;
	}
	d->bucket_count = count;
	for (size_t i = 0; i < old.bucket_count; i++)
		while (old.bucket[i]) {
			struct dirty_item *item = old.bucket[i], **at = bucket_of(d, container_id(item->snapshot));

			old.bucket[i] = item->chain;
			item->chain = *at;
			*at = item;
		}
	free(old.bucket);
	return 0;
}

int dirty_reserve(struct dirty *d, size_t n)
{
	while (d->free_count < n) {
		struct dirty_item *item = calloc(1, sizeof *item);

		if (!item)
			return -ENOMEM;
		item->chain = d->free;
		d->free = item;
		d->free_count++;
	}
	return grow(d, d->count + n);
}

static struct dirty_item *find(const struct dirty *d, const char *id)
{
	struct dirty_item *item;

	for (item = *bucket_of(d, id); item; item = item->chain)
		if (!strcmp(container_id(item->snapshot), id))
			return item;
	return NULL;
}

static struct dirty_item *new_item(struct dirty *d, struct container *c)
{
	struct dirty_item *item = d->free, **at = bucket_of(d, container_id(c));

	d->free = item->chain;
	d->free_count--;
	*item = (struct dirty_item){ .chain = *at, .snapshot = container_ref(c), .first_revision = UINT64_MAX };
	*at = item;
	d->count++;
	return item;
}

static void enqueue(struct dirty *d, struct dirty_item *item)
{
	item->prev = d->queue.prev;
	item->next = &d->queue;
	item->prev->next = item->next->prev = item;
	item->place = DIRTY_QUEUED;
	d->queued++;
}

static void unqueue(struct dirty *d, struct dirty_item *item)
{
	item->prev->next = item->next;
	item->next->prev = item->prev;
	d->queued--;
}

/* Take it out of its bucket; it is free then. */
static void forget(struct dirty *d, struct dirty_item *item)
{
	struct dirty_item **at = bucket_of(d, container_id(item->snapshot));

	while (*at != item)
		at = &(*at)->chain;
	*at = item->chain;
	d->count--;
	*item = (struct dirty_item){ .chain = d->free };
	d->free = item;
	d->free_count++;
}

/* ---- noting ---- */

static unsigned add_todo(unsigned todo, unsigned more)
{
	/* A deletion leaves nothing else to write; what comes after it writes everything anew. */
	if ((todo | more) & TODO_DELETE)
		todo &= about_files;
	return todo | more;
}

static struct container *note_later(struct dirty_item *item, struct container *c, unsigned todo, uint64_t revision, int64_t now_ns)
{
	struct container *old = item->later;

	if (!old) {
		item->later_first = revision;
		item->later_since_ns = now_ns;
		item->later_todo = 0;
	}
	item->later = container_ref(c);
	item->later_todo = add_todo(item->later_todo, todo);
	return old;
}

struct container *dirty_note(struct dirty *d, struct container *c, unsigned todo, uint64_t revision, int64_t now_ns)
{
	struct dirty_item *item = find(d, container_id(c));
	struct container *old = NULL;

	if (item && item->place == DIRTY_TAKEN)
		return note_later(item, c, todo, revision, now_ns);
	if (item) {
		old = item->snapshot;
		item->snapshot = container_ref(c);
	} else {
		item = new_item(d, c);
	}
	if (item->first_revision > revision)
		item->first_revision = revision;
	item->todo = add_todo(item->todo, todo);
	if (item->place == DIRTY_HELD) {
		item->since_ns = now_ns;
		enqueue(d, item);
	}
	return old;
}

void dirty_add(struct dirty *d, struct container *c, unsigned todo, uint64_t first_revision, bool held, int64_t now_ns)
{
	struct dirty_item *item = new_item(d, c);

	item->todo = todo;
	item->first_revision = first_revision;
	item->since_ns = now_ns;
	if (!held)
		enqueue(d, item);
}

/* ---- rounds ---- */

size_t dirty_take(struct dirty *d, struct dirty_item **ret, size_t max, int64_t before_ns, int64_t now_ns)
{
	struct dirty_item *item, *next;
	size_t n = 0;

	for (item = d->queue.next; item != &d->queue && n < max; item = next) {
		next = item->next;
		if (item->since_ns > before_ns || item->retry_ns > now_ns)
			continue;
		unqueue(d, item);
		item->place = DIRTY_TAKEN;
		ret[n++] = item;
	}
	return n;
}

size_t dirty_settle(struct dirty *d, struct dirty_item *item, bool done, int64_t retry_ns, struct container *ret_drop[static 2])
{
	size_t n = 0;

	if (done && !item->later) {
		ret_drop[n++] = item->snapshot;
		/* The bucket is found by the snapshot's id, which lives until the caller drops it. */
		forget(d, item);
		return n;
	}
	if (done) {
		item->todo = item->later_todo;
		item->first_revision = item->later_first;
		item->since_ns = item->later_since_ns;
	} else {
		item->todo = item->later ? add_todo(item->todo, item->later_todo) : item->todo;
		item->retry_ns = retry_ns;
		if (item->first_revision > item->later_first && item->later)
			item->first_revision = item->later_first;
	}
	if (item->later) {
		ret_drop[n++] = item->snapshot;
		item->snapshot = take(item->later);
	}
	if (done)
		item->retry_ns = 0;
	enqueue(d, item);
	return n;
}

struct dirty_view dirty_look(const struct dirty *d, int64_t age_ns)
{
	struct dirty_view view = { UINT64_MAX, INT64_MAX, INT64_MAX };
	const struct dirty_item *item;

	for (item = d->queue.next; item != &d->queue; item = item->next) {
		int64_t due = item->since_ns + age_ns > item->retry_ns ? item->since_ns + age_ns : item->retry_ns;

		if (view.first_revision > item->first_revision)
			view.first_revision = item->first_revision;
		if (view.oldest_ns > item->since_ns)
			view.oldest_ns = item->since_ns;
		if (view.due_ns > due)
			view.due_ns = due;
	}
	return view;
}
