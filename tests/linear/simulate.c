#include "linear/simulate.h"

#include <stdbool.h>
#include <stdlib.h>

#include "linear/random.h"

enum { CLIENTS_MAX = 64, LINGERING_MAX = 64 };

struct client {
	bool called, effected;
	struct wgl_op op;
	uint64_t tag; /* newest revision it was told */
};

struct world {
	uint64_t random, value, revision; /* value 0: absent */
	uint64_t newest_revision, newest_value;
	int64_t now;
	struct client clients[CLIENTS_MAX];
	struct wgl_op lingering[LINGERING_MAX];
	size_t lingering_count;
};

static void choose(struct world *w, struct client *c)
{
	uint64_t dice = random_below(&w->random, 100);

	c->op = (struct wgl_op){ .call_ns = w->now, .client = (uint32_t)(c - w->clients) };
	c->op.kind = dice < 45 ? WGL_READ : dice < 80 ? WGL_WRITE : dice < 92 ? WGL_CREATE : WGL_DELETE;
	if (c->op.kind == WGL_WRITE || c->op.kind == WGL_CREATE)
		c->op.value = ++w->newest_value;
	if (c->op.kind != WGL_CREATE && c->op.kind != WGL_READ && random_below(&w->random, 2))
		c->op.expected = c->tag;
	c->called = true;
	c->effected = false;
}

/* What the register does and answers at this moment. */
static void take_effect(struct world *w, struct wgl_op *op)
{
	bool creates = op->kind == WGL_CREATE, present = w->value != 0;

	op->end = WGL_DONE;
	if (op->kind == WGL_DELETE && !op->expected) {
		w->value = 0;
	} else if (!creates && !present) {
		op->end = WGL_ABSENT;
	} else if (present && (creates || (op->expected && op->expected != w->revision))) {
		op->end = WGL_REFUSED;
		op->revision = w->revision;
	} else if (op->kind == WGL_READ) {
		op->value = w->value;
		op->revision = w->revision;
	} else if (op->kind == WGL_DELETE) {
		w->value = 0;
	} else {
		w->value = op->value;
		op->revision = w->revision = w->newest_revision += 2;
	}
}

static void lose(struct world *w, struct client *c, struct wgl_op *at, size_t *count)
{
	c->called = false;
	if (c->op.kind == WGL_READ)
		return;
	at[*count] = c->op;
	at[(*count)++].end = WGL_UNKNOWN;
	if (w->lingering_count < LINGERING_MAX && random_below(&w->random, 2))
		w->lingering[w->lingering_count++] = c->op;
}

static void linger(struct world *w)
{
	size_t i = (size_t)random_below(&w->random, w->lingering_count);
	struct wgl_op op = w->lingering[i];

	w->lingering[i] = w->lingering[--w->lingering_count];
	take_effect(w, &op);
}

/* What is under way at the end may have had its effect already. */
static size_t leave(const struct world *w, struct wgl_op *at)
{
	size_t count = 0;

	for (size_t i = 0; i < CLIENTS_MAX; i++)
		if (w->clients[i].called && w->clients[i].op.kind != WGL_READ) {
			at[count] = w->clients[i].op;
			at[count].revision = 0;
			at[count++].end = WGL_UNKNOWN;
		}
	return count;
}

struct wgl_op *simulate(const struct simulation *s, size_t *ret_count)
{
	struct world *w = calloc(1, sizeof *w);
	struct wgl_op *ops = calloc(s->operations + CLIENTS_MAX + 1, sizeof *ops);
	size_t count = 0;

	if (!w || !ops || s->clients > CLIENTS_MAX)
		abort();
	w->random = s->seed;
	while (count < s->operations) {
		struct client *c = &w->clients[random_below(&w->random, s->clients)];

		w->now++;
		if (!c->called) {
			choose(w, c);
		} else if (!c->effected && random_below(&w->random, 100) < s->lost_percent) {
			lose(w, c, ops, &count);
		} else if (!c->effected) {
			take_effect(w, &c->op);
			c->effected = true;
			c->tag = c->op.revision ? c->op.revision : c->tag;
		} else {
			c->op.return_ns = w->now;
			ops[count++] = c->op;
			c->called = false;
		}
		if (w->lingering_count && random_below(&w->random, 20) == 0)
			linger(w);
	}
	count += leave(w, ops + count);
	free(w);
	*ret_count = count;
	return ops;
}
