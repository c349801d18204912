#include "fault/cases.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "unit/unit.h"

enum { JOBS = 2, JOBS_MAX = 16, SERIES_MAX = 512, MISSES = 3, TOLD_MAX = 60, FAILED_MAX = 20 };

/* Common to all processes. */
struct board {
	atomic_size_t next;
	atomic_ulong passed, failed;
	struct case_note note[JOBS_MAX];
	atomic_uint longest[SERIES_MAX]; /* the last n that was met */
};

static struct board *board;

/* ---- one case ---- */

static bool end_well(pid_t child, struct case_note *note)
{
	int status = 0;

	while (waitpid(child, &status, 0) < 0)
		if (errno != EINTR)
			abort();
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0 && !note->wrong[0])
		return true;
	if (!note->wrong[0])
		(void)snprintf(note->wrong, sizeof note->wrong, WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM ? "it hangs" :
			       "the process ended with status 0x%x; standard error says why", (unsigned)status);
	return false;
}

static bool run_one(const struct cases *c, size_t job, size_t series, int n)
{
	struct case_note *note = &board->note[job];
	char room[80];
	pid_t child;

	*note = (struct case_note){ 0 };
	child = fork();
	if (child < 0) {
		(void)snprintf(note->wrong, sizeof note->wrong, "no process: %s", strerror(errno));
	} else if (child == 0) {
		(void)alarm((unsigned)c->seconds);
		c->run(series, n, note);
		exit(note->wrong[0] ? 1 : 0); /* by the front door: leaks are looked for there */
	} else if (end_well(child, note)) {
		if (note->struck)
			atomic_fetch_add(&board->passed, note->faults ? note->faults : 1);
		return note->struck;
	}
	if (atomic_fetch_add(&board->failed, 1) < TOLD_MAX)
		(void)printf("FAILED %s %d: %s\n", c->name(series, room), n, note->wrong);
	(void)fflush(stdout);
	return true;
}

/* ---- all of them ---- */

static void run_series(const struct cases *c, size_t job, size_t series)
{
	unsigned long failed = atomic_load(&board->failed);

	/* Threads make the number of calls differ by a few from run to run: some misses in a row are the end. */
	for (int n = 1, misses = 0; misses < MISSES && atomic_load(&board->failed) < failed + FAILED_MAX; n++) {
		if (run_one(c, job, series, n)) {
			misses = 0;
			atomic_store(&board->longest[series], (unsigned)n);
		} else {
			misses++;
		}
	}
}

static void work(const struct cases *c, size_t job, const char *part)
{
	char room[80];
	size_t series;

	while ((series = atomic_fetch_add(&board->next, 1)) < c->series_count)
		if (strstr(c->name(series, room), part))
			run_series(c, job, series);
	_exit(0);
}

static void run_all(const struct cases *c, const char *part)
{
	const char *text = getenv("CASES_JOBS");
	size_t jobs = text ? strtoul(text, NULL, 10) : JOBS;
	pid_t workers[JOBS_MAX];

	jobs = jobs < 1 ? 1 : jobs > JOBS_MAX ? JOBS_MAX : jobs;
	for (size_t i = 0; i < jobs; i++) {
		workers[i] = fork();
		if (workers[i] == 0)
			work(c, i, part);
	}
	for (size_t i = 0; i < jobs; i++)
		if (workers[i] < 0 || waitpid(workers[i], NULL, 0) < 0)
			atomic_fetch_add(&board->failed, 1);
}

static void run_nth(const struct cases *c, const char *name, const char *n)
{
	char room[80];

	for (size_t i = 0; i < c->series_count; i++)
		if (!strcmp(c->name(i, room), name))
			(void)run_one(c, 0, i, (int)strtol(n, NULL, 10));
}

char *case_directory(void)
{
	char *path = NULL;

	if (asprintf(&path, "%s/tallyd-fault.XXXXXX", getenv("TMPDIR")) < 0 || !mkdtemp(path))
		abort();
	return path;
}

/* All temporary directories of all cases lie in one that goes at the end: a case that fails leaves its own. */
static char *begin_directory(void)
{
	char *directory;

	if (!getenv("TMPDIR"))
		(void)setenv("TMPDIR", access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp", 1);
	directory = case_directory();
	if (setenv("TMPDIR", directory, 1) < 0)
		abort();
	return directory;
}

int cases_main(const struct cases *c, int argc, char **argv)
{
	char *directory = begin_directory();
	char room[80];

	board = mmap(NULL, sizeof *board, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (board == MAP_FAILED || c->series_count > SERIES_MAX)
		abort();
	if (argc > 2)
		run_nth(c, argv[1], argv[2]);
	else
		run_all(c, argc > 1 ? argv[1] : "");
	for (size_t i = 0; i < c->series_count && getenv("CASES_VERBOSE"); i++)
		(void)printf("%-32s n <= %u\n", c->name(i, room), atomic_load(&board->longest[i]));
	unit_remove(directory);
	free(directory);
	(void)printf("%lu passed, %lu failed\n", atomic_load(&board->passed), atomic_load(&board->failed));
	return atomic_load(&board->failed) > 0 || atomic_load(&board->passed) == 0;
}
