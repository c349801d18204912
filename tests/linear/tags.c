#include "linear/tags.h"

#include <stdbool.h>
#include <stdlib.h>

/* An operation by the moment of its call or return, for going through time. */
struct moment {
	int64_t at_ns;
	bool is_return;
	const struct wgl_op *op;
};

static bool is_of_store(const struct wgl_op *op)
{
	return op->container == TAGS_STORE;
}

static bool is_change(const struct wgl_op *op)
{
	return op->end == WGL_DONE && (op->kind == WGL_CREATE || op->kind == WGL_WRITE) && op->revision;
}

static int by_revision(const void *a, const void *b)
{
	const struct wgl_op *x = *(const struct wgl_op *const *)a, *y = *(const struct wgl_op *const *)b;

	return x->revision < y->revision ? -1 : x->revision > y->revision;
}

static int by_time(const void *a, const void *b)
{
	const struct moment *x = a, *y = b;

	if (x->at_ns != y->at_ns)
		return x->at_ns < y->at_ns ? -1 : 1;
	return x->is_return - y->is_return; /* calls first: at the same moment they overlap */
}

static size_t contradict(struct tags_fault *f, size_t before, const char *why, const struct wgl_op *a, const struct wgl_op *b)
{
	if (before == 0)
		*f = (struct tags_fault){ why, *a, *b };
	return 1;
}

/* A refusal names the revision that refused it, and the value that was not written. */
static uint64_t value_told(const struct wgl_op *op)
{
	return op->end == WGL_DONE ? op->value : 0;
}

static const char *differ(const struct wgl_op *a, const struct wgl_op *b)
{
	if (a->container != b->container)
		return "two containers under one revision";
	if (value_told(a) && value_told(b) && value_told(a) != value_told(b))
		return "two values under one entity tag";
	if (a->digest && b->digest && a->digest != b->digest)
		return "other bytes under the same entity tag";
	return NULL;
}

/* All that were told one revision are compared with the one that knows most of it. */
static size_t check_owners(const struct wgl_op **told, size_t n, struct tags_fault *f)
{
	size_t faults = 0;

	qsort(told, n, sizeof *told, by_revision);
	for (size_t from = 0, to; from < n; from = to) {
		const struct wgl_op *best = told[from];

		for (to = from; to < n && told[to]->revision == told[from]->revision; to++)
			if ((value_told(told[to]) && !value_told(best)) || (told[to]->digest && !best->digest))
				best = told[to];
		for (size_t i = from; i < to; i++) {
			const char *why = differ(best, told[i]);

			if (why)
				faults += contradict(f, faults, why, best, told[i]);
		}
	}
	return faults;
}

static size_t check_time(struct moment *moments, size_t n, struct tags_fault *f, size_t before)
{
	const struct wgl_op *highest = NULL;
	size_t faults = 0;

	qsort(moments, n, sizeof *moments, by_time);
	for (size_t i = 0; i < n; i++) {
		const struct wgl_op *op = moments[i].op;

		if (moments[i].is_return) {
			if (!highest || op->revision > highest->revision)
				highest = op;
		} else if (highest && op->revision < highest->revision + !is_of_store(op)) {
			faults += contradict(f, before + faults, "a later change under a lower revision", highest, op);
		}
	}
	return faults;
}

size_t tags_check(const struct wgl_op *ops, size_t n, struct tags_fault *ret)
{
	const struct wgl_op **told = calloc(n ? n : 1, sizeof *told);
	struct moment *moments = calloc(2 * n + 1, sizeof *moments);
	size_t told_count = 0, moment_count = 0, faults;

	if (!told || !moments)
		abort();
	for (size_t i = 0; i < n; i++) {
		if (ops[i].revision && ops[i].end != WGL_UNKNOWN && !is_of_store(&ops[i]))
			told[told_count++] = &ops[i];
		if (is_change(&ops[i]) || is_of_store(&ops[i])) {
			moments[moment_count++] = (struct moment){ ops[i].call_ns, false, &ops[i] };
			moments[moment_count++] = (struct moment){ ops[i].return_ns, true, &ops[i] };
		}
	}
	faults = check_owners(told, told_count, ret);
	faults += check_time(moments, moment_count, ret, faults);
	free(moments);
	free(told);
	return faults;
}
