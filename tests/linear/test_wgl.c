/* The checker, checked: right histories are accepted, each planted error is refused. */
#include <check.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "linear/random.h"
#include "linear/simulate.h"
#include "linear/tags.h"
#include "linear/wgl.h"

enum { OPS_MAX = 10 };

#define OP(kind_, end_, call_, return_, ...) \
	{ .kind = WGL_##kind_, .end = WGL_##end_, .call_ns = (call_), .return_ns = (return_), ##__VA_ARGS__ }
#define LOST(kind_, call_, ...) OP(kind_, UNKNOWN, call_, 0, ##__VA_ARGS__)
#define V(value_, revision_) .value = (value_), .revision = (revision_)
#define MATCH(revision_) .expected = (revision_)
#define TOLD(revision_) .revision = (revision_)

struct history {
	const char *name;
	struct wgl_op ops[OPS_MAX]; /* ended by call_ns 0 */
};

static size_t length(const struct history *h)
{
	size_t n = 0;

	while (n < OPS_MAX && h->ops[n].call_ns)
		n++;
	return n;
}

/* ---- right ones ---- */

static const struct history right[] = {
	{ "nothing at all", { { 0 } } },
	{ "one after the other", {
		OP(READ, ABSENT, 1, 2),
		OP(CREATE, DONE, 3, 4, V(7, 10)),
		OP(READ, DONE, 5, 6, V(7, 10)),
		OP(WRITE, DONE, 7, 8, V(8, 11), MATCH(10)),
		OP(WRITE, REFUSED, 9, 10, .value = 9, TOLD(11), MATCH(10)),
		OP(DELETE, DONE, 11, 12, MATCH(11)),
		OP(READ, ABSENT, 13, 14),
		OP(DELETE, DONE, 15, 16),
		OP(CREATE, DONE, 17, 18, V(10, 13)),
	} },
	{ "two overlapping writes, read in the order opposite to their calls", {
		OP(CREATE, DONE, 1, 2, V(1, 10)),
		OP(WRITE, DONE, 3, 9, V(2, 12)),
		OP(WRITE, DONE, 4, 8, V(3, 11)),
		OP(READ, DONE, 5, 6, V(3, 11)),
		OP(READ, DONE, 10, 11, V(2, 12)),
	} },
	{ "overlapping reads see before and after", {
		OP(CREATE, DONE, 1, 2, V(1, 10)),
		OP(WRITE, DONE, 3, 9, V(2, 11)),
		OP(READ, DONE, 4, 8, V(2, 11)),
		OP(READ, DONE, 4, 7, V(1, 10)),
	} },
	{ "one of two at one revision wins", {
		OP(CREATE, DONE, 1, 2, V(1, 10)),
		OP(WRITE, DONE, 3, 9, V(2, 11), MATCH(10)),
		OP(WRITE, REFUSED, 3, 9, .value = 3, TOLD(11), MATCH(10)),
	} },
	{ "unknown, and it happened", {
		OP(CREATE, DONE, 1, 2, V(1, 10)),
		LOST(WRITE, 3, .value = 2),
		OP(READ, DONE, 4, 5, V(2, 11)),
		OP(WRITE, DONE, 6, 7, V(3, 12), MATCH(11)),
	} },
	{ "unknown, and it did not happen", {
		OP(CREATE, DONE, 1, 2, V(1, 10)),
		LOST(WRITE, 3, .value = 2),
		LOST(DELETE, 3),
		OP(READ, DONE, 4, 5, V(1, 10)),
		OP(WRITE, DONE, 6, 7, V(3, 11), MATCH(10)),
		OP(READ, DONE, 8, 9, V(3, 11)),
	} },
	{ "unknown, and it happened late", {
		OP(CREATE, DONE, 1, 2, V(1, 10)),
		LOST(WRITE, 3, .value = 2),
		OP(READ, DONE, 4, 5, V(1, 10)),
		OP(WRITE, DONE, 6, 7, V(3, 11)),
		OP(READ, DONE, 8, 9, V(3, 11)),
		OP(READ, DONE, 10, 11, V(2, 12)),
	} },
	{ "an unknown deletion explains an absence, a second one another", {
		OP(CREATE, DONE, 1, 2, V(1, 10)),
		LOST(DELETE, 3),
		LOST(DELETE, 3),
		OP(READ, ABSENT, 4, 5),
		OP(CREATE, DONE, 6, 7, V(2, 12)),
		OP(READ, ABSENT, 8, 9),
	} },
	{ "an unknown creation that nobody read explains a change", {
		LOST(CREATE, 1, .value = 1),
		OP(WRITE, DONE, 2, 3, V(2, 11)),
	} },
	{ "a revision that only refusals told of is that of an unknown change", {
		OP(CREATE, DONE, 1, 2, V(1, 10)),
		LOST(WRITE, 3, .value = 2),
		OP(WRITE, REFUSED, 4, 5, .value = 3, TOLD(11), MATCH(10)),
		OP(READ, DONE, 6, 7, TOLD(11)),
		OP(WRITE, DONE, 8, 9, V(4, 12), MATCH(11)),
	} },
	{ "a deletion at a revision, unknown, after which it was made again", {
		OP(CREATE, DONE, 1, 2, V(1, 10)),
		LOST(DELETE, 3, MATCH(10)),
		OP(CREATE, DONE, 4, 5, V(2, 14)),
		OP(READ, REFUSED, 6, 7, TOLD(14), MATCH(10)),
	} },
};

START_TEST(right_ones)
{
	const struct history *h = &right[_i];
	struct wgl_result result;
	struct tags_fault fault;

	ck_assert_msg(wgl_check(h->ops, length(h), &result) == WGL_LINEARIZABLE, "refused: %s, stuck at %zu", h->name, result.stuck);
	ck_assert_msg(tags_check(h->ops, length(h), &fault) == 0, "refused: %s: %s", h->name, fault.why);
}
END_TEST

/* ---- planted errors ---- */

static const struct history wrong[] = {
	{ "stale read", {
		OP(CREATE, DONE, 1, 2, V(1, 10)),
		OP(WRITE, DONE, 3, 4, V(2, 11)),
		OP(READ, DONE, 5, 6, V(1, 10)),
	} },
	{ "lost update", {
		OP(CREATE, DONE, 1, 2, V(1, 10)),
		OP(WRITE, DONE, 3, 4, V(2, 11)),
		OP(READ, DONE, 5, 6, V(2, 11)),
		OP(WRITE, DONE, 7, 8, V(3, 12), MATCH(10)),
	} },
	{ "two winners at one revision", {
		OP(CREATE, DONE, 1, 2, V(1, 10)),
		OP(WRITE, DONE, 3, 9, V(2, 11), MATCH(10)),
		OP(WRITE, DONE, 3, 9, V(3, 12), MATCH(10)),
	} },
	{ "a deletion comes undone", {
		OP(CREATE, DONE, 1, 2, V(1, 10)),
		OP(DELETE, DONE, 3, 4),
		OP(READ, ABSENT, 5, 6),
		OP(READ, DONE, 7, 8, V(1, 10)),
	} },
	{ "a deletion was acknowledged, and yet", {
		OP(CREATE, DONE, 1, 2, V(1, 10)),
		OP(DELETE, DONE, 3, 5),
		OP(READ, DONE, 6, 7, V(1, 10)),
	} },
	{ "a deletion comes undone under a new revision", {
		OP(CREATE, DONE, 1, 2, V(1, 10)),
		OP(DELETE, DONE, 3, 5),
		OP(READ, DONE, 6, 7, V(1, 12)),
	} },
	{ "a value that nobody wrote", {
		OP(CREATE, DONE, 1, 2, V(1, 10)),
		OP(READ, DONE, 3, 4, V(2, 11)),
	} },
	{ "an acknowledged change is missing after a crash", {
		OP(CREATE, DONE, 1, 2, V(1, 10)),
		OP(WRITE, DONE, 3, 4, V(2, 11)),
		LOST(WRITE, 5, .value = 3),
		OP(READ, DONE, 8, 9, V(1, 10)),
	} },
	{ "an acknowledged creation is missing after a crash", {
		OP(CREATE, DONE, 1, 2, V(1, 10)),
		LOST(WRITE, 3, .value = 2),
		OP(READ, ABSENT, 8, 9),
	} },
	{ "shown, then lost by a crash", {
		OP(CREATE, DONE, 1, 2, V(1, 10)),
		LOST(WRITE, 3, .value = 2),
		OP(READ, DONE, 4, 5, V(2, 11)),
		OP(READ, DONE, 8, 9, V(1, 10)),
	} },
	{ "a change seen before it was asked for", {
		OP(CREATE, DONE, 1, 2, V(1, 10)),
		OP(READ, DONE, 3, 4, V(2, 11)),
		LOST(WRITE, 5, .value = 2),
	} },
	{ "one state under two revisions", {
		OP(CREATE, DONE, 1, 2, V(1, 10)),
		OP(READ, DONE, 3, 4, V(1, 10)),
		OP(READ, DONE, 5, 6, V(1, 11)),
	} },
	{ "the revision goes back", {
		OP(CREATE, DONE, 1, 2, V(1, 10)),
		OP(WRITE, DONE, 3, 4, V(2, 9)),
	} },
	{ "the revision goes back over a deletion", {
		OP(CREATE, DONE, 1, 2, V(1, 10)),
		OP(DELETE, DONE, 3, 4),
		OP(CREATE, DONE, 5, 6, V(2, 10)),
	} },
	{ "the revision of an unknown change goes back", {
		OP(CREATE, DONE, 1, 2, V(1, 10)),
		LOST(WRITE, 3, .value = 2),
		OP(READ, DONE, 4, 5, V(2, 9)),
	} },
	{ "a 503 and yet it happened", { /* what certainly did not happen is in no history */
		OP(CREATE, DONE, 1, 2, V(1, 10)),
		OP(READ, DONE, 5, 6, V(2, 11)),
	} },
	{ "a refusal tells of a change that was rolled back", {
		OP(CREATE, DONE, 1, 2, V(1, 10)),
		OP(WRITE, REFUSED, 3, 4, .value = 3, TOLD(11), MATCH(10)),
		OP(READ, DONE, 5, 6, V(1, 10)),
	} },
	{ "created twice", {
		OP(CREATE, DONE, 1, 9, V(1, 10)),
		OP(CREATE, DONE, 1, 9, V(2, 11)),
	} },
	{ "refused although the tag was current all the time", {
		OP(CREATE, DONE, 1, 2, V(1, 10)),
		OP(WRITE, REFUSED, 3, 4, .value = 2, MATCH(10)),
		OP(READ, DONE, 5, 6, V(1, 10)),
	} },
	{ "a creation refused although there was none", {
		OP(READ, ABSENT, 1, 2),
		OP(CREATE, REFUSED, 3, 4, .value = 1),
		OP(READ, ABSENT, 5, 6),
	} },
	{ "changed although there was none", {
		OP(DELETE, DONE, 1, 2),
		OP(WRITE, DONE, 3, 4, V(1, 10)),
	} },
	{ "absent although it was there all the time", {
		OP(CREATE, DONE, 1, 2, V(1, 10)),
		OP(WRITE, ABSENT, 3, 4, .value = 2),
		OP(READ, DONE, 5, 6, V(1, 10)),
	} },
	{ "removed at a revision that had passed", {
		OP(CREATE, DONE, 1, 2, V(1, 10)),
		OP(WRITE, DONE, 3, 4, V(2, 11)),
		OP(DELETE, DONE, 5, 6, MATCH(10)),
	} },
	{ "two overlapping writes, read in both orders", {
		OP(CREATE, DONE, 1, 2, V(1, 10)),
		OP(WRITE, DONE, 3, 20, V(2, 0)),
		OP(WRITE, DONE, 3, 20, V(3, 0)),
		OP(READ, DONE, 4, 5, V(2, 0)),
		OP(READ, DONE, 6, 7, V(3, 0)),
		OP(READ, DONE, 8, 9, V(2, 0)),
	} },
	{ "one unknown deletion cannot explain two absences", {
		OP(CREATE, DONE, 1, 2, V(1, 10)),
		LOST(DELETE, 3),
		OP(READ, ABSENT, 4, 5),
		OP(CREATE, DONE, 6, 7, V(2, 12)),
		OP(READ, ABSENT, 8, 9),
	} },
};

START_TEST(wrong_ones)
{
	const struct history *h = &wrong[_i];
	struct wgl_result result;

	ck_assert_msg(wgl_check(h->ops, length(h), &result) == WGL_E_VIOLATION, "accepted: %s", h->name);
	ck_assert_uint_lt(result.stuck, length(h));
}
END_TEST

/* Errors that no container alone would show. */
static const struct history wrong_tags[] = {
	{ "one revision in two containers", {
		OP(CREATE, DONE, 1, 4, V(1, 10), .container = 1),
		OP(CREATE, DONE, 1, 4, V(2, 10), .container = 2),
	} },
	{ "a revision that was only told of, in another container", {
		OP(READ, REFUSED, 1, 4, TOLD(10), MATCH(9), .container = 1),
		OP(READ, DONE, 1, 4, V(2, 10), .container = 2),
	} },
	{ "a tag used again for another value", {
		OP(CREATE, DONE, 1, 2, V(1, 10)),
		LOST(WRITE, 3, .value = 2),
		OP(READ, DONE, 4, 5, V(2, 10)),
	} },
	{ "a tag used again for other bytes", {
		OP(CREATE, DONE, 1, 2, V(1, 10), .digest = 77),
		OP(READ, DONE, 3, 4, V(1, 10), .digest = 78),
	} },
	{ "revisions against time", {
		OP(CREATE, DONE, 1, 2, V(1, 10), .container = 1),
		OP(CREATE, DONE, 3, 4, V(2, 9), .container = 2),
	} },
	{ "the revision of a deletion, which a list told of, used again", {
		OP(CREATE, DONE, 1, 2, V(1, 10), .container = 1),
		OP(DELETE, DONE, 3, 4, .container = 1),
		OP(READ, DONE, 5, 6, TOLD(11), .container = TAGS_STORE),
		OP(CREATE, DONE, 7, 8, V(2, 11), .container = 2),
	} },
	{ "a list of a store that lags behind", {
		OP(CREATE, DONE, 1, 2, V(1, 10), .container = 1),
		OP(READ, DONE, 3, 4, TOLD(9), .container = TAGS_STORE),
	} },
};

static const struct history right_tags = { "lists between changes", {
	OP(CREATE, DONE, 1, 2, V(1, 10), .container = 1),
	OP(READ, DONE, 3, 4, TOLD(10), .container = TAGS_STORE),
	OP(READ, DONE, 3, 6, TOLD(11), .container = TAGS_STORE),
	OP(WRITE, DONE, 5, 7, V(2, 12), .container = 1),
	OP(CREATE, DONE, 5, 7, V(3, 11), .container = 2),
} };

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
		.seed = seed, .operations = 20 + seed % 200, .clients = 1 + seed % 8, .lost_percent = (unsigned)(seed % 4) * 3,
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

/* The cost is counted, not timed: hardly more steps than operations. */
START_TEST(cost)
{
	struct simulation s = { .seed = 5, .operations = 100 * 1000, .clients = 8, .lost_percent = 0 };
	struct wgl_result result;
	size_t n;
	struct wgl_op *ops = simulate(&s, &n);

	ck_assert_int_eq(wgl_check(ops, n, &result), WGL_LINEARIZABLE);
	ck_assert_uint_lt(result.steps, 20 * n);
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
	tcase_add_test(c, cost);
	tcase_add_test(c, shown);
	suite_add_tcase(s, c);
	runner = srunner_create(s);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed > 0;
}
