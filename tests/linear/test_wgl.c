/* The checker, checked: right histories are accepted, each planted error is refused. */
#include <check.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "linear/histories.h"
#include "linear/random.h"
#include "linear/simulate.h"
#include "linear/tags.h"
#include "linear/wgl.h"

static size_t length(const struct history *h)
{
	size_t n = 0;

	while (n < OPS_MAX && h->ops[n].call_ns)
		n++;
	return n;
}

/* ---- by hand ---- */

START_TEST(right_ones)
{
	const struct history *h = &right[_i];
	struct wgl_result result;
	struct tags_fault fault;

	ck_assert_msg(wgl_check(h->ops, length(h), &result) == WGL_LINEARIZABLE, "refused: %s, stuck at %zu", h->name, result.stuck);
	ck_assert_msg(tags_check(h->ops, length(h), &fault) == 0, "refused: %s: %s", h->name, fault.why);
}
END_TEST

START_TEST(wrong_ones)
{
	const struct history *h = &wrong[_i];
	struct wgl_result result;

	ck_assert_msg(wgl_check(h->ops, length(h), &result) == WGL_E_VIOLATION, "accepted: %s", h->name);
	ck_assert_uint_lt(result.stuck, length(h));
}
END_TEST

START_TEST(wrong_ones_of_tags)
{
	const struct history *h = &wrong_tags[_i];
	struct tags_fault fault;

	ck_assert_msg(tags_check(h->ops, length(h), &fault) > 0, "accepted: %s", h->name);
	ck_assert_ptr_nonnull(fault.why);
}
END_TEST

START_TEST(right_one_of_tags)
{
	struct tags_fault fault;

	ck_assert_msg(tags_check(right_tags.ops, length(&right_tags), &fault) == 0, "refused: %s", fault.why);
}
END_TEST

/* ---- at random ---- */

/* Plant one error that no order can explain; false when this history offers no place for it.  <ops> has room for one more. */
typedef bool plant(struct wgl_op *ops, size_t *n, uint64_t *random);

static bool is_seen(const struct wgl_op *op)
{
	return op->kind == WGL_READ && op->end == WGL_DONE && op->value;
}

static bool is_change(const struct wgl_op *op)
{
	return (op->kind == WGL_WRITE || op->kind == WGL_CREATE) && op->end == WGL_DONE;
}

/* The first operation from a random place on that <fits>. */
static struct wgl_op *pick(struct wgl_op *ops, size_t n, uint64_t *random, bool (*fits)(const struct wgl_op *))
{
	size_t from = (size_t)random_below(random, n);

	for (size_t i = 0; i < n; i++)
		if (fits(&ops[(from + i) % n]))
			return &ops[(from + i) % n];
	return NULL;
}

static bool plant_unwritten(struct wgl_op *ops, size_t *n, uint64_t *random)
{
	struct wgl_op *read = pick(ops, *n, random, is_seen);

	if (read)
		read->value = UINT64_MAX;
	return read;
}

/* A read of what was overwritten before it was called: changes a, b, read, none overlapping. */
static bool plant_stale(struct wgl_op *ops, size_t *n, uint64_t *random)
{
	struct wgl_op *old = pick(ops, *n, random, is_change);

	for (size_t i = 0; old && i < *n; i++)
		for (size_t j = 0; is_change(&ops[i]) && ops[i].call_ns > old->return_ns && j < *n; j++)
			if (is_seen(&ops[j]) && ops[j].call_ns > ops[i].return_ns) {
				ops[j].value = old->value;
				ops[j].revision = old->revision;
				return true;
			}
	return false;
}

static bool plant_back(struct wgl_op *ops, size_t *n, uint64_t *random)
{
	struct wgl_op *old = pick(ops, *n, random, is_change);

	for (size_t i = 0; old && i < *n; i++)
		if (is_change(&ops[i]) && ops[i].call_ns > old->return_ns) {
			ops[i].revision = old->revision - 1;
			return true;
		}
	return false;
}

/* Take the change away whose value was read: the answer was a 503. */
static bool plant_ghost(struct wgl_op *ops, size_t *n, uint64_t *random)
{
	struct wgl_op *read = pick(ops, *n, random, is_seen);

	for (size_t i = 0; read && i < *n; i++)
		if ((ops[i].kind == WGL_WRITE || ops[i].kind == WGL_CREATE) && ops[i].value == read->value) {
			ops[i] = ops[--*n];
			return true;
		}
	return false;
}

static bool is_guarded_change(const struct wgl_op *op)
{
	return is_change(op) && op->expected;
}

static bool plant_second_winner(struct wgl_op *ops, size_t *n, uint64_t *random)
{
	struct wgl_op *winner = pick(ops, *n, random, is_guarded_change);

	if (!winner)
		return false;
	ops[*n] = *winner;
	ops[*n].value = UINT64_MAX;
	ops[(*n)++].revision = 0;
	return true;
}

/* Two reads of one state, one after the other with a moment between: nothing has changed in it. */
static bool find_quiet(struct wgl_op *ops, size_t n, uint64_t *random, struct wgl_op *ret)
{
	struct wgl_op *first = pick(ops, n, random, is_seen);

	for (size_t i = 0; first && i < n; i++)
		if (is_seen(&ops[i]) && ops[i].value == first->value && ops[i].call_ns > first->return_ns + 2) {
			*ret = (struct wgl_op){ .call_ns = first->return_ns + 1, .return_ns = ops[i].call_ns - 1,
						.expected = first->revision };
			return true;
		}
	return false;
}

static bool plant_refusal(struct wgl_op *ops, size_t *n, uint64_t *random)
{
	struct wgl_op op;

	if (!find_quiet(ops, *n, random, &op))
		return false;
	op.kind = WGL_WRITE;
	op.end = WGL_REFUSED;
	ops[(*n)++] = op;
	return true;
}

static bool plant_second_creation(struct wgl_op *ops, size_t *n, uint64_t *random)
{
	struct wgl_op op;

	if (!find_quiet(ops, *n, random, &op))
		return false;
	op.kind = WGL_CREATE;
	op.value = UINT64_MAX;
	op.expected = 0;
	ops[(*n)++] = op;
	return true;
}

static bool is_deletion(const struct wgl_op *op)
{
	return op->kind == WGL_DELETE && op->end == WGL_DONE;
}

static bool plant_resurrection(struct wgl_op *ops, size_t *n, uint64_t *random)
{
	struct wgl_op *deletion = pick(ops, *n, random, is_deletion);

	for (size_t i = 0; deletion && i < *n; i++)
		if (is_change(&ops[i]) && ops[i].return_ns < deletion->call_ns) {
			ops[(*n)++] = (struct wgl_op){ .kind = WGL_READ, .value = ops[i].value, .revision = ops[i].revision,
						       .call_ns = deletion->return_ns + 1, .return_ns = deletion->return_ns + 2 };
			return true;
		}
	return false;
}

static plant *const plants[] = { plant_unwritten, plant_stale, plant_back, plant_ghost, plant_second_winner,
				 plant_refusal, plant_second_creation, plant_resurrection };

enum { PLANTS = sizeof plants / sizeof plants[0], SEEDS = 300 };

static struct wgl_op *random_history(uint64_t seed, size_t *ret_n)
{
	struct simulation s = {
		.seed = seed, .operations = 20 + seed % 300, .clients = 1 + seed % 12, .lost_percent = (unsigned)(seed % 4) * 4,
	};

	return simulate(&s, ret_n);
}

START_TEST(random_right_ones)
{
	for (uint64_t seed = 1; seed <= 10 * SEEDS; seed++) {
		struct wgl_result result;
		struct tags_fault fault;
		size_t n;
		struct wgl_op *ops = random_history(seed, &n);

		ck_assert_msg(wgl_check(ops, n, &result) == WGL_LINEARIZABLE, "seed %d refused at %zu", (int)seed, result.stuck);
		ck_assert_uint_eq(tags_check(ops, n, &fault), 0);
		free(ops);
	}
}
END_TEST

START_TEST(random_wrong_ones)
{
	size_t planted = 0;

	for (uint64_t seed = 1; seed <= SEEDS; seed++) {
		struct wgl_result result;
		uint64_t random = seed;
		size_t n;
		struct wgl_op *ops = random_history(seed, &n);

		if (plants[_i](ops, &n, &random)) {
			planted++;
			ck_assert_msg(wgl_check(ops, n, &result) == WGL_E_VIOLATION, "seed %d accepted", (int)seed);
		}
		free(ops);
	}
	ck_assert_msg(planted > SEEDS / 10, "only %zu histories had a place for it", planted);
}
END_TEST

/* The cost is counted, not timed: hardly more steps than operations, with 60 clients on one container too. */
START_TEST(cost)
{
	struct simulation s = { .seed = 5, .operations = 100 * 1000, .clients = _i ? 60 : 8, .lost_percent = 0 };
	struct wgl_result result;
	size_t n;
	struct wgl_op *ops = simulate(&s, &n);

	ck_assert_int_eq(wgl_check(ops, n, &result), WGL_LINEARIZABLE);
	ck_assert_uint_lt(result.steps, 2 * n);
	ops[n / 2].value = UINT64_MAX;
	ops[n / 2].kind = WGL_READ;
	ops[n / 2].end = WGL_DONE;
	ck_assert_int_eq(wgl_check(ops, n, &result), WGL_E_VIOLATION);
	free(ops);
}
END_TEST

START_TEST(shown)
{
	struct wgl_op op = OP(WRITE, REFUSED, 2500000, 3000000, .value = 3, TOLD(11), MATCH(10));
	char line[200];

	wgl_show(&op, 1000000, line, sizeof line);
	ck_assert_ptr_nonnull(strstr(line, "1.500 - 2.000"));
	ck_assert_ptr_nonnull(strstr(line, "WRITE  refused value 3 revision 11 expected 10"));
}
END_TEST

int main(void)
{
	Suite *s = suite_create("wgl");
	TCase *c = tcase_create("wgl");
	SRunner *runner;
	int failed;

	tcase_set_timeout(c, 60);
	tcase_add_loop_test(c, right_ones, 0, (int)(sizeof right / sizeof right[0]));
	tcase_add_loop_test(c, wrong_ones, 0, (int)(sizeof wrong / sizeof wrong[0]));
	tcase_add_loop_test(c, wrong_ones_of_tags, 0, (int)(sizeof wrong_tags / sizeof wrong_tags[0]));
	tcase_add_test(c, right_one_of_tags);
	tcase_add_test(c, random_right_ones);
	tcase_add_loop_test(c, random_wrong_ones, 0, PLANTS);
	tcase_add_loop_test(c, cost, 0, 2);
	tcase_add_test(c, shown);
	suite_add_tcase(s, c);
	runner = srunner_create(s);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed > 0;
}
