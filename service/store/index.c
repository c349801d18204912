#include "store/index.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>

enum { CHUNK_ROOM = 64 };

struct entry {
	uint64_t head; /* first eight bytes of the key, zero-padded, big-endian: compares as the text does */
	void *item;
};

struct chunk {
	size_t count;
	struct entry at[CHUNK_ROOM];
	struct chunk *next_spare;
};

struct index {
	index_key *key, *tie;
	size_t count;
	struct chunk **chunks; /* owned; in order; none is empty */
	size_t chunk_count, chunk_room;
	struct chunk *spares; /* owned */
	size_t spare_count;
};
/*
 * 1. Keys (then ties) rise strictly within a chunk and from chunk to chunk.
 * 2. Every chunk holds 1 to CHUNK_ROOM entries.
 */

struct index *index_new(index_key *key, index_key *tie)
{
	struct index *x = calloc(1, sizeof *x);

	if (!x)
		return NULL;
	x->key = key;
	x->tie = tie;
	return x;
}

void index_free(struct index *x)
{
	if (!x)
		return;
	for (size_t i = 0; i < x->chunk_count; i++)
		free(x->chunks[i]);
	while (x->spares) {
		struct chunk *c = x->spares;

		x->spares = c->next_spare;
		free(c);
	}
	free(x->chunks);
	free(x);
}

static uint64_t head_of(const char *key)
{
	uint64_t head = 0;

	for (int i = 0; i < 8 && key[i]; i++)
		head |= (uint64_t)(unsigned char)key[i] << (56 - 8 * i);
	return head;
}

/* What is looked for. */
struct probe {
	uint64_t head;
	const char *key, *tie;
};

static struct probe probe_for(const char *key, const char *tie)
{
	return (struct probe){ head_of(key), key, tie };
}

/* < 0: the entry stands before the probe.  A NULL tie stands before every tie. */
static int compare(const struct index *x, const struct entry *e, const struct probe *p)
{
	int order;

	if (e->head != p->head)
		return e->head < p->head ? -1 : 1;
	order = strcmp(x->key(e->item), p->key);
	if (order || !x->tie)
		return order;
	return p->tie ? strcmp(x->tie(e->item), p->tie) : 1;
}

/* The last chunk whose first entry is not behind the probe; 0 when there is none. */
static size_t find_chunk(const struct index *x, const struct probe *p)
{
	size_t low = 0, high = x->chunk_count;

	while (high - low > 1) {
		size_t middle = low + (high - low) / 2;

		if (compare(x, &x->chunks[middle]->at[0], p) <= 0)
			low = middle;
		else
			high = middle;
	}
	return low;
}

/* The first entry of the chunk that does not stand before the probe; its count when all do. */
static size_t find_entry(const struct index *x, const struct chunk *c, const struct probe *p)
{
	size_t low = 0, high = c->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (compare(x, &c->at[middle], p) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

int index_reserve(struct index *x, size_t n)
{
	while (x->spare_count < n) {
		struct chunk *c = malloc(sizeof *c);

		if (!c)
			return -ENOMEM;
		c->next_spare = x->spares;
		x->spares = c;
		x->spare_count++;
	}
	if (x->chunk_room - x->chunk_count < n) {
		size_t want = 2 * x->chunk_room + n;
		struct chunk **grown = realloc(x->chunks, want * sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		x->chunks = grown;
		x->chunk_room = want;
	}
	return 0;
}

static struct chunk *take_spare(struct index *x)
{
	struct chunk *c = x->spares;

	if (!c || x->chunk_count == x->chunk_room)
		abort(); /* not reserved: a bug in the caller */
	x->spares = c->next_spare;
	x->spare_count--;
	c->count = 0;
	return c;
}

static void insert_chunk(struct index *x, size_t i, struct chunk *c)
{
	memmove(&x->chunks[i + 1], &x->chunks[i], (x->chunk_count - i) * sizeof(x->chunks[0]));
	x->chunks[i] = c;
	x->chunk_count++;
}

static void remove_chunk(struct index *x, size_t i)
{
	struct chunk *c = x->chunks[i];

	x->chunk_count--;
	memmove(&x->chunks[i], &x->chunks[i + 1], (x->chunk_count - i) * sizeof(x->chunks[0]));
	c->next_spare = x->spares;
	x->spares = c;
	x->spare_count++;
}

/* Split a full chunk before place <at> is used.  Keys that come in rising order leave full chunks behind. */
static void split(struct index *x, size_t i, size_t at)
{
	struct chunk *left = x->chunks[i], *right = take_spare(x);
	size_t keep = at == CHUNK_ROOM && i + 1 == x->chunk_count ? CHUNK_ROOM : CHUNK_ROOM / 2;

	right->count = CHUNK_ROOM - keep;
	memcpy(right->at, &left->at[keep], right->count * sizeof(right->at[0]));
	left->count = keep;
	insert_chunk(x, i + 1, right);
}

static void insert_entry(struct chunk *c, size_t at, struct entry e)
{
	memmove(&c->at[at + 1], &c->at[at], (c->count - at) * sizeof(c->at[0]));
	c->at[at] = e;
	c->count++;
}

void *index_put(struct index *x, void *item)
{
	struct probe p = probe_for(x->key(item), x->tie ? x->tie(item) : NULL);
	struct entry e = { p.head, item };
	size_t i, at;

	if (x->chunk_count == 0)
		insert_chunk(x, 0, take_spare(x));
	i = find_chunk(x, &p);
	at = find_entry(x, x->chunks[i], &p);
	if (at < x->chunks[i]->count && compare(x, &x->chunks[i]->at[at], &p) == 0) {
		void *old = x->chunks[i]->at[at].item;

		x->chunks[i]->at[at] = e;
		return old;
	}
	if (x->chunks[i]->count == CHUNK_ROOM) {
		split(x, i, at);
		if (at >= x->chunks[i]->count) {
			at -= x->chunks[i]->count;
			i++;
		}
	}
	insert_entry(x->chunks[i], at, e);
	x->count++;
	return NULL;
}

/* The place of an exact match: false when there is none. */
static bool locate(const struct index *x, const struct probe *p, size_t *ret_chunk, size_t *ret_at)
{
	if (x->chunk_count == 0)
		return false;
	*ret_chunk = find_chunk(x, p);
	*ret_at = find_entry(x, x->chunks[*ret_chunk], p);
	return *ret_at < x->chunks[*ret_chunk]->count && compare(x, &x->chunks[*ret_chunk]->at[*ret_at], p) == 0;
}

void *index_take(struct index *x, const char *key, const char *tie)
{
	struct probe p = probe_for(key, tie);
	struct chunk *c;
	size_t i, at;
	void *item;

	if (!locate(x, &p, &i, &at))
		return NULL;
	c = x->chunks[i];
	item = c->at[at].item;
	c->count--;
	memmove(&c->at[at], &c->at[at + 1], (c->count - at) * sizeof(c->at[0]));
	if (c->count == 0)
		remove_chunk(x, i);
	x->count--;
	return item;
}

void *index_get(const struct index *x, const char *key, const char *tie)
{
	struct probe p = probe_for(key, tie);
	size_t i, at;

	return locate(x, &p, &i, &at) ? x->chunks[i]->at[at].item : NULL;
}

size_t index_count(const struct index *x)
{
	return x->count;
}

struct index_cursor index_seek(const struct index *x, const char *key)
{
	struct probe p = probe_for(key, NULL);
	struct index_cursor c = { 0, 0 };

	if (x->chunk_count == 0)
		return c;
	c.chunk = find_chunk(x, &p);
	c.at = find_entry(x, x->chunks[c.chunk], &p);
	return c;
}

void *index_next(const struct index *x, struct index_cursor *c)
{
	while (c->chunk < x->chunk_count && c->at == x->chunks[c->chunk]->count) {
		c->chunk++;
		c->at = 0;
	}
	return c->chunk < x->chunk_count ? x->chunks[c->chunk]->at[c->at++].item : NULL;
}
