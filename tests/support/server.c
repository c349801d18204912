#include "support/server.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "support/suite.h"
#include "support/text.h"

enum { SAID_CAP = 1 << 18, ARGUMENTS_MAX = 64 };

/* What a server has said.  Shared with the process that reads it off the pipe: a thread would do as well, but the
 * runner forks for every test, and a process with one thread forks more safely. */
struct said {
	pthread_mutex_t lock;
	pthread_cond_t more;
	/* under lock: */
	size_t len;
	bool ended; /* standard error is closed: the process is gone */
	char bytes[SAID_CAP + 1];
};

struct server {
	char *root;
	pid_t pid, drainer; /* 0 when it does not run */
	struct said *said;
	const char *start; /* what it said until it was ready */
};

static struct said *said_new(void)
{
	struct said *s = mmap(NULL, sizeof *s, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pthread_mutexattr_t mutex;
	pthread_condattr_t cond;

	if (s == MAP_FAILED || pthread_mutexattr_init(&mutex) != 0 || pthread_condattr_init(&cond) != 0 ||
	    pthread_mutexattr_setpshared(&mutex, PTHREAD_PROCESS_SHARED) != 0 ||
	    pthread_condattr_setpshared(&cond, PTHREAD_PROCESS_SHARED) != 0 ||
	    pthread_mutex_init(&s->lock, &mutex) != 0 || pthread_cond_init(&s->more, &cond) != 0)
		abort();
	return s;
}

/* The pipe is read to its end whatever happens: a server must never wait for us to read its log. */
__attribute__((noreturn)) static void drain(struct said *s, int fd)
{
	char piece[4096];
	ssize_t n;

	while ((n = read(fd, piece, sizeof piece)) != 0) {
		size_t fits;

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			break;
		suite_log(piece, (size_t)n);
		(void)pthread_mutex_lock(&s->lock);
		fits = SAID_CAP - s->len < (size_t)n ? SAID_CAP - s->len : (size_t)n;
		memcpy(s->bytes + s->len, piece, fits);
		s->len += fits;
		s->bytes[s->len] = '\0';
		(void)pthread_cond_broadcast(&s->more);
		(void)pthread_mutex_unlock(&s->lock);
	}
	(void)pthread_mutex_lock(&s->lock);
	s->ended = true;
	(void)pthread_cond_broadcast(&s->more);
	(void)pthread_mutex_unlock(&s->lock);
	_exit(0);
}

/* Wait until <words> were said (NULL: until the end).  False when the time is up or the end came first. */
static bool wait_for(struct said *s, const char *words)
{
	struct timespec limit;
	bool found;

	(void)clock_gettime(CLOCK_REALTIME, &limit);
	limit.tv_sec += SUITE_WAIT_SECONDS;
	(void)pthread_mutex_lock(&s->lock);
	while (!(found = words ? strstr(s->bytes, words) != NULL : s->ended) && !s->ended)
		if (pthread_cond_timedwait(&s->more, &s->lock, &limit) != 0)
			break;
	(void)pthread_mutex_unlock(&s->lock);
	return found;
}

bool server_says(struct server *s, const char *words)
{
	return wait_for(s->said, words);
}

const char *server_said(const struct server *s)
{
	char *copy;

	(void)pthread_mutex_lock(&s->said->lock);
	copy = text_copy(s->said->bytes, s->said->len);
	(void)pthread_mutex_unlock(&s->said->lock);
	return copy;
}

/* In the child between fork and exec: calls that are safe there, and nothing else. */
__attribute__((noreturn)) static void become(char *const *argv, char *const *envp, int out, int err)
{
	int null = open("/dev/null", O_RDWR);
	sigset_t none;

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	(void)signal(SIGPIPE, SIG_DFL);
	(void)dup2(null, STDIN_FILENO);
	(void)dup2(out >= 0 ? out : null, STDOUT_FILENO);
	(void)dup2(err, STDERR_FILENO);
	execve(argv[0], argv, envp);
	_exit(127);
}

extern char **environ;

static pid_t spawn(const char *const *arguments, const char *const *more_environment, int out, int err)
{
	char *argv[ARGUMENTS_MAX + 2], *envp[512];
	size_t n = 0, e = 0;
	pid_t pid;

	argv[n++] = text("%s", getenv("TALLYD"));
	for (; arguments && *arguments && n < ARGUMENTS_MAX; arguments++)
		argv[n++] = text("%s", *arguments);
	argv[n] = NULL;
	for (; more_environment && *more_environment && e < 64; more_environment++)
		envp[e++] = text("%s", *more_environment);
	for (char **p = environ; *p && e < COUNT(envp) - 1; p++)
		envp[e++] = *p;
	envp[e] = NULL;
	pid = fork();
	ck_assert_msg(pid >= 0, "fork: %s", strerror(errno));
	if (pid == 0)
		become(argv, envp, out, err);
	return pid;
}

static void launch(struct server *s, const char *const *options)
{
	const char *arguments[ARGUMENTS_MAX] = { "--root", s->root, "--listen", "127.0.0.1:0" };
	size_t n = 4;
	int ends[2];

	for (; options && *options; options++) {
		ck_assert_msg(n < ARGUMENTS_MAX - 1, "too many options");
		arguments[n++] = *options;
	}
	ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
	s->said->len = 0;
	s->said->bytes[0] = '\0';
	s->said->ended = false;
	s->pid = spawn(arguments, NULL, -1, ends[1]);
	(void)close(ends[1]);
	s->drainer = fork();
	ck_assert_msg(s->drainer >= 0, "fork: %s", strerror(errno));
	if (s->drainer == 0)
		drain(s->said, ends[0]);
	(void)close(ends[0]);
	if (!server_says(s, "msg=ready"))
		ck_abort_msg("the server did not become ready; it said:\n%s", server_said(s));
	s->start = server_said(s);
}

struct server *server_start_at(const char *root, const char *const *options)
{
	struct server *s = calloc(1, sizeof *s);

	ck_assert_ptr_nonnull(s);
	s->root = text("%s", root);
	s->said = said_new();
	launch(s, options);
	return s;
}

struct server *server_start(const char *const *options)
{
	return server_start_at(suite_directory(), options);
}

void server_restart(struct server *s, const char *const *options)
{
	ck_assert_int_eq(s->pid, 0);
	launch(s, options);
}

void server_signal(struct server *s, int signal)
{
	ck_assert_int_gt(s->pid, 0);
	ck_assert_int_eq(kill(s->pid, signal), 0);
}

/* Wait for the end, at most until the time is up: then it is killed, and *ret_hung says so.  Its wait status. */
static int reap(struct server *s, bool *ret_hung)
{
	int status = 0;

	*ret_hung = !wait_for(s->said, NULL);
	if (*ret_hung)
		(void)kill(s->pid, SIGKILL);
	(void)waitpid(s->pid, &status, 0);
	(void)waitpid(s->drainer, NULL, 0);
	s->pid = s->drainer = 0;
	return status;
}

int server_wait(struct server *s)
{
	bool hung;
	int status = reap(s, &hung);

	if (hung)
		ck_abort_msg("the server did not end in time; it said:\n%s", server_said(s));
	return status;
}

const char *server_finish(struct server *s)
{
	bool hung, killed;
	int status;

	(void)kill(s->pid, SIGTERM);
	status = reap(s, &hung);
	killed = WIFSIGNALED(status);
	if (!hung && WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return NULL;
	return text("at SIGTERM the server %s %s %d; it said:\n%s", hung ? "hung and was ended with" : "ended with",
		    killed ? "signal" : "exit code", killed ? WTERMSIG(status) : WEXITSTATUS(status), server_said(s));
}

void server_stop(struct server *s)
{
	const char *why;

	ck_assert_int_gt(s->pid, 0);
	why = server_finish(s);
	if (why)
		ck_abort_msg("%s", why);
}

void server_kill(struct server *s)
{
	server_signal(s, SIGKILL);
	(void)server_wait(s);
}

void server_end(struct server *s)
{
	if (!s)
		return;
	if (s->pid > 0)
		server_stop(s);
	suite_remove(s->root);
	(void)munmap(s->said, sizeof *s->said);
	free(s);
}

const char *server_root(const struct server *s)
{
	return s->root;
}

pid_t server_pid(const struct server *s)
{
	return s->pid;
}

const char *server_address(const struct server *s, size_t n)
{
	static const char mark[] = "msg=listening";
	const char *line = s->start;

	for (size_t i = 0; (line = strstr(line, mark)); line += sizeof mark - 1) {
		const char *at = strstr(line, "address=");

		if (!at || i++ < n)
			continue;
		at += strlen("address=");
		at += *at == '"';
		return text_copy(at, strcspn(at, "\" \n"));
	}
	return NULL;
}

/* Read both pipes until they close or the time is up. */
static bool collect(int out, int err, struct server_run *run)
{
	struct pollfd ends[] = { { .fd = out, .events = POLLIN }, { .fd = err, .events = POLLIN } };
	char **texts[] = { &run->out, &run->err };
	double limit = suite_now() + SUITE_WAIT_SECONDS;

	while (ends[0].fd >= 0 || ends[1].fd >= 0) {
		if (suite_now() > limit || poll(ends, 2, 1000) < 0)
			return false;
		for (size_t i = 0; i < 2; i++) {
			char piece[4096];
			ssize_t n;

			if (ends[i].fd < 0 || !ends[i].revents)
				continue;
			n = read(ends[i].fd, piece, sizeof piece);
			if (n <= 0)
				ends[i].fd = -1;
			else
				*texts[i] = text("%s%.*s", *texts[i], (int)n, piece);
		}
	}
	return true;
}

struct server_run server_run(const char *const *arguments, const char *const *environment)
{
	struct server_run run = { .code = -1, .out = text("%s", ""), .err = text("%s", "") };
	int out[2], err[2], status = 0;
	pid_t pid;

	ck_assert_int_eq(pipe2(out, O_CLOEXEC), 0);
	ck_assert_int_eq(pipe2(err, O_CLOEXEC), 0);
	pid = spawn(arguments, environment, out[1], err[1]);
	(void)close(out[1]);
	(void)close(err[1]);
	if (!collect(out[0], err[0], &run))
		(void)kill(pid, SIGKILL);
	(void)waitpid(pid, &status, 0);
	(void)close(out[0]);
	(void)close(err[0]);
	suite_log(run.err, strlen(run.err));
	if (WIFEXITED(status))
		run.code = WEXITSTATUS(status);
	return run;
}
