#include "linear/visited.h"

#include <stdlib.h>
#include <string.h>

enum { WORD = 64 };

/* <words> are the set from the first word that is not full to the last that is not empty, then the optional operations. */
struct seen_pair {
	uint64_t hash;
	struct state state;
	uint32_t base, count;
	uint64_t words[];
};

struct chunk {
	struct chunk *next;
	uint64_t bytes[];
};

void *visited_need(size_t count, size_t size)
{
	void *p = calloc(count ? count : 1, size);

	if (!p)
		abort();
	return p;
}

void visited_init(struct visited *v, size_t required, size_t optional)
{
	*v = (struct visited){ .required = required, .room = 1024 };
	v->set = visited_need(required / WORD + 1, sizeof *v->set);
	v->optional_words = (optional + WORD - 1) / WORD;
	v->optional = visited_need(v->optional_words, sizeof *v->optional);
	v->table = visited_need(v->room, sizeof(struct seen_pair *));
}

void visited_done(struct visited *v)
{
	while (v->chunks) {
		struct chunk *c = v->chunks;

		v->chunks = c->next;
		free(c);
	}
	free(v->table);
	free(v->optional);
	free(v->set);
}

/* ---- the set ---- */

void visited_add(struct visited *v, uint32_t op)
{
	size_t word = op / WORD;

	if (op >= v->required) {
		v->optional[(op - v->required) / WORD] |= UINT64_C(1) << (op - v->required) % WORD;
		return;
	}
	v->set[word] |= UINT64_C(1) << op % WORD;
	if (word > v->top)
		v->top = word;
	while (v->set[v->base] == UINT64_MAX)
		v->base++; /* stops at the last word, which is never full */
}

void visited_take(struct visited *v, uint32_t op)
{
	size_t word = op / WORD;

	if (op >= v->required) {
		v->optional[(op - v->required) / WORD] &= ~(UINT64_C(1) << (op - v->required) % WORD);
		return;
	}
	v->set[word] &= ~(UINT64_C(1) << op % WORD);
	if (word < v->base)
		v->base = word;
	while (v->top > 0 && v->set[v->top] == 0)
		v->top--;
}

bool visited_has(const struct visited *v, size_t op)
{
	return v->optional[(op - v->required) / WORD] >> (op - v->required) % WORD & 1;
}

/* ---- pairs met before ---- */

static uint64_t mix(uint64_t hash, uint64_t word)
{
	hash = (hash ^ word) * UINT64_C(0x9e3779b97f4a7c15);
	return hash ^ hash >> 29;
}

static size_t window(const struct visited *v)
{
	return v->top >= v->base ? v->top - v->base + 1 : 0;
}

static uint64_t hash_of(const struct visited *v, const struct state *state)
{
	uint64_t hash = mix(mix(mix(v->base, state->value), state->revision), state->floor);

	for (size_t i = 0; i < window(v); i++)
		hash = mix(hash, v->set[v->base + i]);
	for (size_t i = 0; i < v->optional_words; i++)
		hash = mix(hash, v->optional[i]);
	return hash;
}

static bool is_pair(const struct seen_pair *p, const struct visited *v, const struct state *state, uint64_t hash)
{
	size_t n = window(v);

	return p->hash == hash && p->base == v->base && p->count == n + v->optional_words &&
	       p->state.value == state->value && p->state.revision == state->revision && p->state.floor == state->floor &&
	       !memcmp(p->words, v->set + v->base, n * sizeof *v->set) &&
	       !memcmp(p->words + n, v->optional, v->optional_words * sizeof *v->optional);
}

static void *carve(struct visited *v, size_t bytes)
{
	enum { CHUNK_WORDS = 1 << 17 };
	size_t words = (bytes + 7) / 8;
	void *p;

	if (!v->chunks || v->chunk_used + words > CHUNK_WORDS) {
		struct chunk *c = visited_need(1, sizeof *c + (words > CHUNK_WORDS ? words : CHUNK_WORDS) * 8);

		c->next = v->chunks;
		v->chunks = c;
		v->chunk_used = 0;
	}
	p = v->chunks->bytes + v->chunk_used;
	v->chunk_used += words;
	return p;
}

static size_t slot_of(struct seen_pair *const *table, size_t room, uint64_t hash)
{
	size_t i = hash & (room - 1);

	while (table[i] && table[i]->hash != hash)
		i = (i + 1) & (room - 1);
	return i;
}

static void grow_table(struct visited *v)
{
	size_t room = 2 * v->room;
	struct seen_pair **grown = visited_need(room, sizeof *grown);

	for (size_t i = 0; i < v->room; i++) {
		size_t at;

		if (!v->table[i])
			continue;
		for (at = v->table[i]->hash & (room - 1); grown[at]; at = (at + 1) & (room - 1))
			;
		grown[at] = v->table[i];
	}
	free(v->table);
	v->table = grown;
	v->room = room;
}

/* Remember the set as it is with this state; false when it was met before. */
bool visited_remember(struct visited *v, const struct state *state)
{
	uint64_t hash = hash_of(v, state);
	size_t n = window(v), at = slot_of(v->table, v->room, hash);
	struct seen_pair *p;

	for (; v->table[at]; at = (at + 1) & (v->room - 1))
		if (is_pair(v->table[at], v, state, hash))
			return false;
	p = carve(v, sizeof *p + (n + v->optional_words) * sizeof p->words[0]);
	*p = (struct seen_pair){ hash, *state, (uint32_t)v->base, (uint32_t)(n + v->optional_words) };
	memcpy(p->words, v->set + v->base, n * sizeof *v->set);
	memcpy(p->words + n, v->optional, v->optional_words * sizeof *v->optional);
	v->table[at] = p;
	if (2 * ++v->count > v->room)
		grow_table(v);
	return true;
}
