/* Reading many: filters, selectors, order.  One server with a fixed population; no test of this file changes it. */
#include <check.h>
#include <string.h>

#include "support/expect.h"
#include "support/shared.h"
#include "support/suite.h"
#include "support/text.h"

#define DAY(d) "\"2026-08-" d "T10:00:00Z\""

static const struct {
	const char *id, *members;
} population[] = {
	{ "a1", "\"name\":\"web\",\"imageRef\":\"nginx:1.27\",\"sandboxId\":\"sb1\","
		"\"config\":{\"labels\":{\"app\":\"web\",\"tier\":\"front\",\"env\":\"prod\",\"cpu\":\"2\"}},"
		"\"status\":{\"createdAt\":" DAY("01") ",\"startedAt\":" DAY("02") ",\"pid\":11}" },
	{ "a2", "\"name\":\"web\",\"imageRef\":\"nginx:1.26\",\"sandboxId\":\"sb2\","
		"\"config\":{\"labels\":{\"app\":\"web\",\"tier\":\"front\",\"env\":\"test\",\"cpu\":\"8\"}},"
		"\"status\":{\"createdAt\":" DAY("02") "}" },
	{ "b1", "\"name\":\"db\",\"imageRef\":\"pg:16\",\"sandboxId\":\"sb1\","
		"\"config\":{\"labels\":{\"app\":\"db\",\"tier\":\"db\",\"env\":\"prod\",\"legacy\":\"\"}},"
		"\"status\":{\"createdAt\":" DAY("03") ",\"startedAt\":" DAY("04") ","
			"\"finishedAt\":" DAY("09") ",\"exitCode\":0}" },
	{ "b2", "\"name\":\"db\",\"imageRef\":\"pg:16\",\"sandboxId\":\"sb2\","
		"\"config\":{\"labels\":{\"app\":\"db\",\"env\":\"dev\",\"example.com/role\":\"replica\"}},"
		"\"status\":{\"createdAt\":" DAY("04") ",\"startedAt\":" DAY("05") ","
			"\"finishedAt\":" DAY("07") ",\"exitCode\":137}" },
	{ "c1", "\"name\":\"job\",\"imageRef\":\"busybox\","
		"\"status\":{\"createdAt\":" DAY("05") ",\"finishedAt\":" DAY("08") ",\"exitCode\":137}" },
	{ "c2", "\"name\":\"plain\",\"config\":{\"labels\":\"none, really\"},\"status\":{\"createdAt\":" DAY("06") "}" },
	{ "d1", "\"name\":\"with blank\",\"config\":{\"labels\":{\"app\":7,\"cpu\":\"many\"}},"
		"\"status\":{\"createdAt\":" DAY("06") ",\"startedAt\":" DAY("06") "}" },
};

static void populate(void)
{
	if (http_get(shared_http(), "/containers/d1")->status == 200)
		return;
	for (size_t i = 0; i < COUNT(population); i++)
		(void)shared_create(population[i].id, population[i].members);
}

/* A query and the ids it finds, in their order. */
static const struct {
	const char *query, *ids;
} found[] = {
	{ "", "a1 a2 b1 b2 c1 c2 d1" },
	{ "?state=running", "a1 d1" },
	{ "?state=RUNNING,created", "a1 a2 c2 d1" },
	{ "?state=CONTAINER_EXITED", "b1 b2 c1" },
	{ "?state=Container_Exited", "b1 b2 c1" },
	{ "?state=unknown", "" },
	{ "?name=web", "a1 a2" },
	{ "?name=with%20blank", "d1" },
	{ "?name=with+blank", "d1" },
	{ "?name=we", "" },
	{ "?sandboxId=sb1", "a1 b1" },
	{ "?imageRef=pg:16", "b1 b2" },
	{ "?imageRef=nginx%3A1.27", "a1" },
	{ "?idPrefix=b", "b1 b2" },
	{ "?idPrefix=b2", "b2" },
	{ "?idPrefix=zz", "" },
	{ "?exitCode=0", "b1" },
	{ "?exitCode=137", "b2 c1" },
	{ "?exitCode=-1", "" },
	{ "?createdAfter=2026-08-04T10:00:00Z", "c1 c2 d1" },
	{ "?createdAfter=2026-08-04T09:59:59.999999999Z", "b2 c1 c2 d1" },
	{ "?createdAfter=2026-08-04T12:00:00%2B02:00", "c1 c2 d1" },
	{ "?finishedAfter=2026-08-07T10:00:00Z", "b1 c1" },
	{ "?finishedAfter=1", "b1 b2 c1" },
	{ "?sandboxId=sb1&state=exited", "b1" },
	{ "?sandboxId=sb1&state=exited&name=web", "" },
	/* the grammar of Kubernetes' labels.Parse */
	{ "?labelSelector=app=web", "a1 a2" },
	{ "?labelSelector=app%3D%3Dweb", "a1 a2" },
	{ "?labelSelector=app=web,tier!=db,env+in+(prod,dev),!legacy", "a1" },
	{ "?labelSelector=app!=web", "b1 b2 c1 c2 d1" },
	{ "?labelSelector=env+in+(prod,dev)", "a1 b1 b2" },
	{ "?labelSelector=env%20in%20(%20prod%20,%20dev%20)", "a1 b1 b2" },
	{ "?labelSelector=env+notin+(prod,dev)", "a2 c1 c2 d1" },
	{ "?labelSelector=env+in+(prod)", "a1 b1" },
	{ "?labelSelector=tier", "a1 a2 b1" },
	{ "?labelSelector=!tier", "b2 c1 c2 d1" },
	{ "?labelSelector=!+tier", "b2 c1 c2 d1" },
	{ "?labelSelector=legacy=", "b1" },
	{ "?labelSelector=legacy", "b1" },
	{ "?labelSelector=legacy+in+()", "?" },
	{ "?labelSelector=legacy+in+(,x)", "b1" },
	{ "?labelSelector=app,!legacy,env!=test", "a1 b2" },
	{ "?labelSelector=example.com/role=replica", "b2" },
	{ "?labelSelector=example.com/role", "b2" },
	{ "?labelSelector=cpu%3E2", "a2" },
	{ "?labelSelector=cpu+%3C+8", "a1" },
	{ "?labelSelector=cpu%3E0,cpu%3C9", "a1 a2" },
	{ "?labelSelector=", "a1 a2 b1 b2 c1 c2 d1" },
	{ "?labelSelector=+app+=+web+,+tier+", "a1 a2" },
	{ "?labelSelector=app=none,app=web", "" },
	{ "?labelSelector=in", "" },
	{ "?labelSelector=notin+notin+(x)", "a1 a2 b1 b2 c1 c2 d1" },
	/* fields */
	{ "?fieldSelector=state!=CONTAINER_EXITED", "a1 a2 c2 d1" },
	{ "?fieldSelector=state=CONTAINER_EXITED", "b1 b2 c1" },
	{ "?fieldSelector=state==CONTAINER_RUNNING", "a1 d1" },
	{ "?fieldSelector=name=web,sandboxId=sb2", "a2" },
	{ "?fieldSelector=name!=web,imageRef!=pg:16", "c1 c2 d1" },
	{ "?fieldSelector=id=c1", "c1" },
	{ "?fieldSelector=", "a1 a2 b1 b2 c1 c2 d1" },
	/* order: equal ones by id, nulls last in either direction */
	{ "?sort=id", "a1 a2 b1 b2 c1 c2 d1" },
	{ "?sort=-id", "d1 c2 c1 b2 b1 a2 a1" },
	{ "?sort=name", "b1 b2 c1 c2 a1 a2 d1" },
	{ "?sort=-name", "d1 a1 a2 c2 c1 b1 b2" },
	{ "?sort=createdAt", "a1 a2 b1 b2 c1 c2 d1" },
	{ "?sort=-createdAt", "c2 d1 c1 b2 b1 a2 a1" },
	{ "?sort=startedAt", "a1 b1 b2 d1 a2 c1 c2" },
	{ "?sort=-startedAt", "d1 b2 b1 a1 a2 c1 c2" },
	{ "?sort=finishedAt", "b2 c1 b1 a1 a2 c2 d1" },
	{ "?sort=-finishedAt", "b1 c1 b2 a1 a2 c2 d1" },
	{ "?sort=-finishedAt&state=exited&limit=1000", "b1 c1 b2" },
};

static const char *ids_of(const struct reply *r)
{
	const char *ids = "";
	size_t i;
	json_t *item;

	json_array_foreach(json_at(r->json, "/items"), i, item)
		ids = text("%s%s%s", ids, *ids ? " " : "", json_text(item, "/id"));
	return ids;
}

START_TEST(filtered_and_sorted)
{
	const struct reply *r;

	populate();
	r = http_get(shared_http(), text("/containers%s", found[_i].query));
	if (!strcmp(found[_i].ids, "?")) {
		expect_problem(r, 400, "invalid-parameter");
		return;
	}
	expect_status(r, 200);
	expect_all(r, "@Content-Type*=application/json @Cache-Control=no-cache @Vary*=Accept @ETag*=W/\" "
		      "/metadata/continue=(absent) /metadata/remainingItemCount=(absent) @Link=(absent)");
	if (strcmp(ids_of(r), found[_i].ids) != 0)
		expect_fail(r, "expected \"%s\", found \"%s\"", found[_i].ids, ids_of(r));
}
END_TEST

/* Queries that are refused, each with a word that the problem's detail has to contain. */
static const struct {
	const char *query, *word;
} refused[] = {
	{ "?stat=running", "state" },
	{ "?label=a", "label" },
	{ "?labelselector=a", "labelSelector" },
	{ "?Limit=1", "limit" },
	{ "?zebra", "zebra" },
	{ "?limit=1&limit=1", "limit" },
	{ "?state=running&state=exited", "state" },
	{ "?limit=0", "limit" },
	{ "?limit=1001", "limit" },
	{ "?limit=-1", "limit" },
	{ "?limit=ten", "limit" },
	{ "?limit=", "limit" },
	{ "?limit=1.0", "limit" },
	{ "?limit=99999999999999999999", "limit" },
	{ "?state=sleeping", "state" },
	{ "?exitCode=x", "exitCode" },
	{ "?exitCode=2147483648", "exitCode" },
	{ "?createdAfter=yesterday", "createdAfter" },
	{ "?finishedAfter=", "finishedAfter" },
	{ "?sort=pid", "sort" },
	{ "?sort=--id", "sort" },
	{ "?labelSelector=a=b=c", "labelSelector" },
	{ "?labelSelector=,", "labelSelector" },
	{ "?labelSelector=a,", "labelSelector" },
	{ "?labelSelector=a,,b", "labelSelector" },
	{ "?labelSelector==b", "labelSelector" },
	{ "?labelSelector=!a=b", "labelSelector" },
	{ "?labelSelector=a+b", "labelSelector" },
	{ "?labelSelector=a+in+b", "labelSelector" },
	{ "?labelSelector=a+in+(b", "labelSelector" },
	{ "?labelSelector=a+in+b)", "labelSelector" },
	{ "?labelSelector=a+in", "labelSelector" },
	{ "?labelSelector=a+notin+()", "labelSelector" },
	{ "?labelSelector=(a)", "labelSelector" },
	{ "?labelSelector=a%3Ebig", "labelSelector" },
	{ "?labelSelector=a%3E", "labelSelector" },
	{ "?labelSelector=-a=b", "labelSelector" },
	{ "?labelSelector=a=b%24", "labelSelector" },
	{ "?labelSelector=a/b/c=d", "labelSelector" },
	{ "?labelSelector=%C3%A4=d", "labelSelector" },
	{ "?fieldSelector=colour=red", "fieldSelector" },
	{ "?fieldSelector=state", "fieldSelector" },
	{ "?fieldSelector=state=CONTAINER_GONE", "fieldSelector" },
	{ "?fieldSelector=state+in+(a)", "fieldSelector" },
	{ "?continue=nonsense", "continue" },
	{ "?name=%zz", NULL },
	{ "?name=%", NULL },
	{ "?dryRun=true", "dryRun" },
};

START_TEST(refused_queries)
{
	const struct reply *r = http_get(shared_http(), text("/containers%s", refused[_i].query));

	/* A broken escape is no parameter at all: then it is the request that is bad. */
	if (!refused[_i].word && r->json && !strcmp(json_text(r->json, "/type"), "/problems/bad-request"))
		return;
	expect_problem(r, 400, "invalid-parameter");
	if (refused[_i].word)
		expect_all(r, text("/detail*=%s", refused[_i].word));
}
END_TEST

/* Label keys and values have the lengths that Kubernetes gives them: 63 bytes, 253 for a prefix. */
START_TEST(lengths_in_selectors)
{
	const char *l63 = text_repeat("x", 63), *l64 = text_repeat("x", 64);

	expect_status(http_get(shared_http(), text("/containers?labelSelector=%s=%s", l63, l63)), 200);
	expect_status(http_get(shared_http(), text("/containers?labelSelector=%s/%s", text_repeat("y.", 126), l63)),
		400);
	expect_status(http_get(shared_http(), text("/containers?labelSelector=%sy/%s", text_repeat("y.", 126), l63)),
		200);
	expect_status(http_get(shared_http(), text("/containers?labelSelector=%s=a", l64)), 400);
	expect_status(http_get(shared_http(), text("/containers?labelSelector=a=%s", l64)), 400);
}
END_TEST

START_TEST(parameters_elsewhere)
{
	static const char *const asked[][3] = {
		{ "GET", "/containers/a1?limit=1", "limit" },        { "GET", "/containers/a1/status?wiat=exited",
			"wiat" },
		{ "DELETE", "/containers/zz?forse=true", "force" },
			  { "DELETE", "/containers/zz?force=maybe", "force" },
		{ "PUT", "/containers/a1?dryrun=true", "dryRun" },    { "POST", "/containers?dryRun=yes", "dryRun" },
		{ "PATCH", "/containers/a1/status?sync=", "sync" },   { "GET", "/readyz?verbos", "verbose" },
		{ "GET", "/metrics?x=1", "x" },                       { "POST", "/containers?sync=false&sync=false",
			"sync" },
		{ "GET", "/version?a", "a" },
	};
	const char *body = !strcmp(asked[_i][0], "GET") || !strcmp(asked[_i][0], "DELETE") ? NULL : "{}";
	const struct reply *r;

	populate();
	r = http_ask(shared_http(), asked[_i][0], asked[_i][1], NULL, body);
	expect_problem(r, 400, "invalid-parameter");
	expect_all(r, text("/detail*=%s", asked[_i][2]));
}
END_TEST

START_TEST(empty_store)
{
	const struct reply *r = http_get(shared_http(), "/containers");

	expect_status(r, 200);
	expect_all(r, "/items=[] /metadata/revision!=(absent) @Link=(absent)");
	r = http_ask(shared_http(), "GET", "/containers", "Accept: application/x-ndjson", NULL);
	expect_status(r, 200);
	ck_assert_uint_eq(r->len, 0);
}
END_TEST

int main(void)
{
	static const char *const memory[] = { "--backend", "memory", NULL };
	Suite *s = suite_create("list");
	TCase *empty = shared_case(s, "empty", memory), *c = shared_case(s, "filters", memory);

	tcase_add_test(empty, empty_store);
	tcase_add_loop_test(c, filtered_and_sorted, 0, COUNT(found));
	tcase_add_loop_test(c, refused_queries, 0, COUNT(refused));
	tcase_add_test(c, lengths_in_selectors);
	tcase_add_loop_test(c, parameters_elsewhere, 0, 11);
	return suite_main(s);
}
