#include "store/queue.h"

#include <stdatomic.h>

#include "base/lock.h"

struct queue {
	const struct clock *clock;
	int64_t wait_ns;
	struct mutex mutex;
	struct cond wake;
	struct ticket *oldest, **newest_at; /* the link where the next one goes */
	size_t waiting;
	bool closed;
	atomic_ullong refused, withdrawn;
};
/* Under the mutex: waiting is the length of the list; newest_at is its last link, or &oldest when it is empty. */

struct queue *queue_new(const struct clock *clock, int64_t wait_ns)
{
	struct queue *q = calloc(1, sizeof *q);

	if (!q)
		return NULL;
	q->clock = clock;
	q->wait_ns = wait_ns;
	q->newest_at = &q->oldest;
	mutex_init(&q->mutex, RANK_QUEUE);
	cond_init(&q->wake);
	return q;
}

void queue_free(struct queue *q)
{
	if (!q)
		return;
	cond_done(&q->wake);
	mutex_done(&q->mutex);
	free(q);
}

void ticket_finish(struct ticket *t, enum change_end end)
{
	t->verdict.end = end;
	t->done(t);
}

void queue_put(struct queue *q, struct ticket *t)
{
	bool closed, full;

	t->next = NULL;
	t->queued_ns = clock_mono(q->clock);
	mutex_lock(&q->mutex);
	closed = q->closed;
	full = q->waiting == STORE_QUEUE_CAP;
	if (!closed && !full) {
		*q->newest_at = t;
		q->newest_at = &t->next;
		if (q->waiting++ == 0)
			cond_wake_one(&q->wake);
	}
	mutex_unlock(&q->mutex);
	if (closed) {
		ticket_finish(t, CHANGE_E_SHUTTING_DOWN);
	} else if (full) {
		atomic_fetch_add(&q->refused, 1);
		ticket_finish(t, CHANGE_E_OVERLOADED);
	}
}

/* Cut the oldest off the list: what stays can still be withdrawn when the batch takes long. */
static struct ticket *cut_batch(struct queue *q)
{
	struct ticket *list = q->oldest, **end = &list;
	size_t n = 0;

	for (; *end && n < STORE_BATCH_MAX; n++)
		end = &(*end)->next;
	q->oldest = *end;
	*end = NULL;
	q->waiting -= n;
	if (!q->oldest)
		q->newest_at = &q->oldest;
	return list;
}

struct ticket *queue_take(struct queue *q, int64_t until_ns, bool *ret_closed)
{
	struct ticket *list;

	mutex_lock(&q->mutex);
	while (!q->oldest && !q->closed && clock_mono(q->clock) < until_ns)
		cond_wait_until(&q->wake, &q->mutex, until_ns);
	list = cut_batch(q);
	*ret_closed = q->closed && !list;
	mutex_unlock(&q->mutex);
	return list;
}

void queue_give_back(struct queue *q, struct ticket *list)
{
	struct ticket *last = list;
	size_t n = 1;

	if (!list)
		return;
	for (; last->next; last = last->next)
		n++;
	mutex_lock(&q->mutex);
	last->next = q->oldest;
	if (!q->oldest)
		q->newest_at = &last->next;
	q->oldest = list;
	q->waiting += n;
	mutex_unlock(&q->mutex);
}

void queue_withdraw_late(struct queue *q)
{
	int64_t before = clock_mono(q->clock) - q->wait_ns;
	struct ticket *late = NULL, **late_end = &late;

	mutex_lock(&q->mutex);
	while (q->oldest && q->oldest->queued_ns < before) {
		*late_end = q->oldest;
		late_end = &q->oldest->next;
		q->oldest = q->oldest->next;
		q->waiting--;
	}
	*late_end = NULL;
	if (!q->oldest)
		q->newest_at = &q->oldest;
	mutex_unlock(&q->mutex);
	while (late) {
		struct ticket *t = late;

		late = t->next;
		atomic_fetch_add(&q->withdrawn, 1);
		ticket_finish(t, CHANGE_E_OVERLOADED);
	}
}

void queue_close(struct queue *q)
{
	mutex_lock(&q->mutex);
	q->closed = true;
	cond_wake_all(&q->wake);
	mutex_unlock(&q->mutex);
}

void queue_figures(struct queue *q, uint64_t *ret_waiting, uint64_t *ret_refused, uint64_t *ret_withdrawn)
{
	mutex_lock(&q->mutex);
	*ret_waiting = q->waiting;
	mutex_unlock(&q->mutex);
	*ret_refused = atomic_load(&q->refused);
	*ret_withdrawn = atomic_load(&q->withdrawn);
}
