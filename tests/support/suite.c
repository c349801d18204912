#include "support/suite.h"

#include <curl/curl.h>
#include <ftw.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "support/text.h"

enum { LOG_CAP = 1 << 16 };

/* Shared between the runner and the forked tests, so that it outlives a test that died. */
struct shared_log {
	atomic_bool failed; /* outside of any test */
	atomic_size_t end; /* bytes ever written; the newest LOG_CAP are kept */
	char bytes[LOG_CAP];
};

static struct shared_log *shared_log;

void suite_log(const char *bytes, size_t count)
{
	size_t at;

	if (!shared_log)
		return;
	at = atomic_fetch_add(&shared_log->end, count);
	for (size_t i = 0; i < count; i++)
		shared_log->bytes[(at + i) % LOG_CAP] = bytes[i];
}

static void print_log(void)
{
	size_t end = atomic_load(&shared_log->end), from = end > LOG_CAP ? end - LOG_CAP : 0;

	(void)fprintf(stderr, "--- the newest of what the servers said:\n");
	for (size_t i = from; i < end; i++)
		(void)fputc(shared_log->bytes[i % LOG_CAP], stderr);
	(void)fprintf(stderr, "---\n");
}

char *suite_directory(void)
{
	const char *base = getenv("TMPDIR");
	char *path = text("%s/tallyd-http.XXXXXX", base && *base ? base : "/tmp");

	if (!mkdtemp(path))
		abort();
	return path;
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *where)
{
	(void)st;
	(void)kind;
	(void)where;
	(void)remove(path);
	return 0;
}

void suite_remove(const char *directory)
{
	(void)nftw(directory, remove_one, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
}

void suite_fail(const char *why)
{
	(void)fprintf(stderr, "FAILED outside of any test: %s\n", why);
	atomic_store(&shared_log->failed, true);
}

void suite_skip(const char *what, const char *why)
{
	(void)printf("SKIP %s: %s\n", what, why);
	(void)fflush(stdout);
}

double suite_now(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

void suite_pause_ms(unsigned ms)
{
	struct timespec pause = { .tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000 };

	(void)nanosleep(&pause, NULL);
}

TCase *suite_case(Suite *suite, const char *name, void (*setup)(void), void (*teardown)(void))
{
	TCase *c = tcase_create(name);

	tcase_set_timeout(c, SUITE_SECONDS);
	if (setup || teardown)
		tcase_add_unchecked_fixture(c, setup, teardown);
	suite_add_tcase(suite, c);
	return c;
}

int suite_main(Suite *suite)
{
	SRunner *runner;
	char *directory;
	int failed;

	(void)signal(SIGPIPE, SIG_IGN);
	if (!getenv("TALLYD") || curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
		(void)fprintf(stderr, "TALLYD must name the binary under test\n");
		return 2;
	}
	shared_log = mmap(NULL, sizeof *shared_log, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	directory = suite_directory();
	if (shared_log == MAP_FAILED || setenv("TMPDIR", directory, 1) != 0)
		abort();
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner) + atomic_load(&shared_log->failed);
	srunner_free(runner);
	if (failed > 0)
		print_log();
	suite_remove(directory);
	curl_global_cleanup();
	return failed > 0;
}
