#include "support/crowd.h"

#include <check.h>

static void *run_member(void *arg)
{
	struct crowd_member *m = arg;

	m->work(m->arg, m->number);
	return NULL;
}

void crowd_start(struct crowd *c, size_t count, void (*work)(void *arg, size_t number), void *arg)
{
	ck_assert_uint_le(count, CROWD_MAX);
	c->count = count;
	for (size_t i = 0; i < count; i++) {
		struct crowd_member *m = &c->members[i];

		*m = (struct crowd_member){ .number = i, .work = work, .arg = arg };
		ck_assert_int_eq(pthread_create(&m->thread, NULL, run_member, m), 0);
	}
}

void crowd_join(struct crowd *c)
{
	for (size_t i = 0; i < c->count; i++)
		ck_assert_int_eq(pthread_join(c->members[i].thread, NULL), 0);
}
