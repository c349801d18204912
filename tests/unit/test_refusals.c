/* All answers of a batch wait for its end, refusals too: one that was decided against a change of the same batch would be
 * about a state that never was when that batch fails. */
#include <errno.h>
#include <stdatomic.h>

#include "faulty.h"
#include "store_kit.h"

enum { TICKETS = 3 };

static void count_done(struct ticket *t)
{
	atomic_fetch_add((atomic_int *)t->cls, 1);
}

/* What waits before the start is one batch: a creation, the same again, and a change of what it made. */
START_TEST(refusals_fail_with_their_batch)
{
	struct change changes[TICKETS] = {
		kit_create("a", GIVEN_CREATED_AT, (struct status){ .created_at = 1 }),
		kit_create("a", GIVEN_CREATED_AT, (struct status){ .created_at = 2 }),
		kit_patch("a", GIVEN_CREATED_AT, (struct status){ .created_at = 1 }),
	};
	struct ticket tickets[TICKETS];
	struct rig rig = { .kit = &kit_disk, .root = unit_directory() };
	struct err err = { 0 };
	atomic_int done = 0;

	kit_files = &files_faulty;
	rig_load(&rig);
	for (int i = 0; i < TICKETS; i++) {
		tickets[i] = (struct ticket){ .change = &changes[i], .done = count_done, .cls = &done };
		store_submit(rig.store, &tickets[i]);
	}
	faulty_arm((struct faulty_rule){ CALL_FDATASYNC, "/journal/0", _i ? ENOSPC : EIO, 0, 1, false, false });
	ck_assert_int_eq(store_start(rig.store, &err), 0);
	while (atomic_load(&done) < TICKETS)
		unit_look_again();
	ck_assert_int_eq(faulty_failed(), 1);
	for (int i = 0; i < TICKETS; i++) {
		ck_assert_int_eq((int)tickets[i].verdict.end, (int)(_i ? CHANGE_E_NO_SPACE : CHANGE_E_CHECKPOINT_FAILED));
		ck_assert_ptr_null(tickets[i].container);
	}
	rig_expect_absent(&rig, "a");
	rig_close(&rig);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("refusals");

	tcase_add_loop_test(unit_case(s, "refusals fail with their batch"), refusals_fail_with_their_batch, 0, 2);
	return unit_main(s);
}
