/* What becomes of a change: every legal and illegal move, restarts, shorthands, no-ops, and the rules of create, put and
 * delete.  All decisions are pure, so each vector is a row: a status, and the patches that meet it one after another. */
#include <string.h>

#include "container/change.h"
#include "unit.h"

#define NOW INT64_C(1000)

enum {
	PID = GIVEN_PID, C = GIVEN_CREATED_AT, S = GIVEN_STARTED_AT, F = GIVEN_FINISHED_AT, CODE = GIVEN_EXIT_CODE,
	REASON = GIVEN_REASON, MESSAGE = GIVEN_MESSAGE, REMOVING = GIVEN_REMOVING, RESOURCES = GIVEN_RESOURCES,
	STATE = GIVEN_STATE,
};

/* One patch, how it ends, and the status after it (only looked at when it was accepted). */
struct step {
	unsigned given;
	struct status value;
	enum change_end end;
	struct status after;
	enum container_state state; /* the shorthand */
	bool replace;
};

struct vector {
	const char *name;
	struct status from;
	struct step steps[4]; /* up to one that gives nothing and ends in CHANGE_CREATED, which is 0 */
};

#define CREATED { .created_at = 1 }
#define RUNNING { .created_at = 1, .started_at = 10, .pid = 7 }
#define EXITED { .created_at = 1, .started_at = 10, .finished_at = 20, .exit_code = 3, .reason = "x" }
#define ODD { .created_at = 1, .started_at = 25, .finished_at = 20, .exit_code = 3, .reason = "x" } /* exit before start */
#define UNKNOWN { .exit_code = 255, .reason = "CheckpointDamaged", .message = "cut", .unknown = true }
#define REMOVED { .created_at = 1, .started_at = 10, .finished_at = 20, .exit_code = 3, .reason = "x", .removing = true }
#define ENDED_WELL { .created_at = 1, .started_at = 10, .finished_at = 20 } /* shown as Completed */

/* Short names for how things end, and for what was left as it was. */
#define OK CHANGE_UPDATED
#define SAME CHANGE_SAME, { 0 }
#define ILLEGAL CHANGE_E_ILLEGAL_TRANSITION, { 0 }
#define ALREADY CHANGE_E_ALREADY_EXITED, { 0 }
#define INVALID CHANGE_E_INVALID, { 0 }

/* What a row leaves out at its end is zero, on purpose. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"
static const struct vector vectors[] = {
	{ "T1", CREATED, { { S | PID, { .started_at = 10, .pid = 7 }, OK, RUNNING } } },
	{ "T2", CREATED,
	  { { F | CODE | REASON, { .finished_at = 5, .exit_code = 128, .reason = "StartError" }, OK,
	      { .created_at = 1, .finished_at = 5, .exit_code = 128, .reason = "StartError" } } } },
	{ "T3", RUNNING,
	  { { F | CODE, { .finished_at = 20, .exit_code = 3 }, OK,
	      { .created_at = 1, .started_at = 10, .finished_at = 20, .exit_code = 3 } } } },
	{ "T4", RUNNING,
	  { { F | CODE, { .finished_at = 9 }, OK, { .created_at = 1, .started_at = 10, .finished_at = 9 } } } },
	{ "T5", RUNNING,
	  { { REASON, { .reason = "OOMKilled" }, OK, { .created_at = 1, .started_at = 10, .pid = 7, .reason = "OOMKilled" } },
	    { F | CODE, { .finished_at = 20, .exit_code = 137 }, OK,
	      { .created_at = 1, .started_at = 10, .finished_at = 20, .exit_code = 137, .reason = "OOMKilled" } } } },
	{ "T5 the exit brings a reason of its own", RUNNING,
	  { { REASON, { .reason = "OOMKilled" }, OK, { .created_at = 1, .started_at = 10, .pid = 7, .reason = "OOMKilled" } },
	    { F | CODE | REASON, { .finished_at = 20, .exit_code = 137, .reason = "Error" }, OK,
	      { .created_at = 1, .started_at = 10, .finished_at = 20, .exit_code = 137, .reason = "OOMKilled" } } } },
	{ "T6", EXITED, { { F | CODE, { .finished_at = 20, .exit_code = 3 }, SAME } } },
	{ "T7", EXITED,
	  { { F, { .finished_at = 21 }, ALREADY },
	    { CODE, { .exit_code = 0 }, ALREADY },
	    { F | CODE, { .finished_at = 21, .exit_code = 0 }, ALREADY } } },
	{ "T8", EXITED,
	  { { REASON, { .reason = "OOMKilled" }, OK,
	      { .created_at = 1, .started_at = 10, .finished_at = 20, .exit_code = 3, .reason = "OOMKilled" } },
	    { MESSAGE, { .message = "killed" }, OK,
	      { .created_at = 1, .started_at = 10, .finished_at = 20, .exit_code = 3, .reason = "OOMKilled", .message = "killed" } },
	    { REASON, { .reason = "Error" }, SAME } } },
	{ "T9 RUNNING", RUNNING, { { S, { 0 }, ILLEGAL }, { S | F, { 0 }, ILLEGAL } } },
	{ "T9 EXITED", EXITED, { { S | F, { 0 }, ILLEGAL }, { F, { 0 }, ILLEGAL }, { S, { 0 }, ILLEGAL } } },
	{ "T9 createdAt", CREATED, { { C, { 0 }, ILLEGAL } } },
	{ "T10", RUNNING, { { S, { .started_at = 11 }, ILLEGAL }, { S, { .started_at = 9 }, ILLEGAL } } },
	{ "T11", UNKNOWN,
	  { { S, { .started_at = 10 }, ILLEGAL },
	    { F | CODE, { .finished_at = 20, .exit_code = 1 }, OK, { .finished_at = 20, .exit_code = 1 } } } },
	{ "T11 without stamps", { 0 },
	  { { S, { .started_at = 10 }, ILLEGAL },
	    { C, { .created_at = 10 }, ILLEGAL },
	    { F | CODE, { .finished_at = 20, .exit_code = 1 }, OK, { .finished_at = 20, .exit_code = 1 } } } },
	{ "T12 RUNNING", RUNNING, { { REMOVING, { .removing = true }, CHANGE_E_RUNNING, { 0 } } } },
	{ "T12 UNKNOWN", UNKNOWN, { { REMOVING, { .removing = true }, ILLEGAL } } },
	{ "T12 EXITED already removing", REMOVED, { { REMOVING, { .removing = true }, CHANGE_E_ALREADY_REMOVING, { 0 } } } },
	{ "T13 CREATED", CREATED,
	  { { REMOVING, { .removing = true }, OK, { .created_at = 1, .removing = true } },
	    { REASON, { .reason = "y" }, CHANGE_E_REMOVING, { 0 } },
	    { S, { .started_at = 30 }, CHANGE_E_REMOVING, { 0 } },
	    { REMOVING, { .removing = false }, OK, CREATED } } },
	{ "T13 EXITED", EXITED,
	  { { REMOVING, { .removing = true }, OK, REMOVED },
	    { REASON, { .reason = "y" }, CHANGE_E_REMOVING, { 0 } },
	    { S, { .started_at = 30 }, CHANGE_E_REMOVING, { 0 } },
	    { REMOVING, { .removing = false }, OK, EXITED } } },

	{ "R1", EXITED,
	  { { S | PID, { .started_at = 30, .pid = 8 }, OK, { .created_at = 1, .started_at = 30, .pid = 8 } } } },
	{ "R2", EXITED,
	  { { S, { .started_at = 20 }, ALREADY }, { S, { .started_at = 15 }, ALREADY }, { S, { .started_at = 10 }, SAME } } },
	{ "R3", ODD,
	  { { S, { .started_at = 25 }, SAME },
	    { S, { .started_at = 22 }, ALREADY },
	    { S, { .started_at = 26 }, OK, { .created_at = 1, .started_at = 26 } } } },
	{ "R4", EXITED,
	  { { S | REASON, { .started_at = 30, .reason = "again" }, OK,
	      { .created_at = 1, .started_at = 30, .reason = "again" } } } },
	{ "R5", EXITED,
	  { { S | PID, { .started_at = 30, .pid = 8 }, OK, { .created_at = 1, .started_at = 30, .pid = 8 } },
	    { F | CODE, { .finished_at = 40, .exit_code = 1 }, OK,
	      { .created_at = 1, .started_at = 30, .finished_at = 40, .exit_code = 1 } },
	    { F, { .finished_at = 41 }, ALREADY } } },
	{ "R6", EXITED,
	  { { S | F | CODE, { .started_at = 30, .finished_at = 29, .exit_code = 1 }, OK,
	      { .created_at = 1, .started_at = 30, .finished_at = 29, .exit_code = 1 } } } },
	{ "R7", REMOVED, { { S, { .started_at = 30 }, CHANGE_E_REMOVING, { 0 } } } },
	{ "restart forgets the kernel's word", { .created_at = 1, .started_at = 10, .finished_at = 20, .exit_code = 137,
						 .reason = "OOMKilled", .message = "m" },
	  { { S, { .started_at = 30 }, OK, { .created_at = 1, .started_at = 30 } } } },

	/* `state` alone: the server stamps the time. */
	{ "shorthand RUNNING", CREATED,
	  { { STATE | PID, { .pid = 7 }, OK, { .created_at = 1, .started_at = NOW, .pid = 7 }, CONTAINER_RUNNING },
	    { STATE | PID, { .pid = 7 }, SAME, CONTAINER_RUNNING },
	    { STATE, { 0 }, SAME, CONTAINER_RUNNING },
	    { STATE | PID, { .pid = 8 }, OK, { .created_at = 1, .started_at = NOW, .pid = 8 }, CONTAINER_RUNNING } } },
	{ "shorthand EXITED", RUNNING,
	  { { STATE | CODE, { .exit_code = 3 }, OK,
	      { .created_at = 1, .started_at = 10, .finished_at = NOW, .exit_code = 3 }, CONTAINER_EXITED },
	    { STATE | CODE, { .exit_code = 3 }, SAME, CONTAINER_EXITED },
	    { STATE | CODE, { .exit_code = 4 }, ALREADY, CONTAINER_EXITED },
	    { STATE, { 0 }, SAME, CONTAINER_EXITED } } },
	{ "shorthand EXITED of CREATED", CREATED,
	  { { STATE | CODE | REASON, { .exit_code = 128, .reason = "StartError" }, OK,
	      { .created_at = 1, .finished_at = NOW, .exit_code = 128, .reason = "StartError" }, CONTAINER_EXITED } } },
	{ "shorthand EXITED of UNKNOWN", UNKNOWN,
	  { { STATE | CODE, { .exit_code = 1 }, OK, { .finished_at = NOW, .exit_code = 1 }, CONTAINER_EXITED } } },
	{ "shorthand with a time", CREATED,
	  { { STATE | S, { .started_at = 10 }, OK, { .created_at = 1, .started_at = 10 }, CONTAINER_RUNNING } } },
	{ "shorthand restart", EXITED,
	  { { STATE | PID, { .pid = 8 }, OK, { .created_at = 1, .started_at = NOW, .pid = 8 }, CONTAINER_RUNNING } } },
	{ "shorthand restart with the clock set back", { .created_at = 1, .started_at = 2 * NOW, .finished_at = NOW + 5 },
	  { { STATE, { 0 }, OK, { .created_at = 1, .started_at = 2 * NOW + 1 }, CONTAINER_RUNNING } } },
	{ "shorthand backwards", RUNNING,
	  { { STATE, { 0 }, ILLEGAL, CONTAINER_CREATED }, { STATE, { 0 }, ILLEGAL, CONTAINER_UNKNOWN } } },
	{ "shorthand of UNKNOWN", UNKNOWN,
	  { { STATE, { 0 }, ILLEGAL, CONTAINER_RUNNING },
	    { STATE, { 0 }, ILLEGAL, CONTAINER_CREATED },
	    { STATE, { 0 }, SAME, CONTAINER_UNKNOWN } } },
	{ "shorthand CREATED of EXITED", EXITED, { { STATE, { 0 }, ILLEGAL, CONTAINER_CREATED } } },
	{ "shorthand that contradicts its times", CREATED,
	  { { STATE | F, { .finished_at = 5 }, INVALID, CONTAINER_RUNNING } } },

	/* Members that must agree. */
	{ "exit code without exit", CREATED, { { CODE, { .exit_code = 3 }, INVALID } } },
	{ "exit code while running", RUNNING, { { CODE, { .exit_code = 3 }, INVALID } } },
	{ "pid outside RUNNING", CREATED, { { PID, { .pid = 3 }, INVALID } } },
	{ "pid of EXITED", EXITED, { { PID, { .pid = 3 }, INVALID } } },
	{ "an exit drops the pid it brings", RUNNING,
	  { { F | PID, { .finished_at = 20, .pid = 7 }, OK, { .created_at = 1, .started_at = 10, .finished_at = 20 } } } },
	{ "pid is corrected", RUNNING,
	  { { PID, { .pid = 8 }, OK, { .created_at = 1, .started_at = 10, .pid = 8 } }, { PID, { .pid = 8 }, SAME } } },
	{ "nothing given", RUNNING, { { 0, { 0 }, SAME } } },
	{ "members of their own", CREATED,
	  { { MESSAGE | RESOURCES, { .message = "m", .resources = "{\"linux\":{}}" }, OK,
	      { .created_at = 1, .message = "m", .resources = "{\"linux\":{}}" } },
	    { MESSAGE | RESOURCES, { .message = "m", .resources = "{\"linux\":{}}" }, SAME },
	    { MESSAGE, { 0 }, OK, { .created_at = 1, .resources = "{\"linux\":{}}" } },
	    { RESOURCES, { 0 }, OK, CREATED } } },

	/* What was shown, sent back as received. */
	{ "sent back EXITED", ENDED_WELL,
	  { { STATE | PID | C | S | F | CODE | REASON | MESSAGE | REMOVING | RESOURCES,
	      { .created_at = 1, .started_at = 10, .finished_at = 20, .reason = "Completed" }, SAME, CONTAINER_EXITED },
	    { REASON, { .reason = "Error" }, OK, { .created_at = 1, .started_at = 10, .finished_at = 20, .reason = "Error" } } } },
	{ "sent back RUNNING", RUNNING,
	  { { STATE | PID | C | S | F | CODE | REASON | MESSAGE | REMOVING | RESOURCES,
	      { .created_at = 1, .started_at = 10, .pid = 7 }, SAME, CONTAINER_RUNNING } } },
	{ "sent back UNKNOWN", UNKNOWN,
	  { { STATE | PID | C | S | F | CODE | REASON | MESSAGE | REMOVING | RESOURCES,
	      { .exit_code = 255, .reason = "CheckpointDamaged", .message = "cut" }, SAME, CONTAINER_UNKNOWN } } },

	/* The whole status: what is not given is reset, but for createdAt. */
	{ "replace with nothing", { .created_at = 1, .message = "m", .resources = "{}" },
	  { { 0, { 0 }, OK, CREATED, 0, true }, { 0, { 0 }, SAME, 0, true } } },
	{ "replace resets the start", RUNNING, { { 0, { 0 }, ILLEGAL, 0, true } } },
	{ "replace by shorthand", CREATED,
	  { { STATE | PID, { .pid = 7 }, OK, { .created_at = 1, .started_at = NOW, .pid = 7 }, CONTAINER_RUNNING, true },
	    { STATE | PID, { .pid = 7 }, SAME, CONTAINER_RUNNING, true },
	    { STATE | CODE, { .exit_code = 3 }, OK,
	      { .created_at = 1, .started_at = NOW, .finished_at = NOW, .exit_code = 3 }, CONTAINER_EXITED, true },
	    { STATE | CODE, { .exit_code = 3 }, SAME, CONTAINER_EXITED, true } } },
	{ "replace with an exit", RUNNING,
	  { { C | S | F | CODE, { .created_at = 1, .started_at = 10, .finished_at = 20, .exit_code = 3 }, OK,
	      { .created_at = 1, .started_at = 10, .finished_at = 20, .exit_code = 3 }, 0, true } } },
	{ "replace sent back", EXITED,
	  { { STATE | C | S | F | CODE | REASON | REMOVING,
	      { .created_at = 1, .started_at = 10, .finished_at = 20, .exit_code = 3, .reason = "x" }, SAME,
	      CONTAINER_EXITED, true } } },
};
#pragma GCC diagnostic pop

/* The next status of a refusal or no-op is the one before. */
static struct verdict apply(const struct vector *v, size_t i, const struct status *old)
{
	const struct step *step = &v->steps[i];
	struct status_patch patch = { step->given, unit_status(step->value), step->state };
	struct verdict verdict = change_status(old, &patch, step->replace, NOW);

	ck_assert_msg(verdict.end == step->end, "step %zu: expected %s, seen %s%s%s", i + 1, change_end_name(step->end),
		      change_end_name(verdict.end), verdict.pointer ? " " : "", verdict.pointer ? verdict.pointer : "");
	return verdict;
}

static bool is_last(const struct step *step)
{
	return step->given == 0 && step->end == CHANGE_CREATED;
}

START_TEST(change_ends_as_it_should)
{
	const struct vector *v = &vectors[_i];
	struct status now = unit_status(v->from);

	for (size_t i = 0; i < COUNT(v->steps) && !is_last(&v->steps[i]); i++) {
		const struct status before = now;
		struct verdict verdict = apply(v, i, &now);

		unit_expect_status("the old status", &now, before);
		if (verdict.end != CHANGE_UPDATED)
			continue;
		unit_expect_status(v->name, &verdict.next, v->steps[i].after);
		now = verdict.next;
	}
}
END_TEST

/* Refused moves name both ends, so that a client can be told what would have been allowed. */
START_TEST(refusals_tell_the_move)
{
	struct status running = unit_status((struct status)RUNNING), unknown = unit_status((struct status)UNKNOWN);
	struct status_patch patch = { STATE, unit_status((struct status){ 0 }), CONTAINER_CREATED };
	struct verdict v = change_status(&running, &patch, false, NOW);

	ck_assert_int_eq(v.end, CHANGE_E_ILLEGAL_TRANSITION);
	ck_assert_int_eq(v.from, CONTAINER_RUNNING);
	ck_assert_int_eq(v.to, CONTAINER_CREATED);
	patch.given = S;
	patch.value.started_at = 10;
	v = change_status(&unknown, &patch, false, NOW);
	ck_assert_int_eq(v.end, CHANGE_E_ILLEGAL_TRANSITION);
	ck_assert_int_eq(v.from, CONTAINER_UNKNOWN);
	patch = (struct status_patch){ PID, unit_status((struct status){ .pid = 3 }), 0 };
	running.started_at = 0;
	running.pid = 0;
	v = change_status(&running, &patch, false, NOW);
	ck_assert_int_eq(v.end, CHANGE_E_INVALID);
	ck_assert_str_eq(v.pointer, "/pid");
	ck_assert_ptr_nonnull(v.detail);
}
END_TEST

/* ---- whole changes ---- */

static struct verdict decide(const struct change *change, const struct container *newest)
{
	struct verdict v;

	ck_assert_int_eq(change_decide(change, newest, NOW, &v), 0);
	return v;
}

static struct change change_of(enum change_kind kind)
{
	return (struct change){ .kind = kind, .id = "a", .metadata = METADATA_ZERO, .patch = STATUS_PATCH_NONE };
}

static struct container *existing(struct status s, uint64_t revision)
{
	struct metadata_value m = METADATA_ZERO;

	m.id = "a";
	m.name = "web";
	m.config = "{\"labels\":{\"a\":\"b\",\"c\":\"d\"}}";
	s = unit_status(s);
	return unit_container(&m, &s, revision);
}

/* First statuses: what is given, how it ends. */
static const struct {
	const char *name;
	unsigned given;
	struct status value;
	enum container_state state;
	enum change_end end;
	struct status after; /* created_at 0: as given, with NOW */
} firsts[] = {
	{ "create without status", 0, { 0 }, 0, CHANGE_CREATED, { .created_at = NOW } },
	{ "create with createdAt", C, { .created_at = 5 }, 0, CHANGE_CREATED, { .created_at = 5 } },
	{ "create RUNNING", S | PID, { .started_at = 10, .pid = 7 }, 0, CHANGE_CREATED,
	  { .created_at = NOW, .started_at = 10, .pid = 7 } },
	{ "A15 create EXITED", S | F | CODE, { .started_at = 10, .finished_at = 9, .exit_code = 3 }, 0, CHANGE_CREATED,
	  { .created_at = NOW, .started_at = 10, .finished_at = 9, .exit_code = 3 } },
	{ "create by shorthand RUNNING", STATE | PID, { .pid = 7 }, CONTAINER_RUNNING, CHANGE_CREATED,
	  { .created_at = NOW, .started_at = NOW, .pid = 7 } },
	{ "create by shorthand EXITED", STATE | CODE, { .exit_code = 1 }, CONTAINER_EXITED, CHANGE_CREATED,
	  { .created_at = NOW, .finished_at = NOW, .exit_code = 1 } },
	{ "create by shorthand CREATED", STATE, { 0 }, CONTAINER_CREATED, CHANGE_CREATED, { .created_at = NOW } },
	{ "A15 create UNKNOWN", STATE, { 0 }, CONTAINER_UNKNOWN, CHANGE_E_INVALID, { 0 } },
	{ "A15 create removing", REMOVING, { .removing = true }, 0, CHANGE_E_INVALID, { 0 } },
	{ "A15 create with a pid alone", PID, { .pid = 7 }, 0, CHANGE_E_INVALID, { 0 } },
	{ "A15 create EXITED with a pid", F | PID, { .finished_at = 9, .pid = 7 }, 0, CHANGE_E_INVALID, { 0 } },
	{ "A15 create with an exit code alone", CODE, { .exit_code = 7 }, 0, CHANGE_E_INVALID, { 0 } },
	{ "A15 create that contradicts itself", STATE | F, { .finished_at = 9 }, CONTAINER_RUNNING, CHANGE_E_INVALID, { 0 } },
};

START_TEST(first_status)
{
	struct change change = change_of(_i % 2 ? CHANGE_PUT : CHANGE_CREATE);
	struct verdict v;

	change.patch = (struct status_patch){ firsts[_i].given, unit_status(firsts[_i].value), firsts[_i].state };
	v = decide(&change, NULL);
	ck_assert_str_eq(change_end_name(v.end), change_end_name(firsts[_i].end));
	if (v.end == CHANGE_CREATED)
		unit_expect_status(firsts[_i].name, &v.next, firsts[_i].after);
	else
		ck_assert_msg(!strncmp(v.pointer, "/status/", 8), "%s", v.pointer);
}
END_TEST

START_TEST(create_and_put_compare_metadata)
{
	static const struct {
		const char *name, *config, *image;
		bool same;
	} rows[] = {
		{ "web", "{\"labels\":{\"a\":\"b\",\"c\":\"d\"}}", "", true },
		{ "web", "{ \"labels\": {\"c\":\"d\",\"a\":\"b\"} }", "", true },
		{ "web", "{\"labels\":{\"a\":\"b\"}}", "", false },
		{ "web", NULL, "", false },
		{ "db", "{\"labels\":{\"a\":\"b\",\"c\":\"d\"}}", "", false },
		{ "web", "{\"labels\":{\"a\":\"b\",\"c\":\"d\"}}", "nginx", false },
	};
	struct container *c = existing((struct status)CREATED, 7);

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct change change = change_of(CHANGE_CREATE);
		struct verdict v;

		change.metadata.id = "a";
		change.metadata.name = rows[i].name;
		change.metadata.config = rows[i].config;
		change.metadata.image_ref = rows[i].image;
		v = decide(&change, c);
		ck_assert_int_eq(v.end, CHANGE_E_EXISTS);
		ck_assert_msg(v.identical == rows[i].same, "row %zu", i);
		change.kind = CHANGE_PUT;
		v = decide(&change, c);
		ck_assert_msg(v.end == (rows[i].same ? CHANGE_SAME : CHANGE_E_IMMUTABLE), "row %zu", i);
	}
	container_unref(c);
}
END_TEST

START_TEST(status_of_nothing_is_not_found)
{
	struct change patch = change_of(CHANGE_PATCH), replace = change_of(CHANGE_REPLACE);

	ck_assert_int_eq(decide(&patch, NULL).end, CHANGE_E_NOT_FOUND);
	ck_assert_int_eq(decide(&replace, NULL).end, CHANGE_E_NOT_FOUND);
}
END_TEST

static const struct {
	const char *name;
	struct status from;
	bool force;
	enum change_end end;
	struct status last;
} deletions[] = {
	{ "delete CREATED", CREATED, false, CHANGE_DELETED, CREATED },
	{ "delete EXITED", EXITED, false, CHANGE_DELETED, EXITED },
	{ "delete RUNNING", RUNNING, false, CHANGE_E_RUNNING, { 0 } },
	{ "delete UNKNOWN", UNKNOWN, false, CHANGE_E_RUNNING, { 0 } },
	{ "delete RUNNING with force", RUNNING, true, CHANGE_DELETED,
	  { .created_at = 1, .started_at = 10, .finished_at = NOW, .exit_code = 255, .reason = "Unknown" } },
	{ "delete EXITED with force", EXITED, true, CHANGE_DELETED, EXITED },
	{ "delete while removing", REMOVED, false, CHANGE_DELETED, REMOVED },
};

START_TEST(deletion)
{
	struct container *c = existing(deletions[_i].from, 7);
	struct change change = change_of(CHANGE_DELETE);
	struct verdict v;

	change.force = deletions[_i].force;
	v = decide(&change, c);
	ck_assert_str_eq(change_end_name(v.end), change_end_name(deletions[_i].end));
	if (v.end == CHANGE_DELETED)
		unit_expect_status(deletions[_i].name, &v.next, deletions[_i].last);
	container_unref(c);
}
END_TEST

/* The last word on what was UNKNOWN and is deleted by force is an exit nobody knows the code of. */
START_TEST(deletion_of_unknown_by_force)
{
	struct container *c = existing((struct status)UNKNOWN, 7);
	struct change change = change_of(CHANGE_DELETE);
	struct verdict v;

	change.force = true;
	v = decide(&change, c);
	ck_assert_int_eq(v.end, CHANGE_DELETED);
	ck_assert_int_eq(status_state(&v.next), CONTAINER_EXITED);
	ck_assert_int_eq(v.next.exit_code, 255);
	ck_assert_str_eq(v.next.reason, "Unknown");
	ck_assert_int_eq(v.next.finished_at, NOW);
	container_unref(c);
}
END_TEST

START_TEST(deletion_of_nothing)
{
	struct change change = change_of(CHANGE_DELETE);

	ck_assert_int_eq(decide(&change, NULL).end, CHANGE_ABSENT);
	change.precondition.if_match = "\"7\"";
	ck_assert_int_eq(decide(&change, NULL).end, CHANGE_E_STALE);
}
END_TEST

/* ---- preconditions ---- */

static const struct {
	const char *if_match, *if_none_match;
	uint64_t revision; /* 0 = there is none */
	bool holds;
} conditions[] = {
	{ NULL, NULL, 7, true },        { NULL, NULL, 0, true },
	{ "\"7\"", NULL, 7, true },     { "\"6\"", NULL, 7, false },     { "\"7\"", NULL, 0, false },
	{ "*", NULL, 7, true },         { "*", NULL, 0, false },         { "W/\"7\"", NULL, 7, false },
	{ "\"1\", \"7\"", NULL, 7, true }, { "\"1\",\"2\"", NULL, 7, false }, { "W/\"7\", \"7\"", NULL, 7, true },
	{ "\"07\"", NULL, 7, false },   { "\"\"", NULL, 7, false },      { "\"77\"", NULL, 7, false },
	{ "  \"7\"  ", NULL, 7, true }, { ",,\"7\",", NULL, 7, true },
	{ NULL, "*", 7, false },        { NULL, "*", 0, true },
	{ NULL, "\"7\"", 7, false },    { NULL, "W/\"7\"", 7, false },   { NULL, "\"6\"", 7, true },
	{ "\"7\"", "\"7\"", 7, false }, { "\"7\"", "\"6\"", 7, true },
	{ "\"18446744073709551615\"", NULL, UINT64_MAX, true },
};

START_TEST(preconditions)
{
	for (size_t i = 0; i < COUNT(conditions); i++) {
		struct precondition p = { conditions[i].if_match, conditions[i].if_none_match };

		ck_assert_msg(precondition_holds(&p, conditions[i].revision) == conditions[i].holds, "row %zu", i);
	}
}
END_TEST

START_TEST(wellformed_tags)
{
	static const char *const good[] = { "*", "\"7\"", "W/\"7\"", "\"a\", W/\"b\",\"\"", " \"7\"", ", \"7\" ,", "\"a,b\"" };
	static const char *const bad[] = { "", " ", "7", "\"7", "w/\"7\"", "\"7\" \"8\"", "*,\"7\"", "\"7\"x", "W/7", "\"7\";" };

	for (size_t i = 0; i < COUNT(good); i++)
		ck_assert_msg(etag_list_is_wellformed(good[i]), "%s", good[i]);
	for (size_t i = 0; i < COUNT(bad); i++)
		ck_assert_msg(!etag_list_is_wellformed(bad[i]), "%s", bad[i]);
}
END_TEST

/* A stale precondition comes before everything else that could be said. */
START_TEST(preconditions_guard_every_kind)
{
	struct container *c = existing((struct status)RUNNING, 7);

	for (int kind = CHANGE_CREATE; kind <= CHANGE_DELETE; kind++) {
		struct change change = change_of((enum change_kind)kind);

		change.precondition.if_match = "\"6\"";
		ck_assert_msg(decide(&change, c).end == CHANGE_E_STALE, "kind %d", kind);
		change.precondition = (struct precondition){ .if_none_match = "*" };
		ck_assert_msg(decide(&change, c).end == CHANGE_E_STALE, "kind %d", kind);
		change.precondition = (struct precondition){ .if_match = "\"7\"" };
		ck_assert_msg(decide(&change, c).end != CHANGE_E_STALE, "kind %d", kind);
	}
	for (int kind = CHANGE_CREATE; kind <= CHANGE_PUT; kind++) {
		struct change change = change_of((enum change_kind)kind);

		change.precondition.if_none_match = "*";
		ck_assert_int_eq(decide(&change, NULL).end, CHANGE_CREATED);
		change.precondition = (struct precondition){ .if_match = "*" };
		ck_assert_int_eq(decide(&change, NULL).end, CHANGE_E_STALE);
	}
	container_unref(c);
}
END_TEST

START_TEST(every_end_has_a_name)
{
	for (int end = CHANGE_CREATED; end <= CHANGE_E_NO_MEMORY; end++) {
		ck_assert_ptr_nonnull(change_end_name((enum change_end)end));
		ck_assert_int_eq(change_end_is_success((enum change_end)end), end <= CHANGE_ABSENT);
	}
}
END_TEST

int main(void)
{
	Suite *s = suite_create("change");
	TCase *c;

	for (size_t i = 0; i < COUNT(vectors); i++)
		unit_vector(s, vectors[i].name, change_ends_as_it_should, (int)i);
	for (size_t i = 0; i < COUNT(firsts); i++)
		unit_vector(s, firsts[i].name, first_status, (int)i);
	for (size_t i = 0; i < COUNT(deletions); i++)
		unit_vector(s, deletions[i].name, deletion, (int)i);
	c = unit_case(s, "changes");
	tcase_add_test(c, refusals_tell_the_move);
	tcase_add_test(c, create_and_put_compare_metadata);
	tcase_add_test(c, status_of_nothing_is_not_found);
	tcase_add_test(c, deletion_of_unknown_by_force);
	tcase_add_test(c, deletion_of_nothing);
	tcase_add_test(c, every_end_has_a_name);
	c = unit_case(s, "preconditions");
	tcase_add_test(c, preconditions);
	tcase_add_test(c, wellformed_tags);
	tcase_add_test(c, preconditions_guard_every_kind);
	return unit_main(s);
}
