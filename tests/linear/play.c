#include "linear/play.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "linear/meaning.h"
#include "linear/random.h"
#include "linear/tags.h"

/* A request under way, and what becomes of it. */
struct move {
	struct wgl_op op;
	struct ask ask;
	char target[96], headers[160], body[160];
};

/* ---- the game ---- */

void game_init(struct game *g)
{
	life_init(&g->life);
	(void)pthread_mutex_init(&g->lock, NULL);
}

void game_done(struct game *g)
{
	(void)pthread_mutex_destroy(&g->lock);
	life_done(&g->life);
}

void game_note_odd(struct game *g, const struct ask *ask, const struct answer *a, const char *why)
{
	(void)pthread_mutex_lock(&g->lock);
	if (g->odd++ == 0)
		(void)snprintf(g->first_odd, sizeof g->first_odd, "%s: %s %s\n%s%.200s\nanswered %d, tag %" PRIu64 "\n%.300s", why,
			       ask->method, ask->target, ask->headers ? ask->headers : "", ask->body ? ask->body : "", a->status,
			       a->revision, a->status ? a->body : "");
	(void)pthread_mutex_unlock(&g->lock);
}

/* ---- writing down ---- */

void player_init(struct player *p, struct game *g, unsigned number)
{
	*p = (struct player){ .game = g, .number = number };
	p->random = g->seed * 1000003 + number;
}

void player_done(struct player *p)
{
	free(p->ops);
}

static int64_t now_ns(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static void note_tag(struct player *p, const struct wgl_op *op)
{
	if (op->container >= CONTAINERS_MAX || op->end == WGL_UNKNOWN || op->revision == 0)
		return;
	p->tags[op->container] = op->revision;
	atomic_store_explicit(&p->game->tags[op->container], op->revision, memory_order_relaxed);
}

static void write_down(struct player *p, const struct wgl_op *op)
{
	if (p->count == p->room) {
		p->room = p->room ? 2 * p->room : 4096;
		p->ops = realloc(p->ops, p->room * sizeof *p->ops);
		if (!p->ops)
			abort();
	}
	p->ops[p->count++] = *op;
	note_tag(p, op);
}

/* ---- a move ---- */

static void finish(struct player *p, struct move *m, struct client *c)
{
	struct game *g = p->game;
	struct answer a;
	int failure;

	m->op.client = p->number;
	m->op.call_ns = now_ns();
	a = client_ask(c, &m->ask);
	m->op.return_ns = now_ns();
	failure = meaning_of_failure(&a);
	if (failure == MEANING_NOT_DONE) {
		struct timespec pause = { .tv_nsec = 2 * 1000 * 1000 };

		atomic_fetch_add(&g->refused, 1);
		(void)nanosleep(&pause, NULL); /* Retry-After asks for more */
		return;
	}
	if (failure == WGL_UNKNOWN) {
		m->op.end = WGL_UNKNOWN;
		atomic_fetch_add(&g->unknown, 1);
	} else if (!meaning_of(&m->ask, &a, &m->op)) {
		game_note_odd(g, &m->ask, &a, "an answer that the contract does not know");
		return;
	}
	atomic_fetch_add(&g->operations, 1);
	if (m->op.end != WGL_UNKNOWN || (m->op.kind != WGL_READ && !strstr(m->target, "dryRun")))
		write_down(p, &m->op);
}

static struct move begin(struct player *p, enum wgl_kind kind)
{
	struct move m = { .op.kind = kind };

	m.op.container = (uint32_t)random_below(&p->random, p->game->containers);
	if (kind == WGL_CREATE || kind == WGL_WRITE)
		m.op.value = (uint64_t)(p->number + 1) << 32 | ++p->written;
	return m;
}

static const char *sync_of(struct player *p)
{
	return random_below(&p->random, 100) < p->game->relaxed_percent ? "?sync=false" : "";
}

/* Mostly the newest tag anybody knows, sometimes an old one. */
static uint64_t some_tag(struct player *p, unsigned container)
{
	uint64_t newest = atomic_load_explicit(&p->game->tags[container], memory_order_relaxed);

	return random_below(&p->random, 100) < 70 ? newest : p->tags[container];
}

/* A condition on a tag, when one is known; the text of it in the headers. */
static void add_condition(struct player *p, struct move *m, const char *name)
{
	uint64_t tag = some_tag(p, m->op.container);
	size_t used = strlen(m->headers);

	if (!tag)
		return;
	(void)snprintf(m->headers + used, sizeof m->headers - used, "%s: \"%" PRIu64 "\"\r\n", name, tag);
	m->op.expected = strcmp(name, "If-Match") ? 0 : tag;
}

static void ask_for(struct player *p, struct move *m, struct client *c, const char *method)
{
	m->ask = (struct ask){ method, m->target, m->headers, m->body[0] ? m->body : NULL };
	finish(p, m, c);
}

/* The containers' ids have one length: none is the beginning of another. */
static void set_target(struct move *m, const char *behind, const char *query)
{
	(void)snprintf(m->target, sizeof m->target, "/containers/k-%02u%s%s", m->op.container, behind, query);
}

/* <before>, a status that tells the move's own number twice, <behind>. */
static void set_body(struct move *m, const char *before, const char *behind)
{
	(void)snprintf(m->body, sizeof m->body, "%s{\"message\":\"%" PRIu64 "\",\"reason\":\"r%" PRIu64 "\"}%s", before, m->op.value,
		       m->op.value, behind);
}

static void get(struct player *p, struct client *c, const char *behind, const char *condition)
{
	struct move m = begin(p, WGL_READ);

	set_target(&m, behind, "");
	if (condition)
		add_condition(p, &m, condition);
	ask_for(p, &m, c, "GET");
}

static void move_get(struct player *p, struct client *c)
{
	get(p, c, "", NULL);
}

static void move_get_status(struct player *p, struct client *c)
{
	get(p, c, "/status", NULL);
}

static void move_get_if_changed(struct player *p, struct client *c)
{
	get(p, c, "", "If-None-Match");
}

static void move_get_if_same(struct player *p, struct client *c)
{
	get(p, c, "/status", "If-Match");
}

static void write_status(struct player *p, struct client *c, const char *method, const char *condition, const char *query)
{
	struct move m = begin(p, WGL_WRITE);

	set_target(&m, "/status", query);
	set_body(&m, "", "");
	if (condition)
		add_condition(p, &m, condition);
	if (random_below(&p->random, 8) == 0 && !strstr(query, "dryRun"))
		(void)strcat(m.headers, "Prefer: return=minimal\r\n");
	ask_for(p, &m, c, method);
}

static void move_patch(struct player *p, struct client *c)
{
	write_status(p, c, "PATCH", NULL, sync_of(p));
}

static void move_put_status(struct player *p, struct client *c)
{
	write_status(p, c, "PUT", NULL, sync_of(p));
}

static void move_patch_if_same(struct player *p, struct client *c)
{
	write_status(p, c, "PATCH", "If-Match", sync_of(p));
}

static void move_try(struct player *p, struct client *c)
{
	write_status(p, c, "PATCH", random_below(&p->random, 2) ? "If-Match" : NULL, "?dryRun=true");
}

static void move_put(struct player *p, struct client *c)
{
	struct move m = begin(p, WGL_CREATE);

	set_target(&m, "", sync_of(p));
	set_body(&m, "{\"status\":", "}");
	if (random_below(&p->random, 4))
		(void)strcat(m.headers, "If-None-Match: *\r\n");
	ask_for(p, &m, c, "PUT");
}

static void move_post(struct player *p, struct client *c)
{
	struct move m = begin(p, WGL_CREATE);
	char start[40];

	(void)snprintf(m.target, sizeof m.target, "/containers%s", sync_of(p));
	(void)snprintf(start, sizeof start, "{\"id\":\"k-%02u\",\"status\":", m.op.container);
	set_body(&m, start, "}");
	ask_for(p, &m, c, "POST");
}

static void move_delete(struct player *p, struct client *c)
{
	struct move m = begin(p, WGL_DELETE);

	set_target(&m, "", sync_of(p));
	if (random_below(&p->random, 3) == 0)
		add_condition(p, &m, "If-Match");
	ask_for(p, &m, c, "DELETE");
}

/* ---- lists ---- */

/* The status of container <i> in the list, or NULL when the list has no such container. */
static const char *find_item(const char *list, unsigned i)
{
	char id[24];
	const char *at;

	(void)snprintf(id, sizeof id, "{\"id\":\"k-%02u\"", i);
	at = strstr(list, id);
	at = at ? strstr(at, "\"status\":{") : NULL;
	return at ? at + strlen("\"status\":") : NULL;
}

/* Each container, there or not, as if it had been read alone. */
static bool take_list(struct player *p, const struct move *m, const struct answer *a)
{
	const char *tail = strstr(a->body, "],\"metadata\":{");
	struct wgl_op store = m->op;
	uint64_t revision;

	if (a->status != 200 || !tail || !meaning_of_number(tail, strlen(tail), "\"revision\":\"", &revision))
		return false;
	store.container = TAGS_STORE;
	store.revision = revision;
	write_down(p, &store);
	for (unsigned i = 0; i < p->game->containers; i++) {
		const char *item = find_item(a->body, i);
		struct wgl_op op = m->op;

		op.container = i;
		op.end = WGL_ABSENT;
		if (item && (!meaning_of_item(item, &op) || op.revision > revision))
			return false;
		write_down(p, &op);
	}
	return true;
}

static void move_list(struct player *p, struct client *c)
{
	struct move m = { .op = { .kind = WGL_READ, .client = p->number } };
	struct answer a;

	m.ask = (struct ask){ "GET", "/containers?limit=1000", NULL, NULL };
	m.op.call_ns = now_ns();
	a = client_ask(c, &m.ask);
	m.op.return_ns = now_ns();
	if (a.status == 0)
		return;
	if (take_list(p, &m, &a))
		atomic_fetch_add(&p->game->operations, 1);
	else
		game_note_odd(p->game, &m.ask, &a, "a list that the contract does not know");
}

/* ---- choosing ---- */

static const struct {
	unsigned percent;
	void (*move)(struct player *, struct client *);
} moves[] = {
	{ 26, move_get },
	{ 5, move_get_status },
	{ 5, move_get_if_changed },
	{ 3, move_get_if_same },
	{ 20, move_patch },
	{ 5, move_put_status },
	{ 16, move_patch_if_same },
	{ 2, move_try },
	{ 6, move_put },
	{ 5, move_post },
	{ 6, move_delete },
	{ 1, move_list },
};

void player_move(struct player *p, struct client *c)
{
	uint64_t dice = random_below(&p->random, 100);
	size_t i = 0;

	while (dice >= moves[i].percent)
		dice -= moves[i++].percent;
	moves[i].move(p, c);
}

void player_read_all(struct player *p, struct client *c)
{
	for (unsigned i = 0; i < p->game->containers; i++) {
		struct move m = { .op = { .kind = WGL_READ, .container = i } };

		set_target(&m, "", "");
		ask_for(p, &m, c, "GET");
	}
	move_list(p, c);
}
