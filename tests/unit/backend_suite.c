#include "backend_suite.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/lock.h"

enum { T1 = 11, T2 = 22 };

#define OLD { .created_at = T1 }
#define NEW { .created_at = T2, .started_at = T2 }

static const struct kit *const kits[] = { &kit_memory, &kit_disk };

/* Tests get the number of their kit as the number of the loop. */
#define KIT (kits[_i])

static struct change to_new(const char *id)
{
	return kit_patch(id, GIVEN_CREATED_AT | GIVEN_STARTED_AT, (struct status)NEW);
}

static struct change create_old(const char *id)
{
	return kit_create(id, GIVEN_CREATED_AT, (struct status)OLD);
}

/* ---- storage ---- */

/* U1, U6, U7: what was handed out does not change when the container does. */
START_TEST(copies_stay_as_they_were)
{
	struct rig rig;
	struct container *copy;

	rig_open(&rig, KIT);
	(void)rig_expect(&rig, create_old("a"), CHANGE_CREATED);
	copy = store_get(rig.store, "a");
	ck_assert_ptr_nonnull(copy);
	unit_expect_status("U1", container_status(copy), (struct status)OLD);
	(void)rig_expect(&rig, to_new("a"), CHANGE_UPDATED);
	(void)rig_expect_status(&rig, "a", (struct status)NEW);
	unit_expect_status("U7", container_status(copy), (struct status)OLD);
	container_unref(copy);
	rig_close(&rig);
}
END_TEST

/* U2, U5: an update that is refused is refused with its own reason, and nothing at all has changed. */
START_TEST(refused_update_changes_nothing)
{
	struct rig rig;
	struct change stale = to_new("a"), illegal = kit_patch("a", GIVEN_CREATED_AT, (struct status){ 0 });
	struct change invalid = kit_patch("a", GIVEN_PID, (struct status){ .pid = 7 });
	uint64_t revision;

	stale.precondition.if_match = "\"999\"";
	rig_open(&rig, KIT);
	revision = rig_expect(&rig, create_old("a"), CHANGE_CREATED);
	for (int relaxed = 0; relaxed <= 1; relaxed++) {
		stale.relaxed = illegal.relaxed = invalid.relaxed = relaxed;
		ck_assert_uint_eq(rig_expect(&rig, stale, CHANGE_E_STALE), revision);
		ck_assert_uint_eq(rig_expect(&rig, illegal, CHANGE_E_ILLEGAL_TRANSITION), revision);
		ck_assert_uint_eq(rig_expect(&rig, invalid, CHANGE_E_INVALID), revision);
		ck_assert_uint_eq(rig_expect_status(&rig, "a", (struct status)OLD), revision);
		ck_assert_uint_eq(store_revision(rig.store), revision);
	}
	if (KIT->keeps) {
		rig_restart(&rig);
		(void)rig_expect_status(&rig, "a", (struct status)OLD);
	}
	rig_close(&rig);
}
END_TEST

/* U3, U4: relaxed updates are visible when they are answered. */
START_TEST(relaxed_updates)
{
	struct rig rig;
	struct change there = kit_patch("a", GIVEN_MESSAGE, (struct status){ .message = "new" });
	struct change back = kit_patch("a", GIVEN_MESSAGE, (struct status){ .message = "" });
	uint64_t first, second;

	there.relaxed = back.relaxed = true;
	rig_open(&rig, KIT);
	(void)rig_expect(&rig, create_old("a"), CHANGE_CREATED);
	first = rig_expect(&rig, there, CHANGE_UPDATED);
	(void)rig_expect_status(&rig, "a", (struct status){ .created_at = T1, .message = "new" });
	second = rig_expect(&rig, back, CHANGE_UPDATED);
	ck_assert_uint_gt(second, first);
	(void)rig_expect_status(&rig, "a", (struct status)OLD);
	(void)rig_expect(&rig, there, CHANGE_UPDATED);
	if (KIT->keeps) {
		rig_restart(&rig);
		(void)rig_expect_status(&rig, "a", (struct status){ .created_at = T1, .message = "new" });
	}
	rig_close(&rig);
}
END_TEST

/* U6 over a restart: what was answered is there. */
START_TEST(durable_updates)
{
	struct rig rig;
	uint64_t revision;

	rig_open(&rig, KIT);
	(void)rig_expect(&rig, create_old("a"), CHANGE_CREATED);
	revision = rig_expect(&rig, to_new("a"), CHANGE_UPDATED);
	ck_assert_uint_eq(rig_expect_status(&rig, "a", (struct status)NEW), revision);
	if (KIT->keeps) {
		rig_restart(&rig);
		ck_assert_uint_eq(rig_expect_status(&rig, "a", (struct status)NEW), revision);
	}
	rig_close(&rig);
}
END_TEST

/* U8, U9, U18, U19: deleted stays deleted; the same id again is another container. */
START_TEST(deletion)
{
	struct rig rig;
	uint64_t deleted, again;

	rig_open(&rig, KIT);
	(void)rig_expect(&rig, create_old("a"), CHANGE_CREATED);
	deleted = rig_expect(&rig, kit_delete("a"), CHANGE_DELETED);
	rig_expect_absent(&rig, "a");
	(void)rig_expect(&rig, kit_delete("a"), CHANGE_ABSENT);
	(void)rig_expect(&rig, to_new("a"), CHANGE_E_NOT_FOUND);
	rig_expect_absent(&rig, "a");
	if (KIT->keeps) {
		rig_restart(&rig);
		rig_expect_absent(&rig, "a");
	}
	again = rig_expect(&rig, create_old("a"), CHANGE_CREATED);
	ck_assert_uint_gt(again, deleted);
	if (KIT->keeps) {
		rig_restart(&rig);
		rig_expect_ids(&rig, "a");
		ck_assert_uint_eq(rig_expect_status(&rig, "a", (struct status)OLD), again);
	}
	rig_close(&rig);
}
END_TEST

enum { UPDATERS = 8, UPDATES = 25 };

static void *count_up(void *arg)
{
	struct rig *rig = arg;

	for (int done = 0; done < UPDATES;) {
		struct container *c = store_get(rig->store, "a");
		char tag[32];
		struct change change;
		enum change_end end;

		ck_assert_ptr_nonnull(c);
		change = kit_patch("a", GIVEN_PID, (struct status){ .pid = container_status(c)->pid + 1 });
		(void)snprintf(tag, sizeof tag, "\"%llu\"", (unsigned long long)container_revision(c));
		change.precondition.if_match = tag;
		container_unref(c);
		end = rig_do(rig, change);
		ck_assert(end == CHANGE_UPDATED || end == CHANGE_E_STALE);
		done += end == CHANGE_UPDATED;
	}
	return NULL;
}

/* U15: no update is lost. */
START_TEST(concurrent_updates)
{
	struct rig rig;
	pthread_t threads[UPDATERS];

	rig_open(&rig, KIT);
	(void)rig_expect(&rig, kit_create("a", GIVEN_CREATED_AT | GIVEN_STARTED_AT, (struct status)NEW), CHANGE_CREATED);
	for (int i = 0; i < UPDATERS; i++)
		ck_assert_int_eq(thread_start(&threads[i], "updater", count_up, &rig), 0);
	for (int i = 0; i < UPDATERS; i++)
		thread_join(threads[i]);
	(void)rig_expect_status(&rig, "a", (struct status){ .created_at = T2, .started_at = T2, .pid = UPDATERS * UPDATES });
	if (KIT->keeps) {
		rig_restart(&rig);
		(void)rig_expect_status(&rig, "a",
					(struct status){ .created_at = T2, .started_at = T2, .pid = UPDATERS * UPDATES });
	}
	rig_close(&rig);
}
END_TEST

/* F1: without a disk there is no file. */
START_TEST(no_file)
{
	struct rig rig;

	rig_open(&rig, KIT);
	(void)rig_expect(&rig, create_old("a"), CHANGE_CREATED);
	(void)rig_expect(&rig, to_new("a"), CHANGE_UPDATED);
	rig_stop(&rig);
	if (!KIT->keeps)
		ck_assert_int_eq(rmdir(rig.root), 0); /* only an empty directory goes so */
	rig_close(&rig);
}
END_TEST

/* Containers of every state keep it over a restart, and can be ended, deleted and started again after it. */
START_TEST(states_over_a_restart)
{
	struct rig rig;

	rig_open(&rig, KIT);
	(void)rig_expect(&rig, create_old("created"), CHANGE_CREATED);
	(void)rig_expect(&rig, kit_create("running", GIVEN_CREATED_AT | GIVEN_STARTED_AT, (struct status)NEW), CHANGE_CREATED);
	(void)rig_expect(&rig, kit_create("exited", GIVEN_CREATED_AT | GIVEN_FINISHED_AT | GIVEN_EXIT_CODE,
					  (struct status){ .created_at = 1, .finished_at = 20, .exit_code = 3 }),
			 CHANGE_CREATED);
	if (KIT->keeps)
		rig_restart(&rig);
	(void)rig_expect_status(&rig, "created", (struct status)OLD);
	(void)rig_expect_status(&rig, "running", (struct status)NEW);
	(void)rig_expect_status(&rig, "exited", (struct status){ .created_at = 1, .finished_at = 20, .exit_code = 3 });
	(void)rig_expect(&rig, kit_patch("running", GIVEN_FINISHED_AT, (struct status){ .finished_at = 40 }), CHANGE_UPDATED);
	(void)rig_expect(&rig, kit_patch("exited", GIVEN_STARTED_AT, (struct status){ .started_at = 30 }), CHANGE_UPDATED);
	(void)rig_expect(&rig, kit_delete("created"), CHANGE_DELETED);
	if (KIT->keeps)
		rig_restart(&rig);
	rig_expect_ids(&rig, "exited running");
	(void)rig_expect_status(&rig, "exited", (struct status){ .created_at = 1, .started_at = 30 });
	(void)rig_expect_status(&rig, "running", (struct status){ .created_at = T2, .started_at = T2, .finished_at = 40 });
	rig_close(&rig);
}
END_TEST

/* ---- the store ---- */

static const char *const four[] = { "1", "2abcd", "4a333", "4abcd" };
static const char *const four_short[] = { "1", "2ab", "4a3", "4ab" };

static void add_four(struct rig *rig)
{
	for (size_t i = 0; i < COUNT(four); i++)
		(void)rig_expect(rig, create_old(four[i]), CHANGE_CREATED);
}

START_TEST(A1_A3_add_get_list)
{
	struct rig rig;

	rig_open(&rig, KIT);
	add_four(&rig);
	for (size_t i = 0; i < COUNT(four); i++)
		rig_expect_found(&rig, four_short[i], i == 0 ? STORE_EXACT : STORE_PREFIX, four[i]);
	rig_expect_ids(&rig, "1 2abcd 4a333 4abcd");
	rig_close(&rig);
}
END_TEST

START_TEST(A4_A6_again_and_away)
{
	struct rig rig;

	rig_open(&rig, KIT);
	add_four(&rig);
	(void)rig_expect(&rig, create_old("4abcd"), CHANGE_E_EXISTS);
	/* A write takes the full id alone: for a shorter one there is nothing to delete. */
	for (size_t i = 1; i < COUNT(four); i++)
		(void)rig_expect(&rig, kit_delete(four_short[i]), CHANGE_ABSENT);
	rig_expect_ids(&rig, "1 2abcd 4a333 4abcd");
	for (size_t i = 0; i < COUNT(four); i++) {
		(void)rig_expect(&rig, kit_delete(four[i]), CHANGE_DELETED);
		rig_expect_found(&rig, four_short[i], STORE_NOT_FOUND, "");
	}
	rig_expect_ids(&rig, "");
	rig_close(&rig);
}
END_TEST

START_TEST(A7_A11_ambiguous)
{
	struct rig rig;

	rig_open(&rig, KIT);
	add_four(&rig);
	rig_expect_candidates(&rig, "4a", "4a333 4abcd");
	(void)rig_expect(&rig, create_old("abc"), CHANGE_CREATED);
	(void)rig_expect(&rig, create_old("abcde"), CHANGE_CREATED);
	rig_expect_found(&rig, "abc", STORE_EXACT, "abc");
	rig_expect_found(&rig, "abcd", STORE_PREFIX, "abcde");
	rig_expect_candidates(&rig, "ab", "abc abcde");
	(void)rig_expect(&rig, kit_delete("abc"), CHANGE_DELETED);
	rig_expect_found(&rig, "ab", STORE_PREFIX, "abcde");
	rig_close(&rig);
}
END_TEST

START_TEST(A8_A10_ill_formed_and_unknown)
{
	struct rig rig;
	char longest[130];

	memset(longest, 'x', sizeof longest - 1);
	longest[sizeof longest - 1] = '\0';
	rig_open(&rig, KIT);
	add_four(&rig);
	rig_expect_found(&rig, "", STORE_NOT_FOUND, "");
	rig_expect_found(&rig, "a b", STORE_NOT_FOUND, "");
	rig_expect_found(&rig, "..", STORE_NOT_FOUND, "");
	rig_expect_found(&rig, "a/b", STORE_NOT_FOUND, "");
	rig_expect_found(&rig, longest, STORE_NOT_FOUND, "");
	(void)rig_expect(&rig, kit_delete("nobody"), CHANGE_ABSENT);
	rig_expect_ids(&rig, "1 2abcd 4a333 4abcd");
	rig_close(&rig);
}
END_TEST

START_TEST(A12_A14_near_misses)
{
	struct rig rig;
	uint64_t before;

	rig_open(&rig, KIT);
	rig_expect_ids(&rig, "");
	add_four(&rig);
	rig_expect_found(&rig, "2abcde", STORE_NOT_FOUND, "");
	rig_expect_found(&rig, "2ABCD", STORE_NOT_FOUND, "");
	rig_expect_found(&rig, "2A", STORE_NOT_FOUND, "");
	before = rig_expect(&rig, kit_delete("1"), CHANGE_DELETED);
	ck_assert_uint_gt(rig_expect(&rig, create_old("1"), CHANGE_CREATED), before);
	rig_expect_ids(&rig, "1 2abcd 4a333 4abcd");
	rig_close(&rig);
}
END_TEST

START_TEST(A15_A16_refused_and_exited_at_creation)
{
	struct rig rig;
	uint64_t before;

	rig_open(&rig, KIT);
	before = store_revision(rig.store);
	(void)rig_expect(&rig, kit_create("a", GIVEN_PID, (struct status){ .pid = 7 }), CHANGE_E_INVALID);
	rig_expect_ids(&rig, "");
	ck_assert_uint_eq(store_revision(rig.store), before);
	if (KIT->keeps) {
		rig_restart(&rig);
		rig_expect_ids(&rig, "");
	}
	(void)rig_expect(&rig, kit_create("a", GIVEN_CREATED_AT | GIVEN_FINISHED_AT, (struct status){ .created_at = 1, .finished_at = 2 }),
			 CHANGE_CREATED);
	(void)rig_expect_status(&rig, "a", (struct status){ .created_at = 1, .finished_at = 2 });
	rig_close(&rig);
}
END_TEST

#define ID "99b36c2c326ccc11e726eee6ee78a0baf166ef96"
#define ID_6 "99b36c"
#define ID2 ID_6 "blabla"

START_TEST(X1_X3_prefixes)
{
	struct rig rig;

	rig_open(&rig, KIT);
	rig_expect_found(&rig, "foobar", STORE_NOT_FOUND, "");
	(void)rig_expect(&rig, create_old(ID), CHANGE_CREATED);
	rig_expect_found(&rig, ID, STORE_EXACT, ID);
	rig_expect_found(&rig, "9", STORE_PREFIX, ID);
	rig_expect_found(&rig, "99b36c2c326ccc11e726", STORE_PREFIX, ID);
	rig_expect_found(&rig, "eee6ee78a0baf166ef96", STORE_NOT_FOUND, "");
	rig_close(&rig);
}
END_TEST

START_TEST(X4_X5_two_that_begin_alike)
{
	struct rig rig;

	rig_open(&rig, KIT);
	(void)rig_expect(&rig, create_old(ID), CHANGE_CREATED);
	(void)rig_expect(&rig, create_old(ID2), CHANGE_CREATED);
	rig_expect_found(&rig, ID, STORE_EXACT, ID);
	rig_expect_found(&rig, ID2, STORE_EXACT, ID2);
	rig_expect_candidates(&rig, "9", ID " " ID2);
	rig_expect_candidates(&rig, "99b3", ID " " ID2);
	rig_expect_candidates(&rig, ID_6, ID " " ID2);
	rig_expect_found(&rig, ID_6 "2", STORE_PREFIX, ID);
	rig_expect_found(&rig, ID_6 "b", STORE_PREFIX, ID2);
	(void)rig_expect(&rig, kit_delete(ID2), CHANGE_DELETED);
	rig_expect_found(&rig, ID2, STORE_NOT_FOUND, "");
	rig_expect_found(&rig, ID_6 "b", STORE_NOT_FOUND, "");
	rig_expect_found(&rig, "9", STORE_PREFIX, ID);
	rig_expect_found(&rig, "99b3", STORE_PREFIX, ID);
	rig_expect_found(&rig, ID_6, STORE_PREFIX, ID);
	rig_close(&rig);
}
END_TEST

/* ---- all of them ---- */

#define BOTH(name_, test_) { { name_ " on memory", name_ " on disk" }, test_ }

void backend_suite_add(Suite *suite, const struct kit *kit)
{
	const struct {
		const char *names[COUNT(kits)];
		const TTest *test;
	} vectors[] = {
		BOTH("U1 U6 U7", copies_stay_as_they_were),
		BOTH("U2 U5", refused_update_changes_nothing),
		BOTH("U3 U4", relaxed_updates),
		BOTH("U6", durable_updates),
		BOTH("U8 U9 U18 U19", deletion),
		BOTH("U15", concurrent_updates),
		BOTH("F1", no_file),
		BOTH("restart", states_over_a_restart),
		BOTH("A1 A2 A3", A1_A3_add_get_list),
		BOTH("A4 A5 A6", A4_A6_again_and_away),
		BOTH("A7 A11", A7_A11_ambiguous),
		BOTH("A8 A9 A10", A8_A10_ill_formed_and_unknown),
		BOTH("A12 A13 A14", A12_A14_near_misses),
		BOTH("A15 A16", A15_A16_refused_and_exited_at_creation),
		BOTH("X1 X2 X3", X1_X3_prefixes),
		BOTH("X4 X5", X4_X5_two_that_begin_alike),
	};
	int which = kit == &kit_disk;

	for (size_t i = 0; i < COUNT(vectors); i++)
		unit_vector(suite, vectors[i].names[which], vectors[i].test, which);
}
