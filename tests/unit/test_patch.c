/* Merge patches: opaque resources member by member (RFC 7396), and what is sent back as it was read. */
#include "unit.h"

#include <string.h>

#include "container/change.h"
#include "container/codec.h"

enum { NOW = 1000 };

static const struct {
	const char *target, *patch, *merged;
} merges[] = {
	{ "{\"a\":\"b\"}", "{\"a\":\"c\"}", "{\"a\":\"c\"}" },
	{ "{\"a\":\"b\"}", "{\"b\":\"c\"}", "{\"a\":\"b\",\"b\":\"c\"}" },
	{ "{\"a\":\"b\"}", "{\"a\":null}", "{}" },
	{ "{\"a\":\"b\",\"b\":\"c\"}", "{\"a\":null}", "{\"b\":\"c\"}" },
	{ "{\"a\":[\"b\"]}", "{\"a\":\"c\"}", "{\"a\":\"c\"}" },
	{ "{\"a\":\"c\"}", "{\"a\":[\"b\"]}", "{\"a\":[\"b\"]}" },
	{ "{\"a\":{\"b\":\"c\"}}", "{\"a\":{\"b\":\"d\",\"c\":null}}", "{\"a\":{\"b\":\"d\"}}" },
	{ "{\"a\":[{\"b\":\"c\"}]}", "{\"a\":[1]}", "{\"a\":[1]}" },
	{ "{\"e\":null}", "{\"a\":1}", "{\"e\":null,\"a\":1}" },
	{ NULL, "{\"a\":{\"bb\":{\"ccc\":null}}}", "{\"a\":{\"bb\":{}}}" },
	{ NULL, "{}", "{}" },
};

START_TEST(merge)
{
	auto_arena struct arena arena = ARENA;
	const char *merged = NULL;

	ck_assert_int_eq(codec_merge(merges[_i].target, merges[_i].patch, &arena, &merged), 0);
	ck_assert_str_eq(merged, merges[_i].merged);
}
END_TEST

#define RUNNING { .created_at = 1, .started_at = 10, .pid = 7, .reason = "", .message = "" }
#define EXITED { .created_at = 1, .started_at = 10, .finished_at = 20, .exit_code = 3, .reason = "", .message = "" }
#define REMOVED { .created_at = 1, .started_at = 10, .finished_at = 20, .exit_code = 3, .removing = true, .reason = "", .message = "" }
#define STAMP { .reason = "", .message = "" }

static const struct {
	const char *name;
	struct status from;
	bool replace;
	unsigned given;
	enum container_state state;
	struct status value;
	enum change_end end;
	int64_t finished_at;
} asked[] = {
	{ "EXITED with finishedAt null is an exit now", RUNNING, false, GIVEN_STATE | GIVEN_FINISHED_AT, CONTAINER_EXITED, STAMP, CHANGE_UPDATED, NOW },
	{ "the same by PUT", RUNNING, true, GIVEN_STATE | GIVEN_STARTED_AT | GIVEN_FINISHED_AT, CONTAINER_EXITED,
	  { .started_at = 10, .reason = "", .message = "" }, CHANGE_UPDATED, NOW },
	{ "EXITED with a later start does not bring it back", EXITED, false, GIVEN_STATE | GIVEN_STARTED_AT, CONTAINER_EXITED,
	  { .started_at = 30, .reason = "", .message = "" }, CHANGE_E_INVALID, 20 },
	{ "EXITED, a whole later run", EXITED, false, GIVEN_STATE | GIVEN_STARTED_AT | GIVEN_FINISHED_AT, CONTAINER_EXITED,
	  { .started_at = 30, .finished_at = 40, .reason = "", .message = "" }, CHANGE_UPDATED, 40 },
	{ "RUNNING asked of an exit with its own times contradicts", EXITED, true, GIVEN_STATE | GIVEN_STARTED_AT | GIVEN_FINISHED_AT | GIVEN_EXIT_CODE,
	  CONTAINER_RUNNING, { .started_at = 10, .finished_at = 20, .exit_code = 3, .reason = "", .message = "" }, CHANGE_E_INVALID, 20 },
	{ "PUT without removing does not take it back", REMOVED, true, GIVEN_STARTED_AT | GIVEN_PID, 0,
	  { .started_at = 30, .pid = 9, .reason = "", .message = "" }, CHANGE_E_REMOVING, 20 },
	{ "removing=false and a start in one step", REMOVED, false, GIVEN_REMOVING | GIVEN_STARTED_AT, 0,
	  { .started_at = 30, .reason = "", .message = "" }, CHANGE_E_REMOVING, 20 },
	{ "removing=false alone", REMOVED, false, GIVEN_REMOVING, 0, STAMP, CHANGE_UPDATED, 20 },
};

START_TEST(asked_state)
{
	const struct status_patch patch = { asked[_i].given, asked[_i].value, asked[_i].state };
	struct verdict v = change_status(&asked[_i].from, &patch, asked[_i].replace, NOW);

	ck_assert_int_eq(v.end, asked[_i].end);
	if (v.end == CHANGE_UPDATED)
		ck_assert_int_eq(v.next.finished_at, asked[_i].finished_at);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("patch");

	for (size_t i = 0; i < COUNT(merges); i++)
		unit_vector(s, merges[i].patch, merge, (int)i);
	for (size_t i = 0; i < COUNT(asked); i++)
		unit_vector(s, asked[i].name, asked_state, (int)i);
	return unit_main(s);
}
