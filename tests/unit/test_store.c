/* What the store does whatever it stands on: batches, trials, look-up by name, lists at one revision, its queue. */
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "base/lock.h"
#include "store/memory_backend.h"
#include "store_kit.h"

static struct rig rig;

static void setup(void)
{
	rig_open(&rig, &kit_memory);
}

static void teardown(void)
{
	rig_close(&rig);
}

static struct change create(const char *id)
{
	return kit_create(id, GIVEN_CREATED_AT, (struct status){ .created_at = 1 });
}

static struct change named(const char *id, const char *name)
{
	struct change change = create(id);

	change.metadata.name = name;
	return change;
}

static struct change say(const char *id, const char *message)
{
	return kit_patch(id, GIVEN_MESSAGE, (struct status){ .message = message });
}

/* ---- names ---- */

START_TEST(names)
{
	(void)rig_expect(&rig, named("a1", "web"), CHANGE_CREATED);
	(void)rig_expect(&rig, named("a2", "db"), CHANGE_CREATED);
	(void)rig_expect(&rig, create("a3"), CHANGE_CREATED);
	rig_expect_found(&rig, "web", STORE_NAME, "a1");
	rig_expect_found(&rig, "we", STORE_NOT_FOUND, "");
	rig_expect_found(&rig, "webb", STORE_NOT_FOUND, "");
	(void)rig_expect(&rig, named("a4", "web"), CHANGE_CREATED);
	rig_expect_found(&rig, "web", STORE_AMBIGUOUS_NAME, "");
	(void)rig_expect(&rig, kit_delete("a1"), CHANGE_DELETED);
	rig_expect_found(&rig, "web", STORE_NAME, "a4");
	(void)rig_expect(&rig, say("a4", "still its name"), CHANGE_UPDATED);
	rig_expect_found(&rig, "web", STORE_NAME, "a4");
	(void)rig_expect(&rig, kit_delete("a4"), CHANGE_DELETED);
	rig_expect_found(&rig, "web", STORE_NOT_FOUND, "");
}
END_TEST

/* Exact id, then unique prefix, then name; an ambiguous prefix that is also one container's name is that container. */
START_TEST(order_of_finding)
{
	(void)rig_expect(&rig, named("web1", "x"), CHANGE_CREATED);
	(void)rig_expect(&rig, named("z", "web1"), CHANGE_CREATED);
	rig_expect_found(&rig, "web1", STORE_EXACT, "web1");
	(void)rig_expect(&rig, named("y", "web"), CHANGE_CREATED);
	rig_expect_found(&rig, "web", STORE_PREFIX, "web1");
	(void)rig_expect(&rig, create("web2"), CHANGE_CREATED);
	rig_expect_found(&rig, "web", STORE_NAME, "y");
	rig_expect_candidates(&rig, "we", "web1 web2");
	(void)rig_expect(&rig, named("x", "web"), CHANGE_CREATED);
	rig_expect_candidates(&rig, "web", "web1 web2"); /* ids hide names */
}
END_TEST

/* Candidates are handed out for an ambiguous reference alone: who was found leaves none to give back. */
START_TEST(no_candidates_beside_a_find)
{
	struct candidates few = { 0 };
	struct container *c = NULL;

	(void)rig_expect(&rig, create("web1"), CHANGE_CREATED);
	(void)rig_expect(&rig, create("web2"), CHANGE_CREATED);
	(void)rig_expect(&rig, named("y", "web"), CHANGE_CREATED);
	ck_assert_int_eq(store_find(rig.store, "web", &c, &few), STORE_NAME);
	ck_assert_str_eq(container_id(c), "y");
	ck_assert_uint_eq(few.count, 0);
	container_unref(c);
}
END_TEST

/* A name of another container with the same id, after the first was deleted, is the new one's. */
START_TEST(name_of_the_next_life)
{
	(void)rig_expect(&rig, named("a", "first"), CHANGE_CREATED);
	(void)rig_expect(&rig, kit_delete("a"), CHANGE_DELETED);
	(void)rig_expect(&rig, named("a", "second"), CHANGE_CREATED);
	rig_expect_found(&rig, "first", STORE_NOT_FOUND, "");
	rig_expect_found(&rig, "second", STORE_NAME, "a");
}
END_TEST

START_TEST(few_of_many_candidates)
{
	for (int i = 0; i < 100; i++) {
		char id[16];

		(void)snprintf(id, sizeof id, "c%02d", i);
		(void)rig_expect(&rig, create(id), CHANGE_CREATED);
	}
	rig_expect_candidates(&rig, "c", "c00 c01 c02 c03 c04 c05 c06 c07 c08 c09");
	rig_expect_candidates(&rig, "c9", "c90 c91 c92 c93 c94 c95 c96 c97 c98 c99");
}
END_TEST

/* ---- changes ---- */

START_TEST(revisions_only_grow)
{
	uint64_t created = rig_expect(&rig, create("a"), CHANGE_CREATED), updated, deleted;

	ck_assert_uint_gt(created, 0);
	updated = rig_expect(&rig, say("a", "m"), CHANGE_UPDATED);
	ck_assert_uint_gt(updated, created);
	ck_assert_uint_eq(rig_expect(&rig, say("a", "m"), CHANGE_SAME), updated);
	ck_assert_uint_eq(store_revision(rig.store), updated);
	deleted = rig_expect(&rig, kit_delete("a"), CHANGE_DELETED);
	ck_assert_uint_gt(deleted, updated);
	ck_assert_uint_eq(store_revision(rig.store), deleted);
	(void)rig_expect(&rig, kit_delete("a"), CHANGE_ABSENT);
	ck_assert_uint_eq(store_revision(rig.store), deleted);
	ck_assert_uint_gt(rig_expect(&rig, create("a"), CHANGE_CREATED), deleted);
}
END_TEST

START_TEST(put_twice)
{
	struct change put = named("a", "web");
	uint64_t revision;

	put.kind = CHANGE_PUT;
	put.metadata.config = "{\"labels\":{\"a\":\"b\"}}";
	revision = rig_expect(&rig, put, CHANGE_CREATED);
	put.metadata.config = "{ \"labels\" : {\"a\":\"b\"} }";
	ck_assert_uint_eq(rig_expect(&rig, put, CHANGE_SAME), revision);
	put.metadata.name = "db";
	ck_assert_uint_eq(rig_expect(&rig, put, CHANGE_E_IMMUTABLE), revision);
	rig_expect_found(&rig, "db", STORE_NOT_FOUND, "");
}
END_TEST

/* A trial gets the answer of the change and changes nothing. */
START_TEST(dry_run)
{
	struct change trial = create("a");
	uint64_t revision;

	trial.dry_run = true;
	(void)rig_expect(&rig, trial, CHANGE_CREATED);
	rig_expect_ids(&rig, "");
	ck_assert_uint_eq(store_revision(rig.store), 0);
	revision = rig_expect(&rig, create("a"), CHANGE_CREATED);
	(void)rig_expect(&rig, trial, CHANGE_E_EXISTS);
	trial = say("a", "m");
	trial.dry_run = true;
	ck_assert_uint_eq(rig_expect(&rig, trial, CHANGE_UPDATED), revision);
	trial = kit_delete("a");
	trial.dry_run = true;
	ck_assert_uint_eq(rig_expect(&rig, trial, CHANGE_DELETED), revision);
	ck_assert_uint_eq(rig_expect_status(&rig, "a", (struct status){ .created_at = 1 }), revision);
	ck_assert_uint_eq(store_revision(rig.store), revision);
}
END_TEST

/* The trial's container shows what would be. */
START_TEST(dry_run_shows_the_outcome)
{
	struct change trial = say("a", "new");
	struct ticket t = { .change = &trial };

	trial.dry_run = true;
	(void)rig_expect(&rig, create("a"), CHANGE_CREATED);
	store_change(rig.store, &t);
	ck_assert_int_eq(t.verdict.end, CHANGE_UPDATED);
	ck_assert_str_eq(container_status(t.container)->message, "new");
	ticket_clear(&t);
	(void)rig_expect_status(&rig, "a", (struct status){ .created_at = 1 });
}
END_TEST

START_TEST(relaxed_is_visible_at_once)
{
	struct change change = create("a");

	change.relaxed = true;
	(void)rig_expect(&rig, change, CHANGE_CREATED);
	rig_expect_ids(&rig, "a");
	change = say("a", "m");
	change.relaxed = true;
	(void)rig_expect(&rig, change, CHANGE_UPDATED);
	(void)rig_expect_status(&rig, "a", (struct status){ .created_at = 1, .message = "m" });
}
END_TEST

/* ---- many at once ---- */

/* Tickets that wait for nobody: counted when they are done. */
struct crowd {
	size_t count;
	struct change *changes;
	struct ticket *tickets;
	struct mutex mutex;
	struct cond all_done;
	size_t done;
};

static void count_done(struct ticket *t)
{
	struct crowd *crowd = t->cls;

	mutex_lock(&crowd->mutex);
	if (++crowd->done == crowd->count)
		cond_wake_all(&crowd->all_done);
	mutex_unlock(&crowd->mutex);
}

static void crowd_init(struct crowd *crowd, size_t n)
{
	*crowd = (struct crowd){ .count = n, .changes = calloc(n, sizeof *crowd->changes), .tickets = calloc(n, sizeof *crowd->tickets) };
	ck_assert(crowd->changes && crowd->tickets);
	mutex_init(&crowd->mutex, RANK_LOG);
	cond_init(&crowd->all_done);
}

static void crowd_submit(struct crowd *crowd)
{
	for (size_t i = 0; i < crowd->count; i++) {
		crowd->tickets[i] = (struct ticket){ .change = &crowd->changes[i], .done = count_done, .cls = crowd };
		store_submit(rig.store, &crowd->tickets[i]);
	}
}

static void crowd_wait(struct crowd *crowd)
{
	mutex_lock(&crowd->mutex);
	while (crowd->done < crowd->count)
		cond_wait(&crowd->all_done, &crowd->mutex);
	mutex_unlock(&crowd->mutex);
}

static void crowd_done(struct crowd *crowd)
{
	for (size_t i = 0; i < crowd->count; i++)
		ticket_clear(&crowd->tickets[i]);
	cond_done(&crowd->all_done);
	mutex_done(&crowd->mutex);
	free(crowd->tickets);
	free(crowd->changes);
}

enum { MANY = 5000 };

/* Creations in a scattered order: all are there, in order of their ids, with revisions in the order they were asked. */
START_TEST(many_creations)
{
	static char ids[MANY][16];
	struct store_figures figures;
	struct crowd crowd;
	char *all, *at;

	crowd_init(&crowd, MANY);
	for (size_t i = 0; i < MANY; i++) {
		(void)snprintf(ids[i], sizeof ids[i], "c%05zu", i * 2654435761u % MANY);
		crowd.changes[i] = create(ids[i]);
	}
	crowd_submit(&crowd);
	crowd_wait(&crowd);
	for (size_t i = 0; i < MANY; i++) {
		ck_assert_int_eq(crowd.tickets[i].verdict.end, CHANGE_CREATED);
		if (i)
			ck_assert_uint_gt(container_revision(crowd.tickets[i].container),
					  container_revision(crowd.tickets[i - 1].container));
	}
	crowd_done(&crowd);
	all = at = rig_ids(&rig);
	for (size_t i = 0; i < MANY; i++, at += 7) {
		char id[16];

		(void)snprintf(id, sizeof id, "c%05zu", i);
		ck_assert_int_eq(strncmp(at, id, 6), 0);
	}
	free(all);
	store_figures(rig.store, &figures);
	ck_assert_uint_eq(figures.containers[CONTAINER_CREATED], MANY);
	ck_assert_uint_eq(figures.created, MANY);
	ck_assert_uint_eq(figures.changes, MANY);
	ck_assert_uint_ge(figures.commits, MANY / STORE_BATCH_MAX);
	ck_assert_uint_eq(figures.waiting, 0);
	ck_assert_uint_eq(figures.revision, store_revision(rig.store));
}
END_TEST

/* Changes of one container that wait together are decided one after another, each upon the one before. */
START_TEST(one_container_many_times)
{
	static const struct {
		enum change_kind kind;
		const char *message;
		enum change_end end;
	} steps[] = {
		{ CHANGE_PATCH, "early", CHANGE_E_NOT_FOUND }, { CHANGE_CREATE, NULL, CHANGE_CREATED },
		{ CHANGE_CREATE, NULL, CHANGE_E_EXISTS },      { CHANGE_PATCH, "one", CHANGE_UPDATED },
		{ CHANGE_PATCH, "one", CHANGE_SAME },          { CHANGE_PATCH, "two", CHANGE_UPDATED },
		{ CHANGE_DELETE, NULL, CHANGE_DELETED },       { CHANGE_DELETE, NULL, CHANGE_ABSENT },
		{ CHANGE_PATCH, "late", CHANGE_E_NOT_FOUND },  { CHANGE_CREATE, NULL, CHANGE_CREATED },
		{ CHANGE_PATCH, "last", CHANGE_UPDATED },
	};
	struct crowd crowd;

	for (int round = 0; round < 100; round++) {
		crowd_init(&crowd, COUNT(steps));
		for (size_t i = 0; i < COUNT(steps); i++) {
			crowd.changes[i] = steps[i].message ? say("a", steps[i].message) : create("a");
			crowd.changes[i].kind = steps[i].kind;
		}
		crowd_submit(&crowd);
		crowd_wait(&crowd);
		for (size_t i = 0; i < COUNT(steps); i++)
			ck_assert_msg(crowd.tickets[i].verdict.end == steps[i].end, "step %zu: %s", i,
				      change_end_name(crowd.tickets[i].verdict.end));
		crowd_done(&crowd);
		(void)rig_expect_status(&rig, "a", (struct status){ .created_at = 1, .message = "last" });
		(void)rig_expect(&rig, kit_delete("a"), CHANGE_DELETED);
	}
}
END_TEST

/* ---- lists ---- */

START_TEST(list_stays_at_its_revision)
{
	auto_arena struct arena arena = ARENA;
	struct filter *f = filter_new(&arena);
	struct listing *l = NULL;

	for (int i = 0; i < 300; i++) {
		char id[16];

		(void)snprintf(id, sizeof id, "c%03d", i);
		(void)rig_expect(&rig, create(id), CHANGE_CREATED);
	}
	ck_assert_ptr_nonnull(f);
	ck_assert_int_eq(store_list(rig.store, f, &l), 0);
	ck_assert_uint_eq(listing_revision(l), store_revision(rig.store));
	(void)rig_expect(&rig, say("c000", "later"), CHANGE_UPDATED);
	(void)rig_expect(&rig, kit_delete("c001"), CHANGE_DELETED);
	(void)rig_expect(&rig, create("c0000"), CHANGE_CREATED);
	ck_assert_uint_eq(listing_count(l), 300);
	ck_assert_str_eq(container_status(listing_at(l, 0))->message, "");
	ck_assert_str_eq(container_id(listing_at(l, 1)), "c001");
	for (size_t i = 0; i < listing_count(l); i++)
		ck_assert_uint_le(container_revision(listing_at(l, i)), listing_revision(l));
	listing_unref(listing_ref(l));
	listing_unref(l);
	listing_unref(NULL);
}
END_TEST

START_TEST(list_filtered_and_sorted)
{
	auto_arena struct arena arena = ARENA;
	struct filter *f = filter_new(&arena);
	struct listing *l = NULL;
	const char *detail;

	(void)rig_expect(&rig, named("b2", "y"), CHANGE_CREATED);
	(void)rig_expect(&rig, named("b1", "z"), CHANGE_CREATED);
	(void)rig_expect(&rig, named("b3", "x"), CHANGE_CREATED);
	(void)rig_expect(&rig, named("c1", "a"), CHANGE_CREATED);
	ck_assert_int_eq(filter_add(f, "idPrefix", "b", &detail), 0);
	ck_assert_int_eq(filter_add(f, "fieldSelector", "name!=y", &detail), 0);
	ck_assert_int_eq(filter_add(f, "sort", "name", &detail), 0);
	ck_assert_int_eq(store_list(rig.store, f, &l), 0);
	ck_assert_uint_eq(listing_count(l), 2);
	ck_assert_str_eq(container_id(listing_at(l, 0)), "b3");
	ck_assert_str_eq(container_id(listing_at(l, 1)), "b1");
	listing_unref(l);
}
END_TEST

static atomic_bool readers_stop;

/* Whatever a reader sees belongs to one revision: both containers of a pair are told the same, in one batch or none. */
static void *read_lists(void *arg)
{
	(void)arg;
	while (!atomic_load(&readers_stop)) {
		auto_arena struct arena arena = ARENA;
		struct filter *f = filter_new(&arena);
		struct listing *l = NULL;
		uint64_t newest = 0;

		ck_assert_ptr_nonnull(f);
		ck_assert_int_eq(store_list(rig.store, f, &l), 0);
		for (size_t i = 0; i < listing_count(l); i++) {
			uint64_t revision = container_revision(listing_at(l, i));

			ck_assert_uint_le(revision, listing_revision(l));
			newest = revision > newest ? revision : newest;
			if (i)
				ck_assert_int_lt(strcmp(container_id(listing_at(l, i - 1)), container_id(listing_at(l, i))), 0);
		}
		ck_assert(listing_count(l) == 0 || newest > 0);
		listing_unref(l);
	}
	return NULL;
}

START_TEST(readers_beside_a_writer)
{
	pthread_t readers[2];

	for (size_t i = 0; i < COUNT(readers); i++)
		ck_assert_int_eq(thread_start(&readers[i], "reader", read_lists, NULL), 0);
	for (int round = 0; round < 20; round++) {
		static char ids[100][16];
		struct crowd crowd;

		crowd_init(&crowd, 200);
		for (size_t i = 0; i < 100; i++) {
			(void)snprintf(ids[i], sizeof ids[i], "r%zu", i);
			crowd.changes[i] = create(ids[i]);
			crowd.changes[100 + i] = i % 2 ? kit_delete(ids[i]) : say(ids[i], round % 2 ? "odd" : "even");
		}
		crowd_submit(&crowd);
		crowd_wait(&crowd);
		crowd_done(&crowd);
	}
	atomic_store(&readers_stop, true);
	for (size_t i = 0; i < COUNT(readers); i++)
		thread_join(readers[i]);
}
END_TEST

/* ---- the queue ---- */

static int64_t hand_ns;

static int64_t hand_time(const struct clock *c)
{
	(void)c;
	return hand_ns;
}

static const struct clock hand_clock = { hand_time, hand_time };

/* A store that is loaded but not started: what is submitted waits. */
static void open_unstarted(void)
{
	const struct store_options options = { .clock = &hand_clock };
	struct err err = { 0 };

	rig = (struct rig){ .kit = &kit_memory };
	rig.store = store_new(memory_backend_new(), &options);
	ck_assert_ptr_nonnull(rig.store);
	ck_assert_int_eq(store_load(rig.store, NULL, NULL, &err), 0);
	ck_assert_ptr_nonnull(store_read_only(rig.store));
}

static void start(void)
{
	struct err err = { 0 };

	ck_assert_int_eq(store_start(rig.store, &err), 0);
}

START_TEST(full_queue)
{
	struct crowd crowd;
	struct store_figures figures;

	open_unstarted();
	crowd_init(&crowd, STORE_QUEUE_CAP + 2);
	for (size_t i = 0; i < crowd.count; i++)
		crowd.changes[i] = kit_delete("nobody");
	crowd_submit(&crowd);
	ck_assert_uint_eq(crowd.done, 2); /* the refusals came from within the call */
	store_figures(rig.store, &figures);
	ck_assert_uint_eq(figures.waiting, STORE_QUEUE_CAP);
	ck_assert_uint_eq(figures.refused_full, 2);
	start();
	crowd_wait(&crowd);
	for (size_t i = 0; i < crowd.count; i++)
		ck_assert_int_eq(crowd.tickets[i].verdict.end, i < STORE_QUEUE_CAP ? CHANGE_ABSENT : CHANGE_E_OVERLOADED);
	crowd_done(&crowd);
	store_free(rig.store);
}
END_TEST

/* What nobody took up for ten seconds is withdrawn: it will not happen behind the client's back. */
START_TEST(late_changes_are_withdrawn)
{
	static const char *const ids[] = { "a", "b" };
	struct crowd crowd;

	open_unstarted();
	crowd_init(&crowd, COUNT(ids));
	for (size_t i = 0; i < COUNT(ids); i++) {
		crowd.changes[i] = create(ids[i]);
		crowd.tickets[i] = (struct ticket){ .change = &crowd.changes[i], .done = count_done, .cls = &crowd };
	}
	store_submit(rig.store, &crowd.tickets[0]);
	hand_ns += 6 * NS_PER_S;
	store_submit(rig.store, &crowd.tickets[1]);
	store_withdraw_late(rig.store);
	ck_assert_uint_eq(crowd.done, 0);
	hand_ns += 5 * NS_PER_S;
	store_withdraw_late(rig.store);
	ck_assert_uint_eq(crowd.done, 1);
	ck_assert_int_eq(crowd.tickets[0].verdict.end, CHANGE_E_OVERLOADED);
	start();
	crowd_wait(&crowd);
	ck_assert_int_eq(crowd.tickets[1].verdict.end, CHANGE_CREATED);
	rig_expect_ids(&rig, "b");
	crowd_done(&crowd);
	store_free(rig.store);
}
END_TEST

/* Stopping answers what waits and refuses what comes; reads go on. */
START_TEST(stop)
{
	struct crowd crowd;
	struct ticket late = { 0 };
	struct change change = create("late");
	size_t created = 0;

	crowd_init(&crowd, 2000);
	for (size_t i = 0; i < crowd.count; i++)
		crowd.changes[i] = say("a", i % 2 ? "odd" : "even");
	(void)rig_expect(&rig, create("a"), CHANGE_CREATED);
	crowd_submit(&crowd);
	store_stop(rig.store);
	ck_assert_uint_eq(crowd.done, crowd.count);
	for (size_t i = 0; i < crowd.count; i++)
		created += crowd.tickets[i].verdict.end == CHANGE_UPDATED;
	ck_assert_uint_eq(created, crowd.count);
	crowd_done(&crowd);
	late.change = &change;
	store_change(rig.store, &late);
	ck_assert_int_eq(late.verdict.end, CHANGE_E_SHUTTING_DOWN);
	ck_assert_ptr_nonnull(store_read_only(rig.store));
	(void)rig_expect_status(&rig, "a", (struct status){ .created_at = 1, .message = "odd" });
}
END_TEST

/* Every ticket gets its answer, also when the committer never ran. */
START_TEST(stop_before_start)
{
	struct crowd crowd;

	open_unstarted();
	crowd_init(&crowd, 3);
	for (size_t i = 0; i < crowd.count; i++)
		crowd.changes[i] = create("a");
	crowd_submit(&crowd);
	store_stop(rig.store);
	ck_assert_uint_eq(crowd.done, 3);
	ck_assert_int_eq(crowd.tickets[0].verdict.end, CHANGE_E_SHUTTING_DOWN);
	crowd_done(&crowd);
	store_free(rig.store);
}
END_TEST

/* ---- figures ---- */

START_TEST(figures_count_states_and_moves)
{
	struct store_figures f;

	(void)rig_expect(&rig, create("a"), CHANGE_CREATED);
	(void)rig_expect(&rig, create("b"), CHANGE_CREATED);
	(void)rig_expect(&rig, kit_patch("a", GIVEN_STARTED_AT, (struct status){ .started_at = 2 }), CHANGE_UPDATED);
	(void)rig_expect(&rig, kit_patch("a", GIVEN_FINISHED_AT, (struct status){ .finished_at = 3 }), CHANGE_UPDATED);
	(void)rig_expect(&rig, kit_delete("b"), CHANGE_DELETED);
	store_figures(rig.store, &f);
	ck_assert_uint_eq(f.containers[CONTAINER_CREATED], 0);
	ck_assert_uint_eq(f.containers[CONTAINER_RUNNING], 0);
	ck_assert_uint_eq(f.containers[CONTAINER_EXITED], 1);
	ck_assert_uint_eq(f.transitions[CONTAINER_CREATED][CONTAINER_RUNNING], 1);
	ck_assert_uint_eq(f.transitions[CONTAINER_RUNNING][CONTAINER_EXITED], 1);
	ck_assert_uint_eq(f.created, 2);
	ck_assert_uint_eq(f.deleted, 1);
	ck_assert_str_eq(f.backend_name, "memory");
	ck_assert_ptr_null(store_read_only(rig.store));
}
END_TEST

int main(void)
{
	Suite *s = suite_create("store");
	TCase *c = unit_case(s, "store");

	tcase_add_checked_fixture(c, setup, teardown);
	tcase_add_test(c, names);
	tcase_add_test(c, order_of_finding);
	tcase_add_test(c, no_candidates_beside_a_find);
	tcase_add_test(c, name_of_the_next_life);
	tcase_add_test(c, few_of_many_candidates);
	tcase_add_test(c, revisions_only_grow);
	tcase_add_test(c, put_twice);
	tcase_add_test(c, dry_run);
	tcase_add_test(c, dry_run_shows_the_outcome);
	tcase_add_test(c, relaxed_is_visible_at_once);
	tcase_add_test(c, many_creations);
	tcase_add_test(c, one_container_many_times);
	tcase_add_test(c, list_stays_at_its_revision);
	tcase_add_test(c, list_filtered_and_sorted);
	tcase_add_test(c, readers_beside_a_writer);
	tcase_add_test(c, stop);
	tcase_add_test(c, figures_count_states_and_moves);
	c = unit_case(s, "queue");
	tcase_add_test(c, full_queue);
	tcase_add_test(c, late_changes_are_withdrawn);
	tcase_add_test(c, stop_before_start);
	return unit_main(s);
}
