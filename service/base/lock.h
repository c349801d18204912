/* lock.h - locks that have a class, a rank and two doors.
 *
 * Ranks are taken upwards only; debug builds (TALLYD_DEBUG) abort at the first lock taken out of order.  No lock is
 * held across I/O, JSON work, a callback, or anything that may wait.  clang checks the annotations; hence explicit
 * unlock, and no early return while a lock is held.  A lock call that fails is a bug in this program: it aborts. */
#ifndef BASE_LOCK_H
#define BASE_LOCK_H

#include <pthread.h>
#include <stdint.h>

#include "base/compiler.h"

enum lock_rank {
	RANK_LIFECYCLE = 10,
	RANK_QUEUE = 30,      /* the committer's queue of waiting changes */
	RANK_STORE = 40,      /* the index */
	RANK_CHECKPOINT = 60, /* the checkpointer's table of dirty containers */
	RANK_JOURNAL = 65,    /* the list of journal segments */
	RANK_WALKS = 70,      /* api: listings that are being paged through */
	RANK_LOG = 90,
};

struct tsa(capability("mutex")) mutex {
	pthread_mutex_t m;
	enum lock_rank rank;
};

struct tsa(capability("rwlock")) rwlock {
	pthread_rwlock_t rw;
	enum lock_rank rank;
};

struct cond {
	pthread_cond_t c;
};

void mutex_init(struct mutex *, enum lock_rank);
void mutex_done(struct mutex *);
void mutex_lock(struct mutex *m) tsa(acquire_capability(*m));
void mutex_unlock(struct mutex *m) tsa(release_capability(*m));

/* Waits against the monotonic clock.  May return early; look at the condition again. */
void cond_init(struct cond *);
void cond_done(struct cond *);
void cond_wait(struct cond *, struct mutex *m) tsa(requires_capability(*m));
void cond_wait_until(struct cond *, struct mutex *m, int64_t mono_ns) tsa(requires_capability(*m));
void cond_wake_one(struct cond *);
void cond_wake_all(struct cond *);

/* Prefers the writer: many readers must not keep the committer out.  A reader therefore never takes it twice. */
void rwlock_init(struct rwlock *, enum lock_rank);
void rwlock_done(struct rwlock *);
void rwlock_read(struct rwlock *l) tsa(acquire_shared_capability(*l));
void rwlock_write(struct rwlock *l) tsa(acquire_capability(*l));
void rwlock_read_unlock(struct rwlock *l) tsa(release_shared_capability(*l));
void rwlock_write_unlock(struct rwlock *l) tsa(release_capability(*l));

/* Start a joinable thread with every signal blocked and a name of at most 15 characters for people and debuggers.
 * 0, or a negative errno. */
must_check int thread_start(pthread_t *ret_thread, const char *name, void *(*run)(void *), void *arg);
void thread_join(pthread_t);

#endif
