#include "base/lock.h"

#include <errno.h>
#include <signal.h>
#include <time.h>

#include "base/clock.h"

static void lock_ok(int rc)
{
	if (rc)
		abort();
}

#ifdef TALLYD_DEBUG
/* The ranks this thread holds, in the order taken. */
static _Thread_local enum lock_rank held[8];
static _Thread_local unsigned held_count;

static void rank_taken(enum lock_rank rank)
{
	if (held_count == COUNT(held) || (held_count > 0 && held[held_count - 1] >= rank))
		abort();
	held[held_count++] = rank;
}

static void rank_given_back(enum lock_rank rank)
{
	if (held_count == 0 || held[held_count - 1] != rank)
		abort();
	held_count--;
}
#else
static void rank_taken(enum lock_rank rank)
{
	(void)rank;
}

static void rank_given_back(enum lock_rank rank)
{
	(void)rank;
}
#endif

void mutex_init(struct mutex *m, enum lock_rank rank)
{
	lock_ok(pthread_mutex_init(&m->m, NULL));
	m->rank = rank;
}

void mutex_done(struct mutex *m)
{
	lock_ok(pthread_mutex_destroy(&m->m));
}

void mutex_lock(struct mutex *m) tsa(no_thread_safety_analysis)
{
	rank_taken(m->rank);
	lock_ok(pthread_mutex_lock(&m->m));
}

void mutex_unlock(struct mutex *m) tsa(no_thread_safety_analysis)
{
	rank_given_back(m->rank); /* before: once it is unlocked its owner may be gone */
	lock_ok(pthread_mutex_unlock(&m->m));
}

void cond_init(struct cond *c)
{
	pthread_condattr_t attr;

	lock_ok(pthread_condattr_init(&attr));
	lock_ok(pthread_condattr_setclock(&attr, CLOCK_MONOTONIC));
	lock_ok(pthread_cond_init(&c->c, &attr));
	lock_ok(pthread_condattr_destroy(&attr));
}

void cond_done(struct cond *c)
{
	lock_ok(pthread_cond_destroy(&c->c));
}

void cond_wait(struct cond *c, struct mutex *m)
{
	lock_ok(pthread_cond_wait(&c->c, &m->m));
}

void cond_wait_until(struct cond *c, struct mutex *m, int64_t mono_ns)
{
	struct timespec until = { .tv_sec = mono_ns / NS_PER_S, .tv_nsec = mono_ns % NS_PER_S };
	int r;

	if (mono_ns == INT64_MAX) {
		cond_wait(c, m);
		return;
	}
	r = pthread_cond_timedwait(&c->c, &m->m, &until);
	lock_ok(r == ETIMEDOUT ? 0 : r);
}

void cond_wake_one(struct cond *c)
{
	lock_ok(pthread_cond_signal(&c->c));
}

void cond_wake_all(struct cond *c)
{
	lock_ok(pthread_cond_broadcast(&c->c));
}

void rwlock_init(struct rwlock *l, enum lock_rank rank)
{
	pthread_rwlockattr_t attr;

	lock_ok(pthread_rwlockattr_init(&attr));
	lock_ok(pthread_rwlockattr_setkind_np(&attr, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP));
	lock_ok(pthread_rwlock_init(&l->rw, &attr));
	lock_ok(pthread_rwlockattr_destroy(&attr));
	l->rank = rank;
}

void rwlock_done(struct rwlock *l)
{
	lock_ok(pthread_rwlock_destroy(&l->rw));
}

void rwlock_read(struct rwlock *l) tsa(no_thread_safety_analysis)
{
	rank_taken(l->rank);
	lock_ok(pthread_rwlock_rdlock(&l->rw));
}

void rwlock_write(struct rwlock *l) tsa(no_thread_safety_analysis)
{
	rank_taken(l->rank);
	lock_ok(pthread_rwlock_wrlock(&l->rw));
}

void rwlock_read_unlock(struct rwlock *l) tsa(no_thread_safety_analysis)
{
	rank_given_back(l->rank);
	lock_ok(pthread_rwlock_unlock(&l->rw));
}

void rwlock_write_unlock(struct rwlock *l) tsa(no_thread_safety_analysis)
{
	rank_given_back(l->rank);
	lock_ok(pthread_rwlock_unlock(&l->rw));
}

int thread_start(pthread_t *ret_thread, const char *name, void *(*run)(void *), void *arg)
{
	sigset_t all, before;
	int r;

	/* Signals belong to the one thread that waits for them: a new thread inherits this mask. */
	(void)sigfillset(&all);
	lock_ok(pthread_sigmask(SIG_SETMASK, &all, &before));
	r = pthread_create(ret_thread, NULL, run, arg);
	lock_ok(pthread_sigmask(SIG_SETMASK, &before, NULL));
	if (r == 0)
		(void)pthread_setname_np(*ret_thread, name); /* for people only */
	return -r;
}

void thread_join(pthread_t thread)
{
	lock_ok(pthread_join(thread, NULL));
}
