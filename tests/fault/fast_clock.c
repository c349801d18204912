#include "fault/fast_clock.h"

#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>

#include "base/clock.h"

int __real_clock_gettime(clockid_t, struct timespec *);
int __wrap_clock_gettime(clockid_t, struct timespec *);
int __real_pthread_cond_timedwait(pthread_cond_t *, pthread_mutex_t *, const struct timespec *);
int __wrap_pthread_cond_timedwait(pthread_cond_t *, pthread_mutex_t *, const struct timespec *);

static int64_t base;

static int64_t ns_of(const struct timespec *t)
{
	return t->tv_sec * NS_PER_S + t->tv_nsec;
}

static struct timespec timespec_of(int64_t ns)
{
	return (struct timespec){ .tv_sec = ns / NS_PER_S, .tv_nsec = ns % NS_PER_S };
}

void fast_clock_begin(void)
{
	struct timespec now;

	if (__real_clock_gettime(CLOCK_MONOTONIC, &now) < 0)
		abort();
	base = ns_of(&now);
}

int __wrap_clock_gettime(clockid_t which, struct timespec *ret)
{
	int r = __real_clock_gettime(which, ret);

	if (r == 0 && which == CLOCK_MONOTONIC)
		*ret = timespec_of(base + (ns_of(ret) - base) * FAST_CLOCK);
	return r;
}

int __wrap_pthread_cond_timedwait(pthread_cond_t *c, pthread_mutex_t *m, const struct timespec *until)
{
	/* One more, lest rounding wakes somebody a moment too early, and again and again. */
	const struct timespec real = timespec_of(base + (ns_of(until) - base) / FAST_CLOCK + 1);

	return __real_pthread_cond_timedwait(c, m, &real);
}
