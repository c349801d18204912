#include "linear/soak.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "linear/random.h"

enum { PAGES_MOST = 4, LARGE = 100 * 1000 };

/* The status that stands first has to be met with at least once in a soak of some length.
 * {n} is a container of the mix, {t} its newest tag as far as known, {x} a number nobody else uses. */
static const struct row {
	unsigned weight;
	const char *method, *target, *headers, *body;
	const char *statuses;
} rows[] = {
	/* ---- changes ---- */
	{ 8, "POST", "/containers", NULL, "{\"id\":\"m-{n}\",\"name\":\"n{n}\",\"imageRef\":\"nginx:1.27\",\"config\":{\"labels\":{\"app\":\"web\",\"n\":\"{n}\"}}}", "201 409" },
	{ 4, "PUT", "/containers/m-{n}", NULL, "{\"name\":\"n{n}\",\"imageRef\":\"nginx:1.27\",\"config\":{\"labels\":{\"app\":\"web\",\"n\":\"{n}\"}}}", "200 201 409" },
	{ 2, "PUT", "/containers/m-{n}", "If-None-Match: *\r\n", "{\"status\":{\"startedAt\":\"1500000000000000001\",\"finishedAt\":\"1500000000000000002\",\"exitCode\":3}}", "201 412" },
	{ 1, "PUT", "/containers/m-{n}?dryRun=true", NULL, "{\"name\":\"other\"}", "409 200 201" },
	{ 10, "PATCH", "/containers/m-{n}/status", NULL, "{\"state\":\"CONTAINER_RUNNING\",\"pid\":4711}", "200 404 409" },
	{ 10, "PATCH", "/containers/m-{n}/status", NULL, "{\"state\":\"CONTAINER_EXITED\",\"exitCode\":1}", "200 404 409" },
	{ 8, "PATCH", "/containers/m-{n}/status", NULL, "{\"message\":\"{x}\"}", "200 404 409" },
	{ 4, "PATCH", "/containers/m-{n}/status?sync=false", "Prefer: return=minimal\r\n", "{\"message\":\"{x}\"}", "204 404 409" },
	{ 4, "PATCH", "/containers/m-{n}/status", "Content-Type: application/merge-patch+json\r\nIf-Match: \"{t}\"\r\n", "{\"resources\":{\"linux\":{\"cpuShares\":{x}}}}", "200 404 409 412" },
	{ 2, "PUT", "/containers/m-{n}/status", NULL, "{\"message\":\"{x}\"}", "200 404 409" },
	{ 2, "PATCH", "/containers/m-{n}/status", NULL, "{\"removing\":true}", "200 404 409" },
	{ 2, "PATCH", "/containers/m-{n}/status", NULL, "{\"removing\":false}", "200 404 409" },
	{ 3, "DELETE", "/containers/m-{n}", NULL, NULL, "204 409" },
	{ 3, "DELETE", "/containers/m-{n}?force=true&sync=false", NULL, NULL, "204 409" },
	{ 1, "DELETE", "/containers/m-{n}?dryRun=true", NULL, NULL, "204 409" },
	/* ---- reads ---- */
	{ 8, "GET", "/containers/m-{n}", "Accept-Encoding: gzip\r\n", NULL, "200 404" },
	{ 4, "GET", "/v1/containers/n{n}", NULL, NULL, "200 404 409" },
	{ 2, "GET", "/containers/m-", NULL, NULL, "409 200 404" },
	{ 3, "GET", "/containers/m-{n}/status", "If-None-Match: \"{t}\"\r\n", NULL, "200 304 404" },
	{ 3, "GET", "/containers/m-{n}/checkpoint", NULL, NULL, "200 404" },
	{ 2, "HEAD", "/containers/m-{n}", NULL, NULL, "200 404" },
	{ 1, "OPTIONS", "/containers/m-{n}/status", NULL, NULL, "204" },
	/* ---- lists ---- */
	{ 3, "GET", "/containers", NULL, NULL, "200" },
	{ 3, "GET", "/containers?limit=7&sort=-createdAt", NULL, NULL, "200" },
	{ 2, "GET", "/containers?state=running,exited&labelSelector=app%3Dweb,n!%3D{n}", NULL, NULL, "200" },
	{ 2, "GET", "/containers?fieldSelector=state!%3DCONTAINER_EXITED&idPrefix=m-0&sort=name", NULL, NULL, "200" },
	{ 2, "GET", "/containers?exitCode=1&sort=finishedAt&limit=3", NULL, NULL, "200" },
	{ 2, "GET", "/containers?sort=-state", "Accept: application/x-ndjson\r\n", NULL, "200" },
	{ 2, "GET", "/containers", "Accept: text/plain\r\n", NULL, "200" },
	{ 2, "GET", "/containers?limit=1000", "Accept-Encoding: gzip\r\n", NULL, "200" },
	{ 1, "GET", "/containers", "If-None-Match: W/\"{t}\"\r\n", NULL, "200 304" },
	/* ---- the service ---- */
	{ 2, "GET", "/metrics", NULL, NULL, "200" },
	{ 2, "GET", "/readyz?verbose", NULL, NULL, "200 503" },
	{ 1, "GET", "/livez", NULL, NULL, "200" },
	{ 1, "GET", "/version", NULL, NULL, "200" },
	{ 1, "GET", "/openapi.json", NULL, NULL, "200" },
	{ 1, "GET", "/openapi.yaml", "Accept-Encoding: gzip\r\n", NULL, "200" },
	{ 1, "GET", "/problems/already-exited", NULL, NULL, "200" },
	/* ---- what is wrong ---- */
	{ 1, "PATCH", "/containers/m-{n}/status", NULL, "{\"message\":", "400" },
	{ 1, "PATCH", "/containers/m-{n}/status", NULL, "{\"nonsense\":1}", "422" },
	{ 1, "PATCH", "/containers/m-{n}/status", "If-Match: nonsense\r\n", "{\"message\":\"{x}\"}", "400" },
	{ 1, "PATCH", "/containers/m-{n}/status", "Content-Type: text/plain\r\n", "message", "415" },
	{ 1, "PATCH", "/containers/m-{n}/status", "Content-Encoding: gzip\r\n", "{}", "415" },
	{ 1, "POST", "/containers", NULL, "{\"id\":\"-\"}", "422" },
	{ 1, "GET", "/containers?limit=0", NULL, NULL, "400" },
	{ 1, "GET", "/containers?continue=forged", NULL, NULL, "400" },
	{ 1, "GET", "/containers/a%2Fb", NULL, NULL, "400" },
	{ 1, "GET", "/nowhere", NULL, NULL, "404" },
	{ 1, "GET", "/containers", "Accept: image/png\r\n", NULL, "406" },
	{ 1, "PUT", "/metrics", NULL, "{}", "405" },
	{ 1, "BREW", "/containers", NULL, NULL, "501" },
	{ 1, "GET", "/containers", "Expect: nonsense\r\n", NULL, "417" },
};

enum { ROWS = sizeof rows / sizeof rows[0] };

_Static_assert((int)ROWS <= (int)MIX_MAX, "there must be room to count them");

size_t soak_unmet(struct game *g)
{
	size_t unmet = 0;

	for (size_t i = 0; i < ROWS; i++)
		if (atomic_load(&g->met[i]) == 0) {
			(void)printf("never answered as meant: %s %s, %s\n", rows[i].method, rows[i].target, rows[i].statuses);
			unmet++;
		}
	(void)fflush(stdout);
	return unmet;
}

/* <template> with its holes filled, in memory that the caller frees; NULL for NULL. */
static char *fill(const char *template, unsigned n, uint64_t tag, uint64_t number)
{
	size_t room = template ? strlen(template) + 128 : 0, used = 0;
	char *out = template ? malloc(room) : NULL;

	if (!template)
		return NULL;
	if (!out)
		abort();
	for (const char *p = template; *p;) {
		bool is_hole = p[0] == '{' && p[1] && strchr("ntx", p[1]) && p[2] == '}';

		if (!is_hole)
			out[used++] = *p++;
		else if (p[1] == 'n')
			used += (size_t)snprintf(out + used, room - used, "%03u", n);
		else
			used += (size_t)snprintf(out + used, room - used, "%" PRIu64, p[1] == 't' ? tag : number);
		p += is_hole ? 3 : 0;
	}
	out[used] = '\0';
	return out;
}

static bool is_among(int status, const char *statuses)
{
	char digits[16];

	(void)snprintf(digits, sizeof digits, "%d", status);
	return strstr(statuses, digits);
}

/* Go on with a list page by page, as its answers say. */
static void turn_pages(struct game *g, struct client *c, const char *target, const struct answer *first)
{
	struct answer a = *first;

	for (unsigned page = 0; page < PAGES_MOST && client_is_open(c); page++) {
		const char *token = strstr(a.body, "\"continue\":\"");
		struct ask ask = { .method = "GET" };
		char next[1024];

		if (!token)
			return;
		token += strlen("\"continue\":\"");
		(void)snprintf(next, sizeof next, "%s&continue=%.*s", target, (int)strcspn(token, "\""), token);
		ask.target = next;
		a = client_ask(c, &ask);
		if (a.status && a.status != 200 && a.status != 410 && a.status != 503)
			game_note_odd(g, &ask, &a, "a page that the contract does not know");
		if (a.status != 200)
			return;
	}
}

/* A body of some size, so that it comes in pieces. */
static void ask_large(struct player *p, struct client *c)
{
	char *body = malloc(LARGE + 64), target[64];
	struct ask ask = { "PUT", target, NULL, body };
	struct answer a;

	if (!body)
		abort();
	(void)snprintf(target, sizeof target, "/containers/large-%u", p->number);
	(void)strcpy(body, "{\"config\":{\"annotations\":{\"a\":\"");
	memset(body + strlen(body), 'x', LARGE);
	body[LARGE] = '\0';
	(void)strcat(body, "\"}}}");
	a = client_ask(c, &ask);
	if (a.status && !is_among(a.status, "200 201 503"))
		game_note_odd(p->game, &ask, &a, "a large body answered otherwise");
	free(body);
}

static const struct row *choose(struct player *p)
{
	unsigned total = 0;
	uint64_t dice;
	size_t i = 0;

	for (size_t k = 0; k < ROWS; k++)
		total += rows[k].weight;
	dice = random_below(&p->random, total);
	while (dice >= rows[i].weight)
		dice -= rows[i++].weight;
	return &rows[i];
}

static void ask_row(struct player *p, struct client *c, const struct row *row)
{
	unsigned n = (unsigned)random_below(&p->random, MIXED);
	uint64_t tag = atomic_load(&p->game->mixed_tags[n]), number = (uint64_t)(p->number + 1) << 32 | ++p->written;
	char *target = fill(row->target, n, tag, number), *headers = fill(row->headers, n, tag, number);
	char *body = fill(row->body, n, tag, number);
	struct ask ask = { row->method, target, headers, body };
	struct answer a;

	if (random_below(&p->random, 50) == 0) {
		client_leave(c, &ask, (size_t)random_below(&p->random, 300), random_below(&p->random, 2) != 0);
	} else {
		a = client_ask(c, &ask);
		if (a.status && !is_among(a.status, row->statuses) && a.status != 503)
			game_note_odd(p->game, &ask, &a, "an answer that the contract does not know");
		if (a.status)
			atomic_fetch_add(&p->game->operations, 1);
		if (a.revision && strstr(target, "/m-"))
			atomic_store(&p->game->mixed_tags[n], a.revision);
		if (a.status == (int)strtol(row->statuses, NULL, 10))
			atomic_fetch_add(&p->game->met[row - rows], 1);
		if (a.status == 200 && strstr(target, "limit="))
			turn_pages(p->game, c, target, &a);
	}
	free(body);
	free(headers);
	free(target);
}

void soak_move(struct player *p, struct client *c)
{
	if (random_below(&p->random, 200) == 0)
		ask_large(p, c);
	else
		ask_row(p, c, choose(p));
}
