/* Changes of a status: every legal move, every refusal, and that a refusal changes nothing.  The vectors T and R bear
 * their names; CREATED, RUNNING and EXITED are theirs, in nanoseconds since 1970. */
#include <check.h>

#include "support/expect.h"
#include "support/script.h"
#include "support/shared.h"
#include "support/suite.h"
#include "support/text.h"

#define ID "/containers/{id}"
#define S "/containers/{id}/status"
#define MAKE(status) { "PUT", ID, NULL, "{\"status\":" status "}", 201, NULL, NULL }
#define CREATED MAKE("{\"createdAt\":1}")
#define RUNNING MAKE("{\"createdAt\":1,\"startedAt\":10,\"pid\":7}")
#define EXITED MAKE("{\"createdAt\":1,\"startedAt\":10,\"finishedAt\":20,\"exitCode\":3,\"reason\":\"x\"}")
#define PATCH(body) { "PATCH", S, NULL, body, 200, NULL, "etag=new" }
#define PATCH_TO(body, wishes) { "PATCH", S, NULL, body, 200, NULL, "etag=new " wishes }
#define SAME(body) { "PATCH", S, NULL, body, 200, NULL, "etag=same @ETag={etag}" }
#define REFUSED(body, slug) { "PATCH", S, NULL, body, 409, slug, NULL }
#define NS(n) "1970-01-01T00:00:00.0000000" n "Z"

static const struct script moves[] = {
	{ "T1", { CREATED, PATCH_TO("{\"startedAt\":10,\"pid\":7}",
		"/state=CONTAINER_RUNNING /pid=7 /startedAt=" NS("10")) } },
	{ "T2",
	  { CREATED, PATCH_TO("{\"finishedAt\":5,\"exitCode\":128,\"reason\":\"StartError\"}",
			      "/state=CONTAINER_EXITED /startedAt=null /exitCode=128 /reason=StartError "
			          "/finishedAt=" NS("05")) } },
	{ "T3", { RUNNING, PATCH_TO("{\"finishedAt\":20,\"exitCode\":3}",
		"/state=CONTAINER_EXITED /pid=0 /exitCode=3") } },
	{ "T4", { RUNNING, PATCH_TO("{\"finishedAt\":9,\"exitCode\":0}",
		"/state=CONTAINER_EXITED /finishedAt=" NS("09")) } },
	{ "T5",
	  { RUNNING, PATCH_TO("{\"reason\":\"OOMKilled\"}", "/state=CONTAINER_RUNNING /reason=OOMKilled"),
	    PATCH_TO("{\"finishedAt\":20,\"exitCode\":137}",
	        "/state=CONTAINER_EXITED /reason=OOMKilled /exitCode=137") } },
	{ "T6", { EXITED, SAME("{\"finishedAt\":20,\"exitCode\":3}"), SAME("{\"finishedAt\":20}"),
		SAME("{\"exitCode\":3}") } },
	{ "T7",
	  { EXITED, REFUSED("{\"finishedAt\":21}", "already-exited"), REFUSED("{\"exitCode\":0}", "already-exited"),
	    REFUSED("{\"finishedAt\":21,\"exitCode\":0}", "already-exited") } },
	{ "T8",
	  { EXITED, PATCH_TO("{\"reason\":\"OOMKilled\"}", "/reason=OOMKilled /state=CONTAINER_EXITED /exitCode=3"),
	    PATCH_TO("{\"message\":\"m\"}", "/message=m"), SAME("{\"message\":\"m\"}") } },
	{ "T9 RUNNING", { RUNNING, REFUSED("{\"startedAt\":null}", "illegal-transition") } },
	{ "T9 EXITED",
	  { EXITED, REFUSED("{\"finishedAt\":null}", "illegal-transition"),
	    REFUSED("{\"startedAt\":null,\"finishedAt\":null}", "illegal-transition") } },
	{ "T10",
	  { RUNNING,
	    { "PATCH", S, NULL, "{\"startedAt\":11}", 409, "illegal-transition",
	      "/from=CONTAINER_RUNNING /allowed*=CONTAINER_EXITED" } } },
	{ "T12",
	  { RUNNING, REFUSED("{\"removing\":true}", "container-running"), PATCH("{\"finishedAt\":20}"),
	    PATCH_TO("{\"removing\":true}", "/removing=true"), REFUSED("{\"removing\":true}", "already-removing") } },
	{ "T13 CREATED",
	  { CREATED, PATCH_TO("{\"removing\":true}", "/removing=true /state=CONTAINER_CREATED"),
	    REFUSED("{\"reason\":\"y\"}", "container-removing"), REFUSED("{\"startedAt\":30}", "container-removing"),
	    PATCH_TO("{\"removing\":false}", "/removing=false"), PATCH("{\"reason\":\"y\"}") } },
	{ "T13 EXITED",
	  { EXITED, PATCH_TO("{\"removing\":true}", "/removing=true"),
	      REFUSED("{\"reason\":\"y\"}", "container-removing"),
	    REFUSED("{\"startedAt\":30}", "container-removing"), PATCH_TO("{\"removing\":false}",
	        "/removing=false /reason=x") } },
	{ "T14 Completed",
	  { RUNNING, PATCH_TO("{\"finishedAt\":20}", "/reason=Completed"),
	    { "GET", ID "/checkpoint", NULL, NULL, 200, NULL, "/Reason=" } } },
	{ "T14 Error",
	  { RUNNING, PATCH_TO("{\"finishedAt\":20,\"exitCode\":1}", "/reason=Error"),
	    { "GET", ID "/checkpoint", NULL, NULL, 200, NULL, "/Reason=" } } },
	{ "T14 kept", { RUNNING, PATCH_TO("{\"finishedAt\":20,\"reason\":\"test-reason\"}",
		"/reason=test-reason") } },
	{ "R1",
	  { EXITED, PATCH_TO("{\"startedAt\":30,\"pid\":8}",
	      "/state=CONTAINER_RUNNING /finishedAt=null /exitCode=0 /reason= "
							     "/message= /pid=8 /startedAt=" NS("30")) } },
	{ "R2",
	  { EXITED, REFUSED("{\"startedAt\":20}", "already-exited"), REFUSED("{\"startedAt\":15}", "already-exited"),
	    REFUSED("{\"startedAt\":5}", "already-exited") } },
	{ "R3",
	  { MAKE("{\"createdAt\":1,\"startedAt\":25,\"finishedAt\":20}"), SAME("{\"startedAt\":25}"),
	    REFUSED("{\"startedAt\":22}", "already-exited"), PATCH_TO("{\"startedAt\":26}",
	        "/state=CONTAINER_RUNNING") } },
	{ "R4", { EXITED, PATCH_TO("{\"startedAt\":30,\"reason\":\"again\"}",
		"/state=CONTAINER_RUNNING /reason=again") } },
	{ "R5",
	  { EXITED, PATCH("{\"startedAt\":30,\"pid\":8}"),
	    PATCH_TO("{\"finishedAt\":40,\"exitCode\":1}",
	        "/state=CONTAINER_EXITED /exitCode=1 /pid=0 /reason=Error"),
	    REFUSED("{\"finishedAt\":41}", "already-exited") } },
	{ "R6",
	  { EXITED, PATCH_TO("{\"startedAt\":30,\"finishedAt\":29,\"exitCode\":1}",
			     "/state=CONTAINER_EXITED /exitCode=1 /startedAt=" NS("30") " /finishedAt=" NS("29")) } },
	{ "R7", { EXITED, PATCH("{\"removing\":true}"), REFUSED("{\"startedAt\":30}", "container-removing") } },
	{ "CREATED to EXITED with both stamps",
	  { CREATED, PATCH_TO("{\"startedAt\":4,\"finishedAt\":9,\"exitCode\":-1}",
	      "/state=CONTAINER_EXITED /exitCode=-1") } },
	{ "any stamp that is not zero counts",
	  { MAKE("{\"createdAt\":-5}"), PATCH_TO("{\"startedAt\":-3}", "/state=CONTAINER_RUNNING"),
	    PATCH_TO("{\"finishedAt\":-1}", "/state=CONTAINER_EXITED /finishedAt=1969-12-31T23:59:59.999999999Z") } },
	{ "a patch of nothing", { RUNNING, SAME("{}"), SAME("{\"pid\":7}"), SAME("{\"startedAt\":10,\"pid\":7}") } },
	{ "null resets",
	  { RUNNING, PATCH("{\"message\":\"m\",\"resources\":{\"linux\":{\"cpu_shares\":2}}}"),
	    PATCH_TO("{\"message\":null}", "/message= /resources/linux/cpu_shares=2"),
	    PATCH_TO("{\"resources\":null}", "/resources=null"), PATCH_TO("{\"pid\":null}", "/pid=0") } },
};

static const struct script shorthand[] = {
	{ "started now",
	  { CREATED, PATCH_TO("{\"state\":\"CONTAINER_RUNNING\",\"pid\":4711}",
	      "/state=CONTAINER_RUNNING /pid=4711 /startedAt!=null"),
	    SAME("{\"state\":\"CONTAINER_RUNNING\",\"pid\":4711}"), SAME("{\"state\":\"CONTAINER_RUNNING\"}") } },
	{ "exited now",
	  { RUNNING, PATCH_TO("{\"state\":\"CONTAINER_EXITED\",\"exitCode\":3}",
	      "/state=CONTAINER_EXITED /exitCode=3 /pid=0 "
										  "/finishedAt!=null /reason=Error"),
	    SAME("{\"state\":\"CONTAINER_EXITED\",\"exitCode\":3}"), SAME("{\"state\":\"CONTAINER_EXITED\"}"),
	    REFUSED("{\"state\":\"CONTAINER_EXITED\",\"exitCode\":4}", "already-exited") } },
	{ "failed start", { CREATED, PATCH_TO("{\"state\":\"CONTAINER_EXITED\",\"exitCode\":128}",
		"/startedAt=null /exitCode=128") } },
	{ "restart now",
	  { EXITED, PATCH_TO("{\"state\":\"CONTAINER_RUNNING\",\"pid\":5}",
	      "/state=CONTAINER_RUNNING /finishedAt=null /exitCode=0 "
									    "/reason= /pid=5") } },
	{ "with a time of its own",
	  { CREATED, PATCH_TO("{\"state\":\"CONTAINER_RUNNING\",\"startedAt\":10}", "/startedAt=" NS("10")),
	    PATCH_TO("{\"state\":\"CONTAINER_EXITED\",\"finishedAt\":20,\"exitCode\":1}",
	        "/finishedAt=" NS("20")) } },
	{ "back to CREATED",
	  { RUNNING,
	    { "PATCH", S, NULL, "{\"state\":\"CONTAINER_CREATED\"}", 409, "illegal-transition",
	      "/from=CONTAINER_RUNNING /to=CONTAINER_CREATED /allowed=[\"CONTAINER_EXITED\"]" } } },
	{ "back to CREATED from EXITED", { EXITED, REFUSED("{\"state\":\"CONTAINER_CREATED\"}",
		"illegal-transition") } },
	{ "the same state", { CREATED, SAME("{\"state\":\"CONTAINER_CREATED\"}") } },
	{ "no such state",
	  { CREATED, { "PATCH", S, NULL, "{\"state\":\"CONTAINER_PAUSED\"}", 422, "validation-failed",
	      "/errors/0/pointer=/state" },
	    { "PATCH", S, NULL, "{\"state\":1}", 422, "validation-failed", "/errors/0/pointer=/state" } } },
	{ "sent back as it was read",
	  { RUNNING,
	    { "PATCH", S, NULL, "{\"finishedAt\":20}", 200, NULL, "etag=new /reason=Completed" },
	    { "PUT", S, NULL,
	      "{\"state\":\"CONTAINER_EXITED\",\"pid\":0,\"createdAt\":\"" NS("01") "\","
	          "\"startedAt\":\"" NS("10") "\",\"finishedAt\":\""
	      NS("20") "\",\"exitCode\":0,\"reason\":\"Completed\",\"message\":\"\",\"removing\":false,\"resources\":null,"
	      "\"revision\":\"3\"}", 200, NULL, "etag=same @ETag={etag}" },
	    { "GET", ID "/checkpoint", NULL, NULL, 200, NULL, "/Reason=" } } },
};

static const struct script replacing[] = {
	{ "replaces every member",
	  { RUNNING, PATCH("{\"reason\":\"r\",\"message\":\"m\",\"resources\":{\"a\":1}}"),
	    { "PUT", S, NULL, "{\"startedAt\":10,\"pid\":8}", 200, NULL,
	      "etag=new /reason= /message= /resources=null /pid=8 /createdAt=" NS("01") },
	    { "PUT", S, NULL, "{\"startedAt\":10,\"pid\":8}", 200, NULL, "etag=same" } } },
	{ "keeps createdAt", { CREATED, { "PUT", S, NULL, "{}", 200, NULL, "etag=same /createdAt=" NS("01") } } },
	{ "may not step back",
	  { RUNNING, { "PUT", S, NULL, "{}", 409, "illegal-transition", NULL },
	    { "PUT", S, NULL, "{\"startedAt\":10,\"finishedAt\":20,\"exitCode\":2}", 200, NULL,
	        "etag=new /state=CONTAINER_EXITED" },
	    { "PUT", S, NULL, "{\"startedAt\":10,\"finishedAt\":21,\"exitCode\":2}", 409, "already-exited", NULL },
	    { "PUT", S, NULL, "{\"startedAt\":10}", 409, "illegal-transition", NULL },
	    { "PUT", S, NULL, "{\"startedAt\":30}", 200, NULL, "etag=new /state=CONTAINER_RUNNING" } } },
	{ "is checked as a whole",
	  { CREATED, { "PUT", S, NULL, "{\"pid\":4}", 422, "validation-failed", "/errors/0/pointer=/pid" },
	    { "PUT", S, NULL, "{\"exitCode\":4}", 422, "validation-failed", "/errors/0/pointer=/exitCode" },
	    { "PUT", S, NULL, "[]", 422, "validation-failed", NULL } } },
	{ "of nobody", { { "PUT", S, NULL, "{\"startedAt\":1}", 404, "container-not-found", NULL } } },
};

static const struct script guarded[] = {
	{ "If-Match",
	  { RUNNING, { "PATCH", S, "If-Match: \"0\"", "{\"reason\":\"a\"}", 412, "revision-mismatch",
	      "@ETag={etag} /current={revision}" },
	    { "PATCH", S, "If-Match: {etag}", "{\"reason\":\"a\"}", 200, NULL, "etag=new" },
	    { "PATCH", S, "If-Match: {first}", "{\"reason\":\"b\"}", 412, "revision-mismatch", "@ETag={etag}" },
	    { "PUT", S, "If-Match: {first}", "{\"startedAt\":10}", 412, "revision-mismatch", "@ETag={etag}" },
	    { "PATCH", S, "If-Match: *", "{\"reason\":\"b\"}", 200, NULL, "etag=new" } } },
	{ "If-Match, a list of tags",
	  { RUNNING, { "PATCH", S, "If-Match: \"0\", {etag}", "{\"reason\":\"a\"}", 200, NULL, "etag=new" },
	    { "PATCH", S, "If-Match: \"0\",\"2\" , \"none, of these\"", "{\"reason\":\"b\"}", 412,
	        "revision-mismatch", NULL } } },
	{ "a weak tag never matches",
	  { RUNNING, { "PATCH", S, "If-Match: W/{etag}", "{\"reason\":\"a\"}", 412, "revision-mismatch", NULL },
	    { "PUT", S, "If-Match: W/{etag}", "{\"startedAt\":10}", 412, "revision-mismatch", NULL } } },
	{ "the guard is looked at before the move",
	  { EXITED, { "PATCH", S, "If-Match: \"0\"", "{\"exitCode\":9}", 412, "revision-mismatch", NULL },
	    { "PATCH", S, "If-Match: {etag}", "{\"exitCode\":9}", 409, "already-exited", NULL },
	    { "PATCH", S, "If-Match: {etag}", "{\"exitCode\":3}", 200, NULL, "etag=same" } } },
	{ "a tag outlives what changed nothing",
	  { RUNNING, REFUSED("{\"startedAt\":11}", "illegal-transition"), SAME("{\"pid\":7}"),
	    { "PATCH", S, "If-Match: {first}", "{\"finishedAt\":20}", 200, NULL, "etag=new" } } },
};

static const struct script compulsory[] = {
	{ "without If-Match",
	  { RUNNING, { "PATCH", S, NULL, "{\"reason\":\"a\"}", 428, "precondition-required", NULL },
	    { "PUT", S, NULL, "{\"startedAt\":10}", 428, "precondition-required", NULL },
	    { "PATCH", S, "If-Match: \"0\"", "{\"reason\":\"a\"}", 412, "revision-mismatch", NULL },
	    { "PATCH", S, "If-Match: {etag}", "{\"reason\":\"a\"}", 200, NULL, "etag=new" },
	    { "PATCH", S, "If-Match: *", "{\"reason\":\"b\"}", 200, NULL, "etag=new" } } },
};

START_TEST(legal_and_illegal_moves)
{
	script_run(shared_http(), &moves[_i], shared_id(text("m%d", _i)));
}
END_TEST

START_TEST(state_as_shorthand)
{
	script_run(shared_http(), &shorthand[_i], shared_id(text("s%d", _i)));
}
END_TEST

START_TEST(put_replaces)
{
	script_run(shared_http(), &replacing[_i], shared_id(text("p%d", _i)));
}
END_TEST

START_TEST(preconditions)
{
	script_run(shared_http(), &guarded[_i], shared_id(text("g%d", _i)));
}
END_TEST

START_TEST(if_match_compulsory)
{
	script_run(shared_http(), &compulsory[_i], shared_id(text("r%d", _i)));
}
END_TEST

int main(void)
{
	static const char *const memory[] = { "--backend", "memory", NULL };
	static const char *const require[] = { "--require-if-match", NULL };
	Suite *s = suite_create("status");
	TCase *cases[] = { shared_case(s, "on disk", NULL), shared_case(s, "in memory", memory) };
	TCase *strict = shared_case(s, "require-if-match", require);

	for (size_t i = 0; i < COUNT(cases); i++) {
		tcase_add_loop_test(cases[i], legal_and_illegal_moves, 0, COUNT(moves));
		tcase_add_loop_test(cases[i], state_as_shorthand, 0, COUNT(shorthand));
		tcase_add_loop_test(cases[i], put_replaces, 0, COUNT(replacing));
		tcase_add_loop_test(cases[i], preconditions, 0, COUNT(guarded));
	}
	tcase_add_loop_test(strict, if_match_compulsory, 0, COUNT(compulsory));
	return suite_main(s);
}
