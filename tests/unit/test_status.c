/* The state that is derived, the reason that is shown, the names of states and what may follow them. */
#include <stdio.h>
#include <string.h>

#include "container/codec.h"
#include "container/state.h"
#include "container/status.h"
#include "unit.h"

enum { T = 7 };

static const struct {
	const char *name;
	struct status status;
	enum container_state state;
} states[] = {
	{ "S1", { .reason = "" }, CONTAINER_UNKNOWN },
	{ "S2", { .unknown = true }, CONTAINER_UNKNOWN },
	{ "S3", { .unknown = true, .finished_at = T }, CONTAINER_UNKNOWN },
	{ "S4", { .created_at = T }, CONTAINER_CREATED },
	{ "S5", { .created_at = T, .started_at = T }, CONTAINER_RUNNING },
	{ "S6", { .created_at = T, .finished_at = T }, CONTAINER_EXITED },
	{ "S7a", { .finished_at = T }, CONTAINER_EXITED },
	{ "S7b", { .started_at = T }, CONTAINER_RUNNING },
	{ "S8", { .finished_at = -1 }, CONTAINER_EXITED },
	{ "S9", { .created_at = 3, .started_at = 2, .finished_at = 1 }, CONTAINER_EXITED },
	{ "S10", { .created_at = T, .removing = true }, CONTAINER_CREATED },
	/* Neither pid nor exit code play a part, and every non-zero stamp counts. */
	{ "pid alone", { .pid = 9, .exit_code = 3 }, CONTAINER_UNKNOWN },
	{ "least stamp", { .created_at = INT64_MIN }, CONTAINER_CREATED },
};

START_TEST(state_is_derived)
{
	struct status s = unit_status(states[_i].status);

	ck_assert_str_eq(state_name(status_state(&s)), state_name(states[_i].state));
}
END_TEST

static const struct {
	const char *name;
	struct status status;
	const char *shown;
} reasons[] = {
	{ "T14 code 0", { .finished_at = T }, "Completed" },
	{ "T14 code 1", { .finished_at = T, .exit_code = 1 }, "Error" },
	{ "T14 own reason", { .finished_at = T, .exit_code = 1, .reason = "test-reason" }, "test-reason" },
	{ "T14 running", { .started_at = T }, "" },
	{ "T14 unknown", { .unknown = true, .finished_at = T }, "" },
};

START_TEST(reason_is_shown_not_stored)
{
	struct status s = unit_status(reasons[_i].status);
	auto_buf struct buf wire = BUF(4096), disk = BUF(4096);
	const struct stamp stamp = { .id = "a" };
	char *expected = NULL;

	ck_assert_str_eq(status_shown_reason(&s), reasons[_i].shown);
	ck_assert_int_gt(asprintf(&expected, "\"reason\":\"%s\"", reasons[_i].shown), 0);
	ck_assert_int_eq(codec_status_wire(&wire, &s, 1), 0);
	ck_assert_ptr_nonnull(strstr(buf_text(&wire), expected));
	free(expected);
	ck_assert_int_gt(asprintf(&expected, "\"Reason\":\"%s\"", s.reason), 0);
	ck_assert_int_eq(codec_status_to_disk(&disk, &s, &stamp), 0);
	ck_assert_ptr_nonnull(strstr(buf_text(&disk), expected));
	free(expected);
}
END_TEST

START_TEST(damage_reads_unknown)
{
	struct status s = status_damaged("containers/a/status: cut");

	ck_assert_int_eq(status_state(&s), CONTAINER_UNKNOWN);
	unit_expect_status("damaged", &s,
			   (struct status){ .unknown = true, .exit_code = 255, .reason = "CheckpointDamaged",
					    .message = "containers/a/status: cut" });
}
END_TEST

/* A difference in any one member makes two statuses different; equal texts need not be the same pointers. */
START_TEST(equality_looks_at_every_member)
{
	static const struct status others[] = {
		{ .created_at = 1 }, { .started_at = 1 }, { .finished_at = 1 }, { .pid = 1 }, { .exit_code = 1 },
		{ .reason = "r" }, { .message = "m" }, { .resources = "{}" }, { .restore = RESTORE_FALSE },
		{ .removing = true }, { .unknown = true },
	};
	const struct status zero = unit_status((struct status){ 0 });
	char text[] = "{\"a\":1}", copy[] = "{\"a\":1}";
	struct status a = zero, b = zero;

	for (size_t i = 0; i < COUNT(others); i++) {
		struct status other = unit_status(others[i]);

		ck_assert_msg(!status_equal(&zero, &other), "row %zu", i);
		ck_assert_msg(status_equal(&other, &other), "row %zu", i);
	}
	a.resources = a.reason = a.message = text;
	b.resources = b.reason = b.message = copy;
	ck_assert(status_equal(&a, &b));
}
END_TEST

START_TEST(numbers_and_names_are_cri)
{
	static const char *const names[] = { "CONTAINER_CREATED", "CONTAINER_RUNNING", "CONTAINER_EXITED", "CONTAINER_UNKNOWN" };
	static const char *const shorter[] = { "created", "running", "exited", "unknown" };

	ck_assert_uint_eq(CONTAINER_STATE_COUNT, COUNT(names));
	for (int i = 0; i < CONTAINER_STATE_COUNT; i++) {
		ck_assert_str_eq(state_name((enum container_state)i), names[i]);
		ck_assert_str_eq(state_short_name((enum container_state)i), shorter[i]);
		ck_assert_int_eq(state_from_name(names[i]), i);
		ck_assert_int_eq(state_from_name(shorter[i]), -1);
		ck_assert_int_eq(state_from_query(shorter[i], strlen(shorter[i])), i);
		ck_assert_int_eq(state_from_query(names[i], strlen(names[i])), i);
	}
	ck_assert_int_eq(state_from_query("RuNNing, x", 7), CONTAINER_RUNNING);
	ck_assert_int_eq(state_from_query("Container_Exited", 16), CONTAINER_EXITED);
	ck_assert_int_eq(state_from_query("run", 3), -1);
	ck_assert_int_eq(state_from_query("", 0), -1);
	ck_assert_int_eq(state_from_query("CONTAINER_", 10), -1);
	ck_assert_int_eq(state_from_name("container_running"), -1);
}
END_TEST

START_TEST(moves)
{
	/* Rows from, columns to: CREATED, RUNNING, EXITED, UNKNOWN. */
	static const bool legal[CONTAINER_STATE_COUNT][CONTAINER_STATE_COUNT] = {
		[CONTAINER_CREATED] = { true, true, true, false },
		[CONTAINER_RUNNING] = { false, true, true, false },
		[CONTAINER_EXITED] = { false, true, true, false },
		[CONTAINER_UNKNOWN] = { false, false, true, true },
	};

	for (int from = 0; from < CONTAINER_STATE_COUNT; from++)
		for (int to = 0; to < CONTAINER_STATE_COUNT; to++) {
			bool may = state_may_become((enum container_state)from, (enum container_state)to);

			ck_assert_msg(may == legal[from][to], "%d to %d", from, to);
			if (from != to)
				ck_assert_uint_eq(state_moves((enum container_state)from) >> to & 1u, may);
		}
}
END_TEST

int main(void)
{
	Suite *s = suite_create("status");
	TCase *c;

	for (size_t i = 0; i < COUNT(states); i++)
		unit_vector(s, states[i].name, state_is_derived, (int)i);
	for (size_t i = 0; i < COUNT(reasons); i++)
		unit_vector(s, reasons[i].name, reason_is_shown_not_stored, (int)i);
	c = unit_case(s, "status");
	tcase_add_test(c, damage_reads_unknown);
	tcase_add_test(c, equality_looks_at_every_member);
	c = unit_case(s, "state");
	tcase_add_test(c, numbers_and_names_are_cri);
	tcase_add_test(c, moves);
	return unit_main(s);
}
