#include "linear/judge.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "linear/tags.h"

enum { TOLD_MOST = 3, EXCERPT = 24 };

/* All operations, those of one container together and in the order of their calls. */
struct record {
	struct wgl_op *ops;
	size_t count;
};

static int by_container(const void *a, const void *b)
{
	const struct wgl_op *x = a, *y = b;

	if (x->container != y->container)
		return x->container < y->container ? -1 : 1;
	return (x->call_ns > y->call_ns) - (x->call_ns < y->call_ns);
}

static struct record gather(const struct player *players, size_t count)
{
	struct record r = { 0 };
	size_t at = 0;

	for (size_t i = 0; i < count; i++)
		r.count += players[i].count;
	r.ops = calloc(r.count + 1, sizeof *r.ops);
	if (!r.ops)
		abort();
	for (size_t i = 0; i < count; i++) {
		if (players[i].count)
			memcpy(r.ops + at, players[i].ops, players[i].count * sizeof *r.ops);
		at += players[i].count;
	}
	qsort(r.ops, r.count, sizeof *r.ops, by_container);
	return r;
}

static void show(const struct wgl_op *op, int64_t zero_ns, const char *mark)
{
	char line[256];

	wgl_show(op, zero_ns, line, sizeof line);
	(void)printf("  %s%s\n", line, mark);
}

static void show_owner(const struct wgl_op *op, int64_t zero_ns)
{
	char mark[32] = "   (the store, by a list)";

	if (op->container != TAGS_STORE)
		(void)snprintf(mark, sizeof mark, "   (k-%02u)", op->container);
	show(op, zero_ns, mark);
}

/* Does <op> speak of what <stuck> speaks of? */
static bool is_about(const struct wgl_op *op, const struct wgl_op *stuck)
{
	return (stuck->value && op->value == stuck->value) || (stuck->revision && op->revision == stuck->revision) ||
	       (stuck->expected && (op->revision == stuck->expected || op->expected == stuck->expected));
}

/* The operation that finds no place, what speaks of the same value or revision, and what came right before. */
static void show_excerpt(const struct wgl_op *ops, size_t n, size_t stuck, int64_t zero_ns)
{
	const struct wgl_op *s = &ops[stuck];
	size_t near = 0, from = n, told = 0;

	while (from > 0 && near < EXCERPT / 2)
		near += ops[--from].call_ns <= s->return_ns;
	for (size_t i = 0; i < n && told < EXCERPT; i++) {
		bool is_near = i >= from && ops[i].call_ns <= s->return_ns;

		if (!is_near && i != stuck && !is_about(&ops[i], s))
			continue;
		if (i != stuck && told == EXCERPT - 1 && i < stuck)
			continue; /* keep a line for the one it is about */
		show(&ops[i], zero_ns, i == stuck ? "   <- finds no place" : "");
		told++;
	}
}

static size_t judge_one(const struct wgl_op *ops, size_t n, int64_t zero_ns)
{
	struct wgl_result result;
	enum wgl_answer answer = wgl_check(ops, n, &result);

	if (answer == WGL_LINEARIZABLE)
		return 0;
	(void)printf("VIOLATION k-%02u: %s; got to operation %zu of %zu, %.1f s from the beginning\n", ops->container,
		     answer == WGL_E_VIOLATION ? "not linearizable" : "no order found in time", result.stuck, n,
		     (double)(ops[result.stuck].return_ns - zero_ns) / 1e9);
	show_excerpt(ops, n, result.stuck, zero_ns);
	return 1;
}

/* A search in vain takes long: a few that fail are enough. */
static size_t judge_containers(const struct record *r, int64_t zero_ns)
{
	size_t bad = 0, from = 0, to;

	for (; from < r->count && r->ops[from].container != TAGS_STORE && bad < TOLD_MOST; from = to) {
		for (to = from; to < r->count && r->ops[to].container == r->ops[from].container; to++)
			;
		bad += judge_one(r->ops + from, to - from, zero_ns);
	}
	return bad;
}

size_t judge(const struct game *g, const struct player *players, size_t count, int64_t zero_ns)
{
	struct record r = gather(players, count);
	struct tags_fault fault;
	size_t bad = judge_containers(&r, zero_ns), faults = tags_check(r.ops, r.count, &fault);

	if (faults) {
		(void)printf("VIOLATION %s (%zu such)\n", fault.why, faults);
		show_owner(&fault.a, zero_ns);
		show_owner(&fault.b, zero_ns);
	}
	if (g->odd)
		(void)printf("VIOLATION %lu odd answers, the first: %s\n", g->odd, g->first_odd);
	free(r.ops);
	return bad + faults + g->odd;
}
