#include "fault/scarce.h"

#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

void *__real_malloc(size_t);
void *__real_calloc(size_t, size_t);
void *__real_realloc(void *, size_t);
char *__real_strdup(const char *);
int __real_thread_start(pthread_t *, const char *, void *(*)(void *), void *);
void *__wrap_malloc(size_t);
void *__wrap_calloc(size_t, size_t);
void *__wrap_realloc(void *, size_t);
char *__wrap_strdup(const char *);
__attribute__((format(printf, 2, 3))) int __wrap_asprintf(char **, const char *, ...);
int __wrap_thread_start(pthread_t *, const char *, void *(*)(void *), void *);

struct counts {
	atomic_int seen, nth; /* nth 0: nothing fails */
	atomic_bool for_ever, struck;
};

static struct counts *counts;

void scarce_begin(void)
{
	counts = mmap(NULL, sizeof *counts, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (counts == MAP_FAILED)
		abort();
}

void scarce_arm(int nth, bool for_ever)
{
	atomic_store(&counts->seen, 0);
	atomic_store(&counts->struck, false);
	atomic_store(&counts->for_ever, for_ever);
	atomic_store(&counts->nth, nth);
}

void scarce_disarm(void)
{
	atomic_store(&counts->nth, 0);
}

bool scarce_struck(void)
{
	return atomic_load(&counts->struck);
}

static bool fails(void)
{
	int nth, seen;

	if (!counts)
		return false;
	nth = atomic_load(&counts->nth);
	if (nth == 0)
		return false;
	seen = atomic_fetch_add(&counts->seen, 1) + 1;
	if (seen != nth && !(seen > nth && atomic_load(&counts->for_ever)))
		return false;
	atomic_store(&counts->struck, true);
	errno = ENOMEM;
	return true;
}

void *__wrap_malloc(size_t n)
{
	return fails() ? NULL : __real_malloc(n);
}

void *__wrap_calloc(size_t n, size_t size)
{
	return fails() ? NULL : __real_calloc(n, size);
}

void *__wrap_realloc(void *old, size_t n)
{
	return fails() ? NULL : __real_realloc(old, n);
}

char *__wrap_strdup(const char *text)
{
	return fails() ? NULL : __real_strdup(text);
}

int __wrap_asprintf(char **ret, const char *fmt, ...)
{
	va_list args;
	int n;

	if (fails())
		return -1;
	va_start(args, fmt);
	n = vasprintf(ret, fmt, args);
	va_end(args);
	return n;
}

int __wrap_thread_start(pthread_t *ret, const char *name, void *(*run)(void *), void *arg)
{
	return fails() ? -EAGAIN : __real_thread_start(ret, name, run, arg);
}
