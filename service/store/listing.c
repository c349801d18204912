/* Lists at one revision. */
#include <errno.h>
#include <string.h>

#include "store/store_internal.h"

enum { AHEAD = 8 };

size_t store_with_prefix(const struct index *by_id, const char *prefix, struct container **ret, size_t max)
{
	struct index_cursor cursor = index_seek(by_id, prefix);
	size_t len = strlen(prefix), n = 0;
	struct container *c;

	while (n < max && (c = index_next(by_id, &cursor)) && (len == 0 || !strncmp(container_id(c), prefix, len)))
		ret[n++] = c;
	/* Snapshots lie anywhere in memory: ask for those ahead while these are counted. */
	for (size_t i = 0; i < n; i++) {
		if (i + AHEAD < n)
			__builtin_prefetch(ret[i + AHEAD], 1);
		(void)container_ref(ret[i]);
	}
	return n;
}

struct listing {
	atomic_uint refs;
	uint64_t revision;
	size_t count;
	struct container *at[]; /* owned references */
};

/* All containers of a prefix; room for them is made outside the lock, and made again should more have come meanwhile. */
static struct listing *collect(struct store *s, const char *prefix)
{
	size_t room = 0, there = 0;
	struct listing *l = NULL;

	do {
		free(l);
		rwlock_read(&s->lock);
		room = index_count(store_see(s)->by_id) + 64;
		rwlock_read_unlock(&s->lock);
		l = malloc(sizeof *l + room * sizeof(l->at[0]));
		if (!l)
			return NULL;
		rwlock_read(&s->lock);
		there = index_count(store_see(s)->by_id);
		if (there <= room) {
			l->revision = store_see(s)->revision;
			l->count = store_with_prefix(store_see(s)->by_id, prefix, l->at, room);
		}
		rwlock_read_unlock(&s->lock);
	} while (there > room);
	atomic_init(&l->refs, 1);
	return l;
}

static void keep_matching(struct listing *l, const struct filter *f)
{
	size_t kept = 0;

	for (size_t i = 0; i < l->count; i++) {
		if (filter_matches(f, l->at[i]))
			l->at[kept++] = l->at[i];
		else
			container_unref(l->at[i]);
	}
	l->count = kept;
}

int store_list(struct store *s, struct filter *f, struct listing **ret)
{
	struct listing *l = collect(s, filter_id_prefix(f)), *smaller;

	if (!l)
		return -ENOMEM;
	keep_matching(l, f);
	if (!filter_order_is_by_id(f))
		qsort_r(l->at, l->count, sizeof(l->at[0]), filter_compare, f);
	smaller = realloc(l, sizeof *l + l->count * sizeof(l->at[0]));
	*ret = smaller ? smaller : l;
	return 0;
}

struct listing *listing_ref(struct listing *l)
{
	atomic_fetch_add_explicit(&l->refs, 1, memory_order_relaxed);
	return l;
}

void listing_unref(struct listing *l)
{
	if (!l || atomic_fetch_sub_explicit(&l->refs, 1, memory_order_acq_rel) != 1)
		return;
	for (size_t i = 0; i < l->count; i++) {
		if (i + AHEAD < l->count)
			__builtin_prefetch(l->at[i + AHEAD], 1);
		container_unref(l->at[i]);
	}
	free(l);
}

size_t listing_count(const struct listing *l)
{
	return l->count;
}

uint64_t listing_revision(const struct listing *l)
{
	return l->revision;
}

struct container *listing_at(const struct listing *l, size_t i)
{
	return l->at[i];
}
