/* Every allocation in turn fails, once and from then on: never a crash, never a leak, never a wrong answer.
 *
 *   test_memory                 all of it
 *   test_memory lives-once 12   the 12th allocation in the lives of a root fails, once
 *   test_memory get_container   one operation of the HTTP surface, every allocation of its */
#include <inttypes.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/compiler.h"
#include "fault/cases.h"
#include "fault/fast_clock.h"
#include "fault/lives.h"
#include "fault/scarce.h"
#include "fault/surface.h"
#include "store/memory_backend.h"
#include "unit/store_kit.h"
#include "unit/unit.h"

/* ---- the lives of a root ---- */

static struct world world = { .files = &files_system };
static bool struck;

static void lift(void)
{
	struck = struck || scarce_struck();
	scarce_disarm();
}

static void run_lives(bool for_ever, int n, struct case_note *note)
{
	const struct lives lives = { .world = &world, .lift = lift };
	char *root = case_directory();

	scarce_begin();
	world_begin(&world, root);
	world.wrong = note->wrong;
	world.wrong_room = sizeof note->wrong;
	scarce_arm(n, for_ever);
	lives_run(&lives);
	note->struck = struck;
	note->faults = struck;
	unit_remove(root);
	free(root);
}

/* ---- the HTTP surface ---- */

#define LABELS "{\"labels\":{\"app\":\"web\",\"tier\":\"1\"},\"annotations\":{\"a\":[1,2,{\"b\":null}]}}"
#define RESOURCES "{\"linux\":{\"cpu_period\":100000,\"oom\":{\"a\":1}}}"

/* What is there before each request; and every operation of the surface, in each of its ways to end. */
static const struct surface_request seeds[] = {
	{ "seed", "PUT", "/containers/aa1", "{\"name\":\"one\",\"config\":" LABELS ",\"status\":{\"createdAt\":5}}", { NULL } },
	{ "seed", "PUT", "/containers/aa2", "{\"name\":\"two\",\"status\":{\"createdAt\":6,\"startedAt\":7,\"pid\":8,\"resources\":" RESOURCES "}}", { NULL } },
	{ "seed", "PUT", "/containers/bb1", "{\"name\":\"two\",\"status\":{\"createdAt\":6,\"startedAt\":7,\"finishedAt\":9,\"exitCode\":3}}", { NULL } },
	{ "seed", "PUT", "/containers/cc1", "{\"name\":\"three\",\"config\":" LABELS ",\"status\":{\"createdAt\":5}}", { NULL } },
}, requests[] = {
	{ "list_containers", "GET", "/containers", NULL, { NULL } },
	{ "list_containers.lines", "GET", "/v1/containers?limit=2", NULL, { "Accept", "application/x-ndjson", NULL } },
	{ "list_containers.table", "GET", "/containers", NULL, { "Accept", "text/plain", NULL } },
	{ "list_containers.gzip", "GET", "/containers", NULL, { "Accept-Encoding", "gzip", NULL } },
	{ "list_containers.first", "GET", "/containers?limit=1&sort=-createdAt", NULL, { NULL } },
	{ "list_containers.next", "GET", "/containers?limit=1&sort=-createdAt&continue={token}", NULL, { NULL } },
	{ "list_containers.selected", "GET", "/containers?labelSelector=app%20in%20(web,db),tier%3E0,!gone&fieldSelector=state!=CONTAINER_EXITED"
	  "&idPrefix=a&createdAfter=1970-01-01T00:00:00Z&state=CREATED,RUNNING", NULL, { NULL } },
	{ "list_containers.badly", "GET", "/containers?labelSelector=app%20in%20(", NULL, { NULL } },
	{ "list_containers.unchanged", "GET", "/containers", NULL, { "If-None-Match", "W/\"4\"", NULL } },
	{ "create_container", "POST", "/containers?sync=false", "{\"id\":\"new\",\"name\":\"n\",\"config\":" LABELS ",\"status\":{\"createdAt\":5}}", { NULL } },
	{ "create_container.unnamed", "POST", "/containers?dryRun=true", "{}", { NULL } },
	{ "create_container.exists", "POST", "/containers", "{\"id\":\"aa1\"}", { NULL } },
	{ "create_container.invalid", "POST", "/containers", "{\"id\":\"-\",\"nam\":\"x\",\"status\":{\"pid\":-1}}", { NULL } },
	{ "create_container.malformed", "POST", "/containers", "{\"id\":\"x\",", { NULL } },
	{ "get_container", "GET", "/containers/aa1", NULL, { "traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", NULL } },
	{ "get_container.prefix", "GET", "/containers/cc", NULL, { NULL } },
	{ "get_container.name", "GET", "/containers/three", NULL, { NULL } },
	{ "get_container.ambiguous", "GET", "/containers/aa", NULL, { NULL } },
	{ "get_container.absent", "GET", "/containers/zz", NULL, { NULL } },
	{ "get_container.unchanged", "GET", "/containers/aa1", NULL, { "If-None-Match", "\"9\"", "If-None-Match", "\"1\"", NULL } },
	{ "put_container", "PUT", "/containers/new", "{\"name\":\"n\",\"config\":" LABELS ",\"status\":{\"createdAt\":5,\"resources\":" RESOURCES "}}", { NULL } },
	{ "put_container.same", "PUT", "/containers/aa1", "{\"config\":" LABELS ",\"name\":\"one\"}", { NULL } },
	{ "put_container.other", "PUT", "/containers/aa1", "{\"name\":\"other\"}", { NULL } },
	{ "delete_container", "DELETE", "/containers/bb1", NULL, { NULL } },
	{ "delete_container.force", "DELETE", "/containers/aa2?force=true", NULL, { NULL } },
	{ "delete_container.running", "DELETE", "/containers/aa2", NULL, { NULL } },
	{ "delete_container.absent", "DELETE", "/containers/zz", NULL, { NULL } },
	{ "delete_container.short", "DELETE", "/containers/aa", NULL, { NULL } },
	{ "get_status", "GET", "/containers/bb1/status", NULL, { NULL } },
	{ "put_status", "PUT", "/containers/aa1/status", "{\"createdAt\":5,\"startedAt\":\"1970-01-01T00:00:01Z\",\"pid\":4}", { NULL } },
	{ "patch_status", "PATCH", "/containers/aa2/status", "{\"resources\":{\"linux\":{\"cpu_period\":null,\"x\":[{}],\"oom\":{\"b\":2}}}}", { NULL } },
	{ "patch_status.minimal", "PATCH", "/containers/aa2/status", "{\"finishedAt\":99,\"exitCode\":2,\"message\":\"bye\"}",
	  { "Prefer", "return=minimal", NULL } },
	{ "patch_status.matches", "PATCH", "/containers/aa2/status", "{\"finishedAt\":99}", { "If-Match", "\"9\"", "If-Match", "\"2\"", NULL } },
	{ "patch_status.stale", "PATCH", "/containers/aa2/status", "{\"finishedAt\":99}", { "If-Match", "\"1\"", NULL } },
	{ "patch_status.exited", "PATCH", "/containers/bb1/status", "{\"finishedAt\":99}", { NULL } },
	{ "patch_status.illegal", "PATCH", "/containers/bb1/status", "{\"state\":\"CONTAINER_CREATED\"}", { NULL } },
	{ "patch_status.invalid", "PATCH", "/containers/aa1/status", "{\"pid\":3}", { NULL } },
	{ "patch_status.absent", "PATCH", "/containers/aa/status", "{\"pid\":3}", { NULL } },
	{ "get_checkpoint", "GET", "/containers/aa2/checkpoint", NULL, { NULL } },
	{ "get_livez", "GET", "/livez?verbose", NULL, { NULL } },
	{ "get_readyz", "GET", "/readyz?verbose", NULL, { NULL } },
	{ "get_metrics", "GET", "/metrics", NULL, { NULL } },
	{ "get_version", "GET", "/version", NULL, { NULL } },
	{ "get_openapi_yaml", "GET", "/openapi.yaml", NULL, { NULL } },
	{ "get_openapi_json", "GET", "/openapi.json", NULL, { NULL } },
	{ "get_problem", "GET", "/problems/read-only", NULL, { NULL } },
	{ "options", "OPTIONS", "/containers/x/status", NULL, { NULL } },
	{ "nothing_there", "GET", "/nothing/at/all", NULL, { NULL } },
	{ "wrong_method", "POST", "/livez", "{}", { NULL } },
	{ "wrong_parameter", "GET", "/containers?lable=1", NULL, { NULL } },
	{ "wrong_media", "GET", "/containers/aa1", NULL, { "Accept", "image/png", NULL } },
};

struct place {
	struct store *store;
	struct app app;
	struct traffic traffic;
};

__attribute__((noreturn)) printf_like(2, 3) static void case_wrong(struct case_note *note, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(note->wrong, sizeof note->wrong, fmt, args);
	va_end(args);
	_exit(1);
}

static void open_place(struct place *p, struct case_note *note)
{
	const struct store_options options = { .clock = &clock_system };
	static struct surface_answer answer;
	struct err err = { 0 };

	*p = (struct place){ .store = store_new(memory_backend_new(), &options) };
	if (!p->store || store_load(p->store, NULL, NULL, &err) < 0 || store_start(p->store, &err) < 0)
		case_wrong(note, "the place for requests could not be made");
	p->app = (struct app){ .store = p->store, .clock = &clock_system, .traffic = &p->traffic };
	p->app.walks = walks_new(store_token_key(p->store), &clock_system);
	while (store_read_only(p->store))
		unit_look_again();
	for (size_t i = 0; i < COUNT(seeds); i++) {
		surface_ask(&p->app, &seeds[i], &answer);
		if (answer.status != 201)
			case_wrong(note, "a container to begin with got %u: %.*s", answer.status, (int)answer.len, answer.body);
	}
}

static void close_place(struct place *p)
{
	walks_free(p->app.walks);
	store_free(p->store);
}

/* All containers as text: what a request has changed, or has not. */
static size_t list_all(struct place *p, char *to, size_t room)
{
	static const char *const ids[] = { "aa1", "aa2", "bb1", "cc1", "new" };
	size_t len = 0;

	for (size_t i = 0; i < COUNT(ids); i++) {
		struct container *c = store_get(p->store, ids[i]);

		if (c)
			len += (size_t)snprintf(to + len, room - len, "%.*s\n", (int)container_json(c).len, container_json(c).at);
		container_unref(c);
	}
	return len + (size_t)snprintf(to + len, room - len, "revision %" PRIu64, store_revision(p->store));
}

/* The request, with the token of a first page where it asks for one. */
static struct surface_request fill_in(struct place *p, const struct surface_request *r, char room[1024])
{
	static const struct surface_request first = { "first", "GET", "/containers?limit=1&sort=-createdAt", NULL, { NULL } };
	static struct surface_answer page;
	const char *brace = strchr(r->target, '{'), *token;
	struct surface_request filled = *r;

	if (!brace)
		return filled;
	surface_ask(&p->app, &first, &page);
	page.body[page.len] = '\0';
	token = strstr(page.body, "\"continue\":\"");
	if (!token)
		abort();
	token += 12;
	(void)snprintf(room, 1024, "%.*s%.*s", (int)(brace - r->target), r->target, (int)strcspn(token, "\""), token);
	filled.target = room;
	return filled;
}

static bool is_same_body(const struct surface_answer *a, const struct surface_answer *b)
{
	return a->len == b->len && memcmp(a->body, b->body, a->len) == 0;
}

static int shown(const struct surface_answer *a)
{
	return a->len < 400 ? (int)a->len : 400;
}

static bool is_packed(const struct surface_answer *a)
{
	return a->len > 2 && memcmp(a->body, "\x1f\x8b", 2) == 0;
}

/* What a request gets when there is memory. */
struct golden {
	struct surface_answer answer, again;
	struct surface_answer plainer; /* without its fields: what is packed may come unpacked */
	char before[16 * 1024], after[16 * 1024];
	bool changes, varies; /* varies: time and chance are in it */
};

static void make_golden(const struct surface_request *r, struct golden *g, struct case_note *note)
{
	struct surface_answer *const answers[] = { &g->plainer, &g->answer, &g->again };

	for (size_t i = 0; i < COUNT(answers); i++) {
		struct surface_request filled;
		struct place p;
		char room[1024];

		open_place(&p, note);
		filled = fill_in(&p, r, room);
		if (answers[i] == &g->plainer)
			filled.fields[0] = NULL;
		(void)list_all(&p, g->before, sizeof g->before);
		surface_ask(&p.app, &filled, answers[i]);
		(void)list_all(&p, g->after, sizeof g->after);
		close_place(&p);
	}
	g->changes = strcmp(g->before, g->after) != 0;
	g->varies = !is_same_body(&g->answer, &g->again);
	if (g->answer.status != g->again.status || g->answer.status == 0 || g->answer.failed)
		case_wrong(note, "with memory it got %u, then %u", g->answer.status, g->again.status);
}

/* A refusal may have lost its words, but not its meaning. */
static bool is_same_problem(const struct surface_answer *a, const struct surface_answer *b)
{
	json_t *x = json_loadb(a->body, a->len, 0, NULL), *y = json_loadb(b->body, b->len, 0, NULL);
	bool same = json_equal(json_object_get(x, "type"), json_object_get(y, "type")) && json_object_get(x, "type") &&
		    json_object_get(x, "detail");

	json_decref(x);
	json_decref(y);
	return same;
}

static void check_answer(const struct golden *g, const struct surface_answer *a, int n, struct case_note *note)
{
	bool closed = a->status == 0, server_error = a->status == 500;

	if (closed || server_error)
		return;
	if (a->status != g->answer.status)
		case_wrong(note, "allocation %d: %u instead of %u or 500: %.*s", n, a->status, g->answer.status, shown(a), a->body);
	if (g->varies || is_same_body(a, &g->answer) || (is_packed(&g->answer) && is_same_body(a, &g->plainer)))
		return;
	if (a->status < 400 || !is_same_problem(a, &g->answer))
		case_wrong(note, "allocation %d: %u as it should be, but with %.*s", n, a->status, shown(a), a->body);
}

static void check_state(struct place *p, const struct golden *g, const struct surface_answer *a, const char *before, int n,
			struct case_note *note)
{
	bool done = a->submitted && change_end_is_success(a->end) && g->changes;
	static char after[16 * 1024];

	(void)list_all(p, after, sizeof after);
	if ((strcmp(before, after) != 0) != done)
		case_wrong(note, "allocation %d: the change %s, and %s is seen of it", n, done ? "was made" : "failed", done ? "nothing" : "something");
}

static bool fail_nth(const struct surface_request *r, const struct golden *g, int n, bool for_ever, struct case_note *note)
{
	static struct surface_answer answer;
	static char before[16 * 1024];
	struct surface_request filled;
	char room[1024];
	struct place p;
	bool met;

	open_place(&p, note);
	filled = fill_in(&p, r, room);
	(void)list_all(&p, before, sizeof before);
	scarce_arm(n, for_ever);
	surface_ask(&p.app, &filled, &answer);
	scarce_disarm();
	met = scarce_struck();
	check_answer(g, &answer, n, note);
	check_state(&p, g, &answer, before, n, note);
	close_place(&p);
	return met;
}

static void run_surface(const struct surface_request *r, struct case_note *note)
{
	static struct golden golden;

	scarce_begin();
	make_golden(r, &golden, note);
	for (int for_ever = 0; for_ever < 2; for_ever++)
		for (int n = 1; fail_nth(r, &golden, n, for_ever, note); n++)
			note->faults++;
	note->struck = true;
}

/* ---- all of it ---- */

enum { LIVES = 2 };

static const char *name_of(size_t series, char room[80])
{
	static const char *const lives[LIVES] = { "lives-once", "lives-ever" };

	(void)snprintf(room, 80, "%s", series < LIVES ? lives[series] : requests[series - LIVES].name);
	return room;
}

static void run(size_t series, int n, struct case_note *note)
{
	if (series < LIVES)
		run_lives(series == 1, n, note);
	else if (n == 1)
		run_surface(&requests[series - LIVES], note);
}

int main(int argc, char **argv)
{
	const struct cases cases = { .series_count = LIVES + COUNT(requests), .name = name_of, .run = run, .seconds = 60 };

	fast_clock_begin();
	return cases_main(&cases, argc, argv);
}
