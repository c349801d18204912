/* What the members of a batch owe to each other: one end, one durability, and decisions that see what came before.
 *
 * What waits when the store starts is one batch. */
#include <errno.h>
#include <limits.h>
#include <stdatomic.h>

#include "faulty.h"
#include "store_kit.h"

enum { TICKETS_MAX = 3 };

/* Every sync of the journal's own segments is seen, and none fails. */
static const struct faulty_rule watch_syncs = { CALL_FDATASYNC, "/journal/0", 0, INT_MAX, 0, false, false };

struct together {
	struct rig rig;
	struct ticket tickets[TICKETS_MAX];
	atomic_int done;
	int syncs; /* of the journal, when the last one was answered */
};

static void count_done(struct ticket *t)
{
	struct together *all = t->cls;

	all->syncs = faulty_seen();
	atomic_fetch_add(&all->done, 1);
}

/* Make <n> changes in one batch of a fresh store. */
static void make_together(struct together *all, struct change *changes, int n, struct faulty_rule rule)
{
	struct err err = { 0 };

	*all = (struct together){ .rig = { .kit = &kit_disk, .root = unit_directory() } };
	kit_files = &files_faulty;
	rig_load(&all->rig);
	for (int i = 0; i < n; i++) {
		all->tickets[i] = (struct ticket){ .change = &changes[i], .done = count_done, .cls = all };
		store_submit(all->rig.store, &all->tickets[i]);
	}
	faulty_arm(rule);
	ck_assert_int_eq(store_start(all->rig.store, &err), 0);
	while (atomic_load(&all->done) < n)
		unit_look_again();
}

static void expect_end(struct together *all, int which, enum change_end end)
{
	ck_assert_str_eq(change_end_name(all->tickets[which].verdict.end), change_end_name(end));
}

static void end(struct together *all)
{
	for (int i = 0; i < TICKETS_MAX; i++)
		ticket_clear(&all->tickets[i]);
	faulty_disarm();
	rig_close(&all->rig);
}

static struct change create(const char *id)
{
	return kit_create(id, GIVEN_CREATED_AT, (struct status){ .created_at = 1 });
}

static struct change say(const char *id, const char *message)
{
	return kit_patch(id, GIVEN_MESSAGE, (struct status){ .message = message });
}

/* A refusal that was decided against a change of the same batch would be about a state that never was. */
START_TEST(refusals_fail_with_their_batch)
{
	const enum change_end failed = _i ? CHANGE_E_NO_SPACE : CHANGE_E_CHECKPOINT_FAILED;
	struct change changes[] = { create("a"), create("a"), say("a", "") };
	struct together all;

	make_together(&all, changes, COUNT(changes), (struct faulty_rule){ CALL_FDATASYNC, "/journal/0", _i ? ENOSPC : EIO, 0, 1, false, false });
	ck_assert_int_eq(faulty_failed(), 1);
	for (int i = 0; i < (int)COUNT(changes); i++) {
		expect_end(&all, i, failed);
		ck_assert_ptr_null(all.tickets[i].container);
	}
	rig_expect_absent(&all.rig, "a");
	end(&all);
}
END_TEST

/* The second change with one entity tag is too late, though nothing of the batch is on the disk yet. */
START_TEST(decided_against_what_came_before)
{
	struct change changes[] = { create("a"), say("a", "first"), say("a", "second") };
	struct together all;

	changes[1].precondition.if_match = changes[2].precondition.if_match = "\"1\"";
	make_together(&all, changes, COUNT(changes), watch_syncs);
	expect_end(&all, 0, CHANGE_CREATED);
	expect_end(&all, 1, CHANGE_UPDATED);
	expect_end(&all, 2, CHANGE_E_STALE);
	(void)rig_expect_status(&all.rig, "a", (struct status){ .created_at = 1, .message = "first" });
	end(&all);
}
END_TEST

/* Who wants to wait for the disk makes all of them wait. */
START_TEST(one_durable_member_is_enough)
{
	struct change changes[] = { create("a"), create("b"), create("c") };
	struct together all;

	for (int i = 0; i < (int)COUNT(changes); i++)
		changes[i].relaxed = i != _i;
	make_together(&all, changes, COUNT(changes), watch_syncs);
	for (int i = 0; i < (int)COUNT(changes); i++)
		expect_end(&all, i, CHANGE_CREATED);
	ck_assert_int_gt(all.syncs, 0);
	end(&all);
}
END_TEST

/* A change that makes none says that what it wants is there: durably, if it was not asked for otherwise. */
START_TEST(no_change_is_durable_too)
{
	struct change changes[] = { create("a"), say("a", "m") };
	struct together all;

	changes[0].relaxed = changes[1].relaxed = true;
	make_together(&all, changes, COUNT(changes), watch_syncs);
	ck_assert_int_eq(all.syncs, 0);
	(void)rig_expect(&all.rig, say("a", "m"), CHANGE_SAME);
	ck_assert_int_gt(faulty_seen(), 0);
	end(&all);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("batches");

	tcase_add_loop_test(unit_case(s, "refusals fail with their batch"), refusals_fail_with_their_batch, 0, 2);
	tcase_add_test(unit_case(s, "decided in their order"), decided_against_what_came_before);
	tcase_add_loop_test(unit_case(s, "one durable member"), one_durable_member_is_enough, 0, 3);
	tcase_add_test(unit_case(s, "no change is durable too"), no_change_is_durable_too);
	return unit_main(s);
}
