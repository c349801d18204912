#include "linear/wgl.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WORD = 64, NONE = UINT32_MAX };

/* An operation as it is searched for. */
struct op {
	struct wgl_op seen;
	size_t from; /* its place in the caller's history */
};

/* The calls and returns of the operations that must have a place, in order of time: a list from which a linearized
 * operation is lifted, and into which it is put back. */
struct event {
	int64_t at_ns;
	uint32_t op;
	bool is_return;
	uint32_t next, previous;
};

struct state {
	uint64_t value;    /* 0: absent */
	uint64_t revision; /* of the value; 0: nobody has told yet */
	uint64_t floor;    /* highest revision of the states before */
};

struct frame {
	uint32_t op;
	struct state before;
};

/* A pair of linearized set and state.  <words> are the set from the first word that is not full to the last that is not
 * empty, then the operations without an end. */
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

struct search {
	struct op *ops; /* [0, required) must have a place; [required, total) may have one: UNKNOWN and never seen */
	size_t required, total, left;
	struct event *events; /* events[0] is the head */
	uint32_t *call_of, *return_of;
	uint64_t *set;
	size_t set_words, base, top; /* words below base are full, those above top are empty */
	uint64_t *optional;
	size_t optional_words;
	struct state state;
	struct frame *stack;
	size_t depth;
	uint32_t furthest; /* the latest return that stood in the way */
	struct seen_pair **table;
	size_t table_room, table_count;
	struct chunk *chunks;
	size_t chunk_used;
};

static void *need(size_t count, size_t size)
{
	void *p = calloc(count ? count : 1, size);

	if (!p)
		abort();
	return p;
}

/* ---- the register ---- */

/* The state bears this revision, if it can; <revision> 0 says nothing. */
static bool bind(struct state *s, uint64_t revision)
{
	if (s->value == 0)
		return false;
	if (revision == 0 || s->revision == revision)
		return true;
	if (s->revision != 0 || revision <= s->floor)
		return false;
	s->revision = revision;
	return true;
}

static bool become(struct state *s, uint64_t value, uint64_t revision)
{
	if (s->revision > s->floor)
		s->floor = s->revision;
	s->value = value;
	s->revision = revision;
	return revision == 0 || revision > s->floor;
}

static bool refuses(struct state *s, const struct wgl_op *op)
{
	return bind(s, op->revision) && (op->expected == 0 || s->revision != op->expected);
}

static bool apply_done(struct state *s, const struct wgl_op *op)
{
	switch (op->kind) {
	case WGL_READ:
		return (op->value == 0 || s->value == op->value) && bind(s, op->revision) && bind(s, op->expected);
	case WGL_CREATE:
		return s->value == 0 && become(s, op->value, op->revision);
	case WGL_WRITE:
		return bind(s, op->expected) && become(s, op->value, op->revision);
	case WGL_DELETE:
		return (op->expected == 0 || bind(s, op->expected)) && become(s, 0, 0);
	}
	return false;
}

/* What the register does at <op>; false: it would have answered otherwise. */
static bool apply(struct state *s, const struct wgl_op *op)
{
	switch (op->end) {
	case WGL_DONE:
	case WGL_UNKNOWN:
		return apply_done(s, op);
	case WGL_ABSENT:
		return s->value == 0;
	case WGL_REFUSED:
		return refuses(s, op);
	}
	return false;
}

/* ---- preparing ---- */

struct sight {
	uint64_t value;
	int64_t at_ns;
};

static int compare_u64(uint64_t a, uint64_t b)
{
	return a < b ? -1 : a > b;
}

static int compare_sights(const void *a, const void *b)
{
	const struct sight *x = a, *y = b;
	int by_value = compare_u64(x->value, y->value);

	return by_value ? by_value : (x->at_ns > y->at_ns) - (x->at_ns < y->at_ns);
}

static int compare_revisions(const void *a, const void *b)
{
	return compare_u64(*(const uint64_t *)a, *(const uint64_t *)b);
}

static int compare_calls(const void *a, const void *b)
{
	const struct op *x = a, *y = b;

	return (x->seen.call_ns > y->seen.call_ns) - (x->seen.call_ns < y->seen.call_ns);
}

static bool tells_value(const struct wgl_op *op)
{
	return op->end == WGL_DONE && op->kind != WGL_DELETE && op->value != 0;
}

/* When <value> was first seen; false when it never was. */
static bool first_sight(const struct sight *sights, size_t n, uint64_t value, int64_t *ret_at_ns)
{
	size_t low = 0, high = n;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (sights[middle].value < value)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == n || sights[low].value != value)
		return false;
	*ret_at_ns = sights[low].at_ns;
	return true;
}

/* Is there a revision that somebody was told of without its value, and nobody with it? */
static bool has_unexplained(const struct wgl_op *ops, size_t n)
{
	uint64_t *known = need(n, sizeof *known);
	size_t count = 0;
	bool found = false;

	for (size_t i = 0; i < n; i++)
		if (tells_value(&ops[i]) && ops[i].revision)
			known[count++] = ops[i].revision;
	qsort(known, count, sizeof *known, compare_revisions);
	for (size_t i = 0; i < n && !found; i++) {
		bool told = ops[i].end == WGL_REFUSED || (ops[i].end == WGL_DONE && ops[i].kind == WGL_READ);
		uint64_t revision = told ? ops[i].revision : ops[i].end == WGL_DONE ? ops[i].expected : 0;

		found = revision && !bsearch(&revision, known, count, sizeof *known, compare_revisions);
	}
	free(known);
	return found;
}

/* Sort the history into what must have a place and what may have one; see the header for the three rules. */
static void sort_out(struct search *s, const struct wgl_op *ops, size_t n)
{
	struct sight *sights = need(n, sizeof *sights);
	struct op *optional = need(n, sizeof *optional);
	bool unexplained = has_unexplained(ops, n);
	size_t sight_count = 0, optional_count = 0;

	s->ops = need(n, sizeof *s->ops);
	for (size_t i = 0; i < n; i++)
		if (ops[i].kind == WGL_READ && tells_value(&ops[i]))
			sights[sight_count++] = (struct sight){ ops[i].value, ops[i].return_ns };
	qsort(sights, sight_count, sizeof *sights, compare_sights);
	for (size_t i = 0; i < n; i++) {
		struct op op = { ops[i], i };

		if (op.seen.end == WGL_UNKNOWN && op.seen.value &&
		    first_sight(sights, sight_count, op.seen.value, &op.seen.return_ns)) {
			op.seen.end = WGL_DONE;
			if (op.seen.return_ns < op.seen.call_ns) /* seen before it was asked for: no order will do */
				op.seen.return_ns = op.seen.call_ns;
		}
		if (op.seen.end != WGL_UNKNOWN)
			s->ops[s->required++] = op;
		else if (op.seen.kind == WGL_CREATE || op.seen.kind == WGL_DELETE || (op.seen.kind == WGL_WRITE && unexplained))
			optional[optional_count++] = op;
	}
	qsort(s->ops, s->required, sizeof *s->ops, compare_calls);
	qsort(optional, optional_count, sizeof *optional, compare_calls);
	memcpy(s->ops + s->required, optional, optional_count * sizeof *optional);
	s->total = s->required + optional_count;
	s->left = s->required;
	free(sights);
	free(optional);
}

static int compare_events(const void *a, const void *b)
{
	const struct event *x = a, *y = b;

	if (x->at_ns != y->at_ns)
		return x->at_ns < y->at_ns ? -1 : 1;
	return x->is_return - y->is_return; /* calls first: at the same moment they overlap */
}

static void link_events(struct search *s)
{
	size_t count = 2 * s->required + 1;

	s->events = need(count, sizeof *s->events);
	s->call_of = need(s->required, sizeof *s->call_of);
	s->return_of = need(s->required, sizeof *s->return_of);
	for (size_t i = 0; i < s->required; i++) {
		s->events[1 + 2 * i] = (struct event){ s->ops[i].seen.call_ns, (uint32_t)i, false, 0, 0 };
		s->events[2 + 2 * i] = (struct event){ s->ops[i].seen.return_ns, (uint32_t)i, true, 0, 0 };
	}
	qsort(s->events + 1, count - 1, sizeof *s->events, compare_events);
	for (size_t i = 0; i < count; i++) {
		struct event *e = &s->events[i];

		e->next = i + 1 < count ? (uint32_t)(i + 1) : NONE;
		e->previous = (uint32_t)i - 1;
		if (i > 0)
			*(e->is_return ? &s->return_of[e->op] : &s->call_of[e->op]) = (uint32_t)i;
	}
}

static void search_init(struct search *s, const struct wgl_op *ops, size_t n)
{
	*s = (struct search){ 0 };
	sort_out(s, ops, n);
	link_events(s);
	s->set_words = s->required / WORD + 1;
	s->set = need(s->set_words, sizeof *s->set);
	s->optional_words = (s->total - s->required + WORD - 1) / WORD;
	s->optional = need(s->optional_words, sizeof *s->optional);
	s->stack = need(s->total, sizeof *s->stack);
	s->table_room = 1024;
	s->table = need(s->table_room, sizeof(struct seen_pair *));
}

static void search_done(struct search *s)
{
	while (s->chunks) {
		struct chunk *c = s->chunks;

		s->chunks = c->next;
		free(c);
	}
	free(s->table);
	free(s->stack);
	free(s->optional);
	free(s->set);
	free(s->return_of);
	free(s->call_of);
	free(s->events);
	free(s->ops);
}

/* ---- the set ---- */

static void set_add(struct search *s, uint32_t op)
{
	size_t word = op / WORD;

	if (op >= s->required) {
		s->optional[(op - s->required) / WORD] |= UINT64_C(1) << (op - s->required) % WORD;
		return;
	}
	s->set[word] |= UINT64_C(1) << op % WORD;
	if (word > s->top)
		s->top = word;
	while (s->set[s->base] == UINT64_MAX)
		s->base++; /* stops at the last word, which is never full */
}

static void set_take(struct search *s, uint32_t op)
{
	size_t word = op / WORD;

	if (op >= s->required) {
		s->optional[(op - s->required) / WORD] &= ~(UINT64_C(1) << (op - s->required) % WORD);
		return;
	}
	s->set[word] &= ~(UINT64_C(1) << op % WORD);
	if (word < s->base)
		s->base = word;
	while (s->top > 0 && s->set[s->top] == 0)
		s->top--;
}

static bool set_has_optional(const struct search *s, size_t op)
{
	return s->optional[(op - s->required) / WORD] >> (op - s->required) % WORD & 1;
}

/* ---- pairs met before ---- */

static uint64_t mix(uint64_t hash, uint64_t word)
{
	hash = (hash ^ word) * UINT64_C(0x9e3779b97f4a7c15);
	return hash ^ hash >> 29;
}

static size_t window(const struct search *s)
{
	return s->top >= s->base ? s->top - s->base + 1 : 0;
}

static uint64_t hash_of(const struct search *s, const struct state *state)
{
	uint64_t hash = mix(mix(mix(s->base, state->value), state->revision), state->floor);

	for (size_t i = 0; i < window(s); i++)
		hash = mix(hash, s->set[s->base + i]);
	for (size_t i = 0; i < s->optional_words; i++)
		hash = mix(hash, s->optional[i]);
	return hash;
}

static bool is_pair(const struct seen_pair *p, const struct search *s, const struct state *state, uint64_t hash)
{
	size_t n = window(s);

	return p->hash == hash && p->base == s->base && p->count == n + s->optional_words &&
	       p->state.value == state->value && p->state.revision == state->revision && p->state.floor == state->floor &&
	       !memcmp(p->words, s->set + s->base, n * sizeof *s->set) &&
	       !memcmp(p->words + n, s->optional, s->optional_words * sizeof *s->optional);
}

static void *carve(struct search *s, size_t bytes)
{
	enum { CHUNK_WORDS = 1 << 17 };
	size_t words = (bytes + 7) / 8;
	void *p;

	if (!s->chunks || s->chunk_used + words > CHUNK_WORDS) {
		struct chunk *c = need(1, sizeof *c + (words > CHUNK_WORDS ? words : CHUNK_WORDS) * 8);

		c->next = s->chunks;
		s->chunks = c;
		s->chunk_used = 0;
	}
	p = s->chunks->bytes + s->chunk_used;
	s->chunk_used += words;
	return p;
}

static size_t slot_of(struct seen_pair *const *table, size_t room, uint64_t hash)
{
	size_t i = hash & (room - 1);

	while (table[i] && table[i]->hash != hash)
		i = (i + 1) & (room - 1);
	return i;
}

static void grow_table(struct search *s)
{
	size_t room = 2 * s->table_room;
	struct seen_pair **grown = need(room, sizeof *grown);

	for (size_t i = 0; i < s->table_room; i++) {
		size_t at;

		if (!s->table[i])
			continue;
		for (at = s->table[i]->hash & (room - 1); grown[at]; at = (at + 1) & (room - 1))
			;
		grown[at] = s->table[i];
	}
	free(s->table);
	s->table = grown;
	s->table_room = room;
}

/* Remember the set as it is with this state; false when it was met before. */
static bool remember(struct search *s, const struct state *state)
{
	uint64_t hash = hash_of(s, state);
	size_t n = window(s), at = slot_of(s->table, s->table_room, hash);
	struct seen_pair *p;

	for (; s->table[at]; at = (at + 1) & (s->table_room - 1))
		if (is_pair(s->table[at], s, state, hash))
			return false;
	p = carve(s, sizeof *p + (n + s->optional_words) * sizeof p->words[0]);
	*p = (struct seen_pair){ hash, *state, (uint32_t)s->base, (uint32_t)(n + s->optional_words) };
	memcpy(p->words, s->set + s->base, n * sizeof *s->set);
	memcpy(p->words + n, s->optional, s->optional_words * sizeof *s->optional);
	s->table[at] = p;
	if (2 * ++s->table_count > s->table_room)
		grow_table(s);
	return true;
}

/* ---- the search ---- */

static void unlink_event(struct search *s, uint32_t e)
{
	s->events[s->events[e].previous].next = s->events[e].next;
	if (s->events[e].next != NONE)
		s->events[s->events[e].next].previous = s->events[e].previous;
}

static void relink_event(struct search *s, uint32_t e)
{
	s->events[s->events[e].previous].next = e;
	if (s->events[e].next != NONE)
		s->events[s->events[e].next].previous = e;
}

static void lift(struct search *s, uint32_t op)
{
	if (op >= s->required)
		return;
	unlink_event(s, s->call_of[op]);
	unlink_event(s, s->return_of[op]);
	s->left--;
}

static void put_back(struct search *s, uint32_t op)
{
	if (op >= s->required)
		return;
	relink_event(s, s->return_of[op]);
	relink_event(s, s->call_of[op]);
	s->left++;
}

/* Unseen operations of one kind that expect nothing are alike: only the oldest that is left is a choice. */
static uint32_t next_optional(struct search *s, uint32_t after, int64_t before_ns)
{
	bool offered[WGL_DELETE + 1] = { false };

	for (size_t i = s->required; i < s->total && s->ops[i].seen.call_ns <= before_ns; i++) {
		const struct wgl_op *op = &s->ops[i].seen;
		bool alike = op->expected == 0;

		if (set_has_optional(s, i) || (alike && offered[op->kind]))
			continue;
		offered[op->kind] |= alike;
		if (after == NONE || i > after)
			return (uint32_t)i;
	}
	return NONE;
}

/* The next operation to try after <after> (NONE: the first): those called before the first return that is left, then
 * those without an end.  NONE: no more. */
static uint32_t next_choice(struct search *s, uint32_t after)
{
	uint32_t e;

	if (after == NONE || after < s->required) {
		e = s->events[after == NONE ? 0 : s->call_of[after]].next;
		if (e != NONE && !s->events[e].is_return)
			return s->events[e].op;
		if (e != NONE && e > s->furthest)
			s->furthest = e;
		after = NONE;
	}
	for (e = s->events[0].next; e != NONE && !s->events[e].is_return;)
		e = s->events[e].next;
	return e == NONE ? NONE : next_optional(s, after, s->events[e].at_ns);
}

/* Give <op> the next place, if the register can answer so and this was not tried before. */
static bool try_op(struct search *s, uint32_t op)
{
	struct state state = s->state;

	if (!apply(&state, &s->ops[op].seen))
		return false;
	set_add(s, op);
	if (!remember(s, &state)) {
		set_take(s, op);
		return false;
	}
	lift(s, op);
	s->stack[s->depth++] = (struct frame){ op, s->state };
	s->state = state;
	return true;
}

/* Take the last choice back; returns it. */
static uint32_t back(struct search *s)
{
	const struct frame *f = &s->stack[--s->depth];

	put_back(s, f->op);
	set_take(s, f->op);
	s->state = f->before;
	return f->op;
}

enum wgl_answer wgl_check(const struct wgl_op *ops, size_t n, struct wgl_result *ret)
{
	enum wgl_answer answer = WGL_LINEARIZABLE;
	uint32_t after = NONE;
	struct search s;
	size_t most;

	search_init(&s, ops, n);
	most = WGL_STEPS + WGL_STEPS_EACH * n;
	while (s.left > 0 && answer == WGL_LINEARIZABLE) {
		uint32_t op = next_choice(&s, after);

		if (op != NONE)
			after = try_op(&s, op) ? NONE : op;
		else if (s.depth > 0)
			after = back(&s);
		else
			answer = WGL_E_VIOLATION;
		if (s.table_count > most)
			answer = WGL_E_GAVE_UP;
	}
	*ret = (struct wgl_result){ .steps = s.table_count };
	if (answer != WGL_LINEARIZABLE)
		ret->stuck = s.ops[s.events[s.furthest].op].from;
	search_done(&s);
	return answer;
}

/* ---- for people ---- */

void wgl_show(const struct wgl_op *op, int64_t zero_ns, char *ret, size_t size)
{
	static const char *const kinds[] = { "READ", "CREATE", "WRITE", "DELETE" };
	static const char *const ends[] = { "done", "absent", "refused", "unknown" };
	double call = (double)(op->call_ns - zero_ns) / 1e6, end = (double)(op->return_ns - zero_ns) / 1e6;
	char until[32] = "never";

	if (op->end != WGL_UNKNOWN)
		(void)snprintf(until, sizeof until, "%.3f", end);
	(void)snprintf(ret, size, "%12.3f - %-12s client %-3u %-6s %-7s value %" PRIu64 " revision %" PRIu64 " expected %" PRIu64,
		       call, until, op->client, kinds[op->kind], ends[op->end], op->value, op->revision, op->expected);
}
