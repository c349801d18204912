/* The sorted index against a plain sorted array: random changes, and after each the same answers. */
#include <stdio.h>
#include <string.h>

#include "store/index.h"
#include "unit.h"

enum { ITEMS = 600, STEPS = 20000 };

struct item {
	char key[24], tie[8];
	bool in;
};

static struct item items[ITEMS];

static const char *key_of(const void *item)
{
	return ((const struct item *)item)->key;
}

static const char *tie_of(const void *item)
{
	return ((const struct item *)item)->tie;
}

/* A small generator of our own, so that a failure can be had again. */
static uint32_t random_state = 12345;

static uint32_t any(uint32_t below)
{
	random_state = random_state * 1664525u + 1013904223u;
	return (random_state >> 8) % below;
}

/* Keys of all lengths around the eight bytes that an entry keeps by itself; some are the beginning of others. */
static void make_items(bool ties)
{
	static const char *const stems[] = { "", "a", "abcdefg", "abcdefgh", "abcdefghi", "b", "\xc3\xa4", "zzzzzzzzzzzz" };

	for (uint32_t i = 0; i < ITEMS; i++) {
		(void)snprintf(items[i].key, sizeof items[i].key, "%s%u", stems[any(COUNT(stems))], ties ? i / 3 : i);
		(void)snprintf(items[i].tie, sizeof items[i].tie, "%u", i);
		items[i].in = false;
	}
	for (uint32_t i = 0; ties && i < ITEMS; i += 3) {
		(void)memcpy(items[i + 1].key, items[i].key, sizeof items[i].key);
		(void)memcpy(items[i + 2].key, items[i].key, sizeof items[i].key);
	}
}

static int compare_items(const void *a, const void *b)
{
	const struct item *x = *(struct item *const *)a, *y = *(struct item *const *)b;
	int order = strcmp(x->key, y->key);

	return order ? order : strcmp(x->tie, y->tie);
}

/* Those that are in, in their order. */
static size_t model(struct item *sorted[ITEMS])
{
	size_t n = 0;

	for (size_t i = 0; i < ITEMS; i++)
		if (items[i].in)
			sorted[n++] = &items[i];
	qsort(sorted, n, sizeof sorted[0], compare_items);
	return n;
}

static void check_walks(const struct index *x, bool ties)
{
	struct item *sorted[ITEMS];
	size_t n = model(sorted), first = 0;
	const char *from = items[any(ITEMS)].key;
	struct index_cursor c = index_seek(x, "");

	ck_assert_uint_eq(index_count(x), n);
	for (size_t i = 0; i < n; i++)
		ck_assert_ptr_eq(index_next(x, &c), sorted[i]);
	ck_assert_ptr_null(index_next(x, &c));
	ck_assert_ptr_null(index_next(x, &c));
	while (first < n && strcmp(sorted[first]->key, from) < 0)
		first++;
	c = index_seek(x, from);
	ck_assert_ptr_eq(index_next(x, &c), first < n ? sorted[first] : NULL);
	for (size_t i = 0; i < ITEMS; i++)
		ck_assert_ptr_eq(index_get(x, items[i].key, ties ? items[i].tie : NULL), items[i].in ? &items[i] : NULL);
}

/* Mostly in while <growing>, mostly out else: chunks are split, and emptied. */
static void step(struct index *x, bool ties, bool growing)
{
	struct item *item = &items[any(ITEMS)];
	bool put = any(10) < (growing ? 8u : 2u);

	if (put) {
		ck_assert_int_eq(index_reserve(x, 1), 0);
		ck_assert_ptr_eq(index_put(x, item), item->in ? item : NULL);
	} else {
		ck_assert_ptr_eq(index_take(x, item->key, ties ? item->tie : NULL), item->in ? item : NULL);
	}
	item->in = put;
}

START_TEST(as_a_sorted_array)
{
	bool ties = _i;
	struct index *x = index_new(key_of, ties ? tie_of : NULL);

	ck_assert_ptr_nonnull(x);
	make_items(ties);
	check_walks(x, ties);
	for (int i = 0; i < STEPS; i++) {
		step(x, ties, i / 4000 % 2 == 0);
		if (i % 37 == 0)
			check_walks(x, ties);
	}
	check_walks(x, ties);
	index_free(x);
}
END_TEST

/* Many reserved at once, in rising, falling and scattered order. */
START_TEST(many)
{
	enum { MANY = 20000 };
	static struct item box[MANY];
	struct index *x = index_new(key_of, NULL);
	struct index_cursor c;
	char before[24] = "";
	struct item *item;

	ck_assert_ptr_nonnull(x);
	ck_assert_int_eq(index_reserve(x, MANY), 0);
	for (uint32_t i = 0; i < MANY; i++) {
		uint32_t n = _i == 0 ? i : _i == 1 ? MANY - 1 - i : (uint32_t)((uint64_t)i * 7919 % MANY);

		(void)snprintf(box[i].key, sizeof box[i].key, "id%08u", n);
		ck_assert_ptr_null(index_put(x, &box[i]));
	}
	ck_assert_uint_eq(index_count(x), MANY);
	c = index_seek(x, "");
	while ((item = index_next(x, &c))) {
		ck_assert_int_lt(strcmp(before, item->key), 0);
		(void)memcpy(before, item->key, sizeof before);
	}
	ck_assert_str_eq(before, "id00019999");
	for (uint32_t i = 0; i < MANY; i++)
		ck_assert_ptr_eq(index_take(x, box[i].key, NULL), &box[i]);
	ck_assert_uint_eq(index_count(x), 0);
	index_free(x);
}
END_TEST

/* An equal key replaces the item, and the one that was there comes back. */
START_TEST(replaced)
{
	struct item one = { .key = "a" }, other = { .key = "a" };
	struct index *x = index_new(key_of, NULL);

	ck_assert_ptr_nonnull(x);
	ck_assert_int_eq(index_reserve(x, 2), 0);
	ck_assert_ptr_null(index_put(x, &one));
	ck_assert_ptr_eq(index_put(x, &other), &one);
	ck_assert_ptr_eq(index_get(x, "a", NULL), &other);
	ck_assert_uint_eq(index_count(x), 1);
	index_free(x);
	index_free(NULL);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("index");
	TCase *c = unit_case(s, "index");

	tcase_add_loop_test(c, as_a_sorted_array, 0, 2);
	tcase_add_loop_test(c, many, 0, 3);
	tcase_add_test(c, replaced);
	return unit_main(s);
}
