#include "linear/wgl.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "linear/visited.h"

enum { NONE = UINT32_MAX };

/* An operation as it is searched for. */
struct op {
	struct wgl_op seen;
	size_t from;   /* its place in the caller's history */
	uint32_t rank; /* place among all revisions of the one it tells of; NONE: it tells of none */
};

/* The calls and returns of the operations that must have a place, in order of time: a list from which a linearized
 * operation is lifted, and into which it is put back. */
struct event {
	int64_t at_ns;
	uint32_t op;
	bool is_return;
	uint32_t next, previous;
};

struct frame {
	uint32_t op;
	bool is_free; /* nothing else need be tried in its place */
	struct state before;
};

struct search {
	struct op *ops; /* [0, required) must have a place; [required, total) may have one: UNKNOWN and never seen */
	size_t required, total, left;
	struct event *events; /* events[0] is the head */
	uint32_t *call_of, *return_of;
	uint64_t *revisions; /* all that operations with a place tell of, ascending, equals too */
	uint32_t *waiting;   /* for each, how many operations that tell of it have no place yet */
	size_t revision_count, lowest; /* lowest: the first that somebody still tells of */
	struct visited visited;
	struct state state;
	struct frame *stack;
	size_t depth;
	uint32_t furthest; /* the latest return that stood in the way */
};

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

static bool changes(const struct wgl_op *op)
{
	return op->kind != WGL_READ && (op->end == WGL_DONE || op->end == WGL_UNKNOWN);
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
	uint64_t value, revision;
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

/* When <value> was first seen; NULL when it never was. */
static const struct sight *first_sight(const struct sight *sights, size_t n, uint64_t value)
{
	size_t low = 0, high = n;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (sights[middle].value < value)
			low = middle + 1;
		else
			high = middle;
	}
	return low < n && sights[low].value == value ? &sights[low] : NULL;
}

/* Nobody was told how it ended, but somebody has seen its value: it has happened, at the latest then. */
static void settle(struct wgl_op *op, const struct sight *s)
{
	op->end = WGL_DONE;
	op->revision = s->revision;
	op->return_ns = s->at_ns > op->call_ns ? s->at_ns : op->call_ns; /* seen before it was asked for: no order will do */
}

/* Is there a revision that somebody was told of without its value, and nobody with it? */
static bool has_unexplained(const struct wgl_op *ops, size_t n)
{
	uint64_t *known = visited_need(n, sizeof *known);
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
	struct sight *sights = visited_need(n, sizeof *sights);
	struct op *optional = visited_need(n, sizeof *optional);
	bool unexplained = has_unexplained(ops, n);
	size_t sight_count = 0, optional_count = 0;

	s->ops = visited_need(n, sizeof *s->ops);
	for (size_t i = 0; i < n; i++)
		if (ops[i].kind == WGL_READ && tells_value(&ops[i]))
			sights[sight_count++] = (struct sight){ ops[i].value, ops[i].revision, ops[i].return_ns };
	qsort(sights, sight_count, sizeof *sights, compare_sights);
	for (size_t i = 0; i < n; i++) {
		struct op op = { ops[i], i, NONE };
		const struct sight *seen = first_sight(sights, sight_count, ops[i].value);

		if (op.seen.end == WGL_UNKNOWN && op.seen.value && seen)
			settle(&op.seen, seen);
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

static uint64_t told_revision(const struct wgl_op *op)
{
	return op->end == WGL_REFUSED || (op->end == WGL_DONE && op->kind != WGL_DELETE) ? op->revision : 0;
}

static void rank_revisions(struct search *s)
{
	s->revisions = visited_need(s->required, sizeof *s->revisions);
	s->waiting = visited_need(s->required, sizeof *s->waiting);
	for (size_t i = 0; i < s->required; i++)
		if (told_revision(&s->ops[i].seen))
			s->revisions[s->revision_count++] = told_revision(&s->ops[i].seen);
	qsort(s->revisions, s->revision_count, sizeof *s->revisions, compare_revisions);
	for (size_t i = 0; i < s->required; i++) {
		uint64_t told = told_revision(&s->ops[i].seen);
		const uint64_t *at = told ? bsearch(&told, s->revisions, s->revision_count, sizeof told, compare_revisions) : NULL;

		if (at) /* any one of equals will do, as it is the same for all */
			s->waiting[s->ops[i].rank = (uint32_t)(at - s->revisions)]++;
	}
	while (s->lowest < s->revision_count && s->waiting[s->lowest] == 0)
		s->lowest++;
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

	s->events = visited_need(count, sizeof *s->events);
	s->call_of = visited_need(s->required, sizeof *s->call_of);
	s->return_of = visited_need(s->required, sizeof *s->return_of);
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
	rank_revisions(s);
	visited_init(&s->visited, s->required, s->total - s->required);
	s->stack = visited_need(s->total, sizeof *s->stack);
}

static void search_done(struct search *s)
{
	visited_done(&s->visited);
	free(s->waiting);
	free(s->revisions);
	free(s->stack);
	free(s->return_of);
	free(s->call_of);
	free(s->events);
	free(s->ops);
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
	if (s->ops[op].rank != NONE)
		s->waiting[s->ops[op].rank]--;
	while (s->lowest < s->revision_count && s->waiting[s->lowest] == 0)
		s->lowest++;
}

static void put_back(struct search *s, uint32_t op)
{
	if (op >= s->required)
		return;
	relink_event(s, s->return_of[op]);
	relink_event(s, s->call_of[op]);
	s->left++;
	if (s->ops[op].rank == NONE)
		return;
	s->waiting[s->ops[op].rank]++;
	if (s->ops[op].rank < s->lowest)
		s->lowest = s->ops[op].rank;
}

/* Unseen operations of one kind that expect nothing are alike: only the oldest that is left is a choice. */
static uint32_t next_optional(struct search *s, uint32_t after, int64_t before_ns)
{
	bool offered[WGL_DELETE + 1] = { false };

	for (size_t i = s->required; i < s->total && s->ops[i].seen.call_ns <= before_ns; i++) {
		const struct wgl_op *op = &s->ops[i].seen;
		bool alike = op->expected == 0;

		if (visited_has(&s->visited, i) || (alike && offered[op->kind]))
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

/* States and lower revisions never come back: before a change all that tells of them must have its place, or never will.  This
 * adds nothing to what is judged; it ends early what would come to nothing. */
static bool may_change(const struct search *s, const struct wgl_op *op, const struct state *next)
{
	uint64_t lowest = s->lowest < s->revision_count ? s->revisions[s->lowest] : UINT64_MAX;

	return !changes(op) || (lowest > next->floor && lowest >= next->revision);
}

/* An operation that only looks, and sees what is there now: no order is lost by giving it the next place. */
static uint32_t next_free(const struct search *s)
{
	for (uint32_t e = s->events[0].next; e != NONE && !s->events[e].is_return; e = s->events[e].next) {
		const struct wgl_op *op = &s->ops[s->events[e].op].seen;
		struct state state = s->state;

		if (!changes(op) && apply(&state, op) && state.revision == s->state.revision)
			return s->events[e].op;
	}
	return NONE;
}

static void take(struct search *s, uint32_t op, const struct state *next, bool is_free)
{
	lift(s, op);
	s->stack[s->depth++] = (struct frame){ op, is_free, s->state };
	s->state = *next;
}

/* Give <op> the next place, if the register can answer so and this was not tried before. */
static bool try_op(struct search *s, uint32_t op)
{
	struct state state = s->state;

	if (!apply(&state, &s->ops[op].seen) || !may_change(s, &s->ops[op].seen, &state))
		return false;
	visited_add(&s->visited, op);
	if (!visited_remember(&s->visited, &state)) {
		visited_take(&s->visited, op);
		return false;
	}
	take(s, op, &state, false);
	return true;
}

/* Take the last choice back, and what followed from it; returns it, NONE when there was none. */
static uint32_t back(struct search *s)
{
	const struct frame *f;

	do {
		if (s->depth == 0)
			return NONE;
		f = &s->stack[--s->depth];
		put_back(s, f->op);
		visited_take(&s->visited, f->op);
		s->state = f->before;
	} while (f->is_free);
	return f->op;
}

/* Go one step on or back; false: everything was tried. */
static bool step(struct search *s, uint32_t *after)
{
	uint32_t op = *after == NONE ? next_free(s) : NONE;

	if (op != NONE) {
		visited_add(&s->visited, op);
		take(s, op, &s->state, true);
		return true;
	}
	op = next_choice(s, *after);
	if (op == NONE) {
		*after = back(s);
		return *after != NONE;
	}
	*after = try_op(s, op) ? NONE : op;
	return true;
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
		if (!step(&s, &after))
			answer = WGL_E_VIOLATION;
		if (s.visited.count > most)
			answer = WGL_E_GAVE_UP;
	}
	*ret = (struct wgl_result){ .steps = s.visited.count };
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
