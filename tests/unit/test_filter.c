/* Which containers a list shows, and in which order. */
#include <string.h>

#include "base/buf.h"
#include "container/filter.h"
#include "unit.h"

#define DAY(n_) (INT64_C(86400000000000) * (n_))

static const struct label front[] = { { "app", "web" }, { "tier", "front" } }, back[] = { { "app", "db" } };

static const struct {
	struct metadata_value metadata;
	struct status status;
} population[] = {
	{ { .id = "a1", .name = "web", .sandbox_id = "s1", .image_ref = "nginx:1", .labels = front, .label_count = 2 },
	  { .created_at = DAY(1), .started_at = DAY(2), .pid = 7 } },
	{ { .id = "a2", .name = "web", .sandbox_id = "s2", .image_ref = "nginx:1" }, { .created_at = DAY(2) } },
	{ { .id = "b1", .name = "db", .sandbox_id = "s1", .image_ref = "pg", .labels = back, .label_count = 1 },
	  { .created_at = DAY(3), .started_at = DAY(4), .finished_at = DAY(9) } },
	{ { .id = "b2", .name = "a,b=c\\ ", .sandbox_id = "", .image_ref = "pg" },
	  { .created_at = DAY(4), .started_at = DAY(5), .finished_at = DAY(7), .exit_code = 137, .reason = "OOMKilled" } },
	{ { .id = "c1", .name = "", .sandbox_id = "", .image_ref = "" },
	  { .created_at = DAY(5), .finished_at = -DAY(1), .exit_code = -1 } },
	{ { .id = "d1", .name = "", .sandbox_id = "", .image_ref = "" },
	  { .exit_code = 255, .reason = "CheckpointDamaged", .unknown = true } },
};
enum { POPULATION = COUNT(population) };

static struct container *containers[POPULATION];

static void populate(void)
{
	for (size_t i = 0; i < POPULATION; i++) {
		struct metadata_value m = population[i].metadata;
		struct status s = unit_status(population[i].status);

		m.log_path = m.stop_signal = m.process_label = m.carried = "";
		containers[i] = unit_container(&m, &s, 1);
	}
}

static void depopulate(void)
{
	for (size_t i = 0; i < POPULATION; i++)
		container_unref(containers[i]);
}

/* The ids that a filter shows, in its order, separated by blanks. */
static const char *shown(struct filter *f, struct arena *arena)
{
	struct container *kept[POPULATION];
	const char *ids = "";
	size_t n = 0;

	for (size_t i = 0; i < POPULATION; i++)
		if (filter_matches(f, containers[i]))
			kept[n++] = containers[i];
	qsort_r(kept, n, sizeof kept[0], filter_compare, f);
	for (size_t i = 0; i < n; i++)
		ids = arena_printf(arena, "%s%s%s", ids, i ? " " : "", container_id(kept[i]));
	return ids;
}

/* Up to two parameters, and the ids they show. */
static const struct {
	const char *name, *value, *ids, *name2, *value2;
} found[] = {
	/* none, id, state, label, sandbox, several (ANDed), several without a match */
	{ NULL, NULL, "a1 a2 b1 b2 c1 d1", NULL, NULL },
	{ "idPrefix", "b", "b1 b2", NULL, NULL },
	{ "state", "running", "a1", NULL, NULL },
	{ "labelSelector", "app=web", "a1", NULL, NULL },
	{ "sandboxId", "s1", "a1 b1", NULL, NULL },
	{ "sandboxId", "s1", "b1", "state", "exited" },
	{ "sandboxId", "s1", "", "state", "created" },
	/* each by itself */
	{ "state", "CONTAINER_RUNNING,created", "a1 a2", NULL, NULL },
	{ "state", "Exited, UNKNOWN", "b1 b2 c1 d1", NULL, NULL },
	{ "state", "exited,exited", "b1 b2 c1", NULL, NULL },
	{ "imageRef", "pg", "b1 b2", NULL, NULL },
	{ "imageRef", "p", "", NULL, NULL },
	{ "name", "web", "a1 a2", NULL, NULL },
	{ "name", "", "c1 d1", NULL, NULL },
	{ "name", "Web", "", NULL, NULL },
	{ "idPrefix", "", "a1 a2 b1 b2 c1 d1", NULL, NULL },
	{ "idPrefix", "b2", "b2", NULL, NULL },
	{ "idPrefix", "b22", "", NULL, NULL },
	{ "exitCode", "0", "b1", NULL, NULL },
	{ "exitCode", "137", "b2", NULL, NULL },
	{ "exitCode", "-1", "c1", NULL, NULL },
	{ "exitCode", "255", "", NULL, NULL },
	{ "createdAfter", "1970-01-03T00:00:00Z", "b1 b2 c1", NULL, NULL },
	{ "createdAfter", "172799999999999", "a2 b1 b2 c1", NULL, NULL },
	{ "createdAfter", "-1", "a1 a2 b1 b2 c1", NULL, NULL },
	{ "finishedAfter", "1970-01-08T00:00:00Z", "b1", NULL, NULL },
	{ "finishedAfter", "-9223372036854775808", "b1 b2 c1", NULL, NULL },
	{ "labelSelector", "", "a1 a2 b1 b2 c1 d1", NULL, NULL },
	{ "labelSelector", "app!=web", "a2 b1 b2 c1 d1", NULL, NULL },
	{ "labelSelector", "app in (web,db),!tier", "b1", NULL, NULL },
	/* fields */
	{ "fieldSelector", "", "a1 a2 b1 b2 c1 d1", NULL, NULL },
	{ "fieldSelector", "  ", "a1 a2 b1 b2 c1 d1", NULL, NULL },
	{ "fieldSelector", "state=CONTAINER_EXITED", "b1 b2 c1", NULL, NULL },
	{ "fieldSelector", "state==exited", "b1 b2 c1", NULL, NULL },
	{ "fieldSelector", "state!=CONTAINER_EXITED", "a1 a2 d1", NULL, NULL },
	{ "fieldSelector", "id!=a1,name=web", "a2", NULL, NULL },
	{ "fieldSelector", " id != a1 , name = web ", "a2", NULL, NULL },
	{ "fieldSelector", "name=", "c1 d1", NULL, NULL },
	{ "fieldSelector", "name!=", "a1 a2 b1 b2", NULL, NULL },
	{ "fieldSelector", "name=,imageRef=", "c1 d1", NULL, NULL },
	{ "fieldSelector", "name=a\\,b\\=c\\\\\\ ", "b2", NULL, NULL },
	{ "fieldSelector", "imageRef=nginx:1", "a1 a2", NULL, NULL },
	{ "fieldSelector", "sandboxId=s1,sandboxId!=s1", "", NULL, NULL },
	{ "fieldSelector", "exitCode=0", "b1", NULL, NULL },
	{ "fieldSelector", "exitCode!=0", "b2 c1", NULL, NULL },
	{ "fieldSelector", "reason=Completed", "b1", NULL, NULL },
	{ "fieldSelector", "reason=Error", "c1", NULL, NULL },
	{ "fieldSelector", "reason=OOMKilled", "b2", NULL, NULL },
	{ "fieldSelector", "reason=CheckpointDamaged", "d1", NULL, NULL },
	/* order: equal ones by id, what has no value last in either direction */
	{ "sort", "id", "a1 a2 b1 b2 c1 d1", NULL, NULL },
	{ "sort", "-id", "d1 c1 b2 b1 a2 a1", NULL, NULL },
	{ "sort", "name", "c1 d1 b2 b1 a1 a2", NULL, NULL },
	{ "sort", "-name", "a1 a2 b1 b2 c1 d1", NULL, NULL },
	{ "sort", "createdAt", "a1 a2 b1 b2 c1 d1", NULL, NULL },
	{ "sort", "-createdAt", "c1 b2 b1 a2 a1 d1", NULL, NULL },
	{ "sort", "startedAt", "a1 b1 b2 a2 c1 d1", NULL, NULL },
	{ "sort", "-startedAt", "b2 b1 a1 a2 c1 d1", NULL, NULL },
	{ "sort", "finishedAt", "c1 b2 b1 a1 a2 d1", NULL, NULL },
	{ "sort", "-finishedAt", "b1 b2 c1 a1 a2 d1", NULL, NULL },
	{ "sort", "exitCode", "c1 b1 b2 a1 a2 d1", NULL, NULL },
	{ "sort", "-exitCode", "b2 b1 c1 a1 a2 d1", NULL, NULL },
	{ "sort", "state", "a2 a1 b1 b2 c1 d1", NULL, NULL },
	{ "sort", "-state", "d1 b1 b2 c1 a1 a2", NULL, NULL },
	{ "sort", "-finishedAt", "b1 b2 c1", "state", "exited" },
};

START_TEST(lists)
{
	auto_arena struct arena arena = ARENA;
	struct filter *f = filter_new(&arena);
	const char *detail = "";

	populate();
	ck_assert_ptr_nonnull(f);
	if (found[_i].name)
		ck_assert_msg(filter_add(f, found[_i].name, found[_i].value, &detail) == 0, "%s", detail);
	if (found[_i].name2)
		ck_assert_msg(filter_add(f, found[_i].name2, found[_i].value2, &detail) == 0, "%s", detail);
	ck_assert_str_eq(shown(f, &arena), found[_i].ids);
	depopulate();
}
END_TEST

static const struct {
	const char *name, *value, *detail; /* the beginning of it */
} refused[] = {
	{ "state", "", "state: \"\" is no state; use created, running, exited or unknown" },
	{ "state", "sleeping", "state: \"sleeping\" is no state" },
	{ "state", "running,", "state: \"\" is no state" },
	{ "state", "run", "state: \"run\" is no state" },
	{ "state", "running exited", "state: \"running exited\" is no state" },
	{ "exitCode", "", "exitCode: \"\" is no whole number" },
	{ "exitCode", "x", "exitCode: \"x\" is no whole number" },
	{ "exitCode", "1.0", "exitCode: \"1.0\" is no whole number" },
	{ "exitCode", "2147483648", "exitCode: \"2147483648\" is no whole number from -2147483648 to 2147483647" },
	{ "createdAfter", "", "createdAfter: \"\" is neither an RFC 3339 time" },
	{ "createdAfter", "yesterday", "createdAfter: \"yesterday\" is neither" },
	{ "finishedAfter", "2026-02-30T00:00:00Z", "finishedAfter: \"2026-02-30T00:00:00Z\" is neither" },
	{ "labelSelector", "a=b=c", "labelSelector: position 4: found \"=\"" },
	{ "sort", "", "sort: \"\" is none of id, name, state, exitCode, createdAt, startedAt, finishedAt, with -" },
	{ "sort", "pid", "sort: \"pid\" is none of id, name" },
	{ "sort", "--id", "sort: \"--id\" is none of" },
	{ "sort", "-", "sort: \"-\" is none of" },
	{ "sort", "ID", "sort: \"ID\" is none of" },
	{ "sort", "sandboxId", "sort: \"sandboxId\" is none of" },
	{ "fieldSelector", "colour=red",
	  "fieldSelector: position 1: found \"colour\", expected one of id, name, state, exitCode, sandboxId, imageRef, reason" },
	{ "fieldSelector", "state", "fieldSelector: position 6: expected =, == or !=" },
	{ "fieldSelector", "state>exited", "fieldSelector: position 1: found \"state>exited\"" },
	{ "fieldSelector", "state in (a)", "fieldSelector: position 7: expected =, == or !=" },
	{ "fieldSelector", "state=gone", "fieldSelector: \"gone\" is no state" },
	{ "fieldSelector", "state=", "fieldSelector: \"\" is no state" },
	{ "fieldSelector", "exitCode=x", "fieldSelector: \"x\" is no whole number" },
	{ "fieldSelector", "createdAt=1", "fieldSelector: position 1: found \"createdAt\"" },
	{ "fieldSelector", ",", "fieldSelector: position 1: found \"\"" },
	{ "fieldSelector", "id=a,", "fieldSelector: position 6: found \"\"" },
	{ "fieldSelector", "id=a,,id=b", "fieldSelector: position 6: found \"\"" },
	{ "fieldSelector", "=a", "fieldSelector: position 1: found \"\"" },
	{ "fieldSelector", "!id=a", "fieldSelector: position 1: found \"\"" },
	{ "fieldSelector", "id=a=b", "fieldSelector: position 5: found \"=\" in a value, expected \"\\=\"" },
	{ "fieldSelector", "id=a\\x", "fieldSelector: position 6: expected a backslash" },
	{ "fieldSelector", "id=a\\", "fieldSelector: position 6: expected a backslash" },
	{ "fieldSelector", "Id=a", "fieldSelector: position 1: found \"Id\"" },
};

START_TEST(refusals)
{
	auto_arena struct arena arena = ARENA;
	struct filter *f = filter_new(&arena);
	const char *detail = NULL;

	ck_assert_ptr_nonnull(f);
	ck_assert_msg(filter_add(f, refused[_i].name, refused[_i].value, &detail) == 1, "taken: %s", refused[_i].value);
	ck_assert_msg(!strncmp(detail, refused[_i].detail, strlen(refused[_i].detail)), "%s", detail);
}
END_TEST

START_TEST(number_of_conditions)
{
	for (int n = 64; n <= 65; n++) {
		auto_arena struct arena arena = ARENA;
		auto_buf struct buf b = BUF(4096);
		struct filter *f = filter_new(&arena);
		const char *detail = "";

		ck_assert_ptr_nonnull(f);
		for (int i = 0; i < n; i++)
			(void)buf_addf(&b, "%sid!=x%d", i ? "," : "", i);
		ck_assert_int_eq(filter_add(f, "fieldSelector", buf_text(&b), &detail), n > 64);
	}
}
END_TEST

START_TEST(what_the_index_may_use)
{
	auto_arena struct arena arena = ARENA;
	struct filter *f = filter_new(&arena);
	const char *detail;

	ck_assert_ptr_nonnull(f);
	ck_assert_str_eq(filter_id_prefix(f), "");
	ck_assert(filter_order_is_by_id(f));
	ck_assert_int_eq(filter_add(f, "idPrefix", "b", &detail), 0);
	ck_assert_str_eq(filter_id_prefix(f), "b");
	ck_assert_int_eq(filter_add(f, "sort", "id", &detail), 0);
	ck_assert(filter_order_is_by_id(f));
	ck_assert_int_eq(filter_add(f, "sort", "-id", &detail), 0);
	ck_assert(!filter_order_is_by_id(f));
	ck_assert_int_eq(filter_add(f, "sort", "createdAt", &detail), 0);
	ck_assert(!filter_order_is_by_id(f));
}
END_TEST

/* The caller's text may go as soon as it was added. */
START_TEST(values_are_copied)
{
	auto_arena struct arena arena = ARENA;
	struct filter *f = filter_new(&arena);
	char name[] = "db", field[] = "imageRef=pg", labels[] = "app=db";
	const char *detail;

	populate();
	ck_assert_int_eq(filter_add(f, "name", name, &detail), 0);
	ck_assert_int_eq(filter_add(f, "fieldSelector", field, &detail), 0);
	ck_assert_int_eq(filter_add(f, "labelSelector", labels, &detail), 0);
	memset(name, 'x', sizeof name - 1);
	memset(field, 'x', sizeof field - 1);
	memset(labels, 'x', sizeof labels - 1);
	ck_assert_str_eq(shown(f, &arena), "b1");
	depopulate();
}
END_TEST

START_TEST(every_parameter_is_understood)
{
	static const char *const values[] = { "running", "a", "id=a", "s", "i", "n", "p", "0", "1", "1", "id" };
	auto_arena struct arena arena = ARENA;
	struct filter *f = filter_new(&arena);
	const char *detail;
	size_t n = 0;

	for (; filter_parameters[n]; n++) {
		ck_assert_uint_lt(n, COUNT(values));
		ck_assert_msg(filter_add(f, filter_parameters[n], values[n], &detail) == 0, "%s", filter_parameters[n]);
	}
	ck_assert_uint_eq(n, COUNT(values));
}
END_TEST

int main(void)
{
	Suite *s = suite_create("filter");
	TCase *c = unit_case(s, "filter");

	tcase_add_loop_test(c, lists, 0, (int)COUNT(found));
	tcase_add_loop_test(c, refusals, 0, (int)COUNT(refused));
	tcase_add_test(c, number_of_conditions);
	tcase_add_test(c, what_the_index_may_use);
	tcase_add_test(c, values_are_copied);
	tcase_add_test(c, every_parameter_is_understood);
	return unit_main(s);
}
