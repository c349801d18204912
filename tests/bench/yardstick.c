/* yardstick - servers and loops to hold the service against.  One program, a mode for each. */
#define _GNU_SOURCE
#include "yardstick.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

static const struct mode {
	const char *name;
	void (*run)(const struct yardstick_options *);
	const char *help;
} modes[] = {
	{ "raw", yardstick_raw, "bare epoll, one ready reply (--size or --body, --threads)" },
	{ "naive-loops", yardstick_naive_loops, "PATCH = tmp, fsync, rename, directory fsync in the loop (--dir, --threads)" },
	{ "naive-threads", yardstick_naive_threads, "the same with a thread per connection (--dir)" },
	{ "encode", yardstick_encode, "a list encoded for each request (--containers, --document, --kept-tree)" },
	{ "fdatasync", yardstick_fdatasync, "no HTTP: pwrite and fdatasync (--dir, --size, --duration-ms)" },
};

static const struct option option_table[] = {
	{ "threads", required_argument, NULL, 't' },    { "size", required_argument, NULL, 's' },
	{ "body", required_argument, NULL, 'b' },       { "dir", required_argument, NULL, 'd' },
	{ "containers", required_argument, NULL, 'c' }, { "document", required_argument, NULL, 'D' },
	{ "duration-ms", required_argument, NULL, 'm' }, { "kept-tree", no_argument, NULL, 'k' },
	{ NULL, 0, NULL, 0 },
};

int yardstick_listen(void)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof address;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0 || bind(fd, (struct sockaddr *)&address, len) < 0 || listen(fd, 4096) < 0 ||
		getsockname(fd, (struct sockaddr *)&address, &len) < 0)
		die("cannot listen: %s", strerror(errno));
	(void)printf("listening %u\n", ntohs(address.sin_port));
	(void)fflush(stdout);
	return fd;
}

void yardstick_serve_until_told(void)
{
	sigset_t set;
	int signal_number;

	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGTERM);
	(void)sigaddset(&set, SIGINT);
	(void)sigwait(&set, &signal_number);
	_exit(0); /* threads are in the middle of work: no handler of theirs may run */
}

void yardstick_threads(unsigned count, void *(*run)(void *), void *argument)
{
	for (unsigned i = 0; i < count; i++) {
		pthread_t thread;

		if (pthread_create(&thread, NULL, run, argument))
			die("cannot start a thread");
		(void)pthread_detach(thread);
	}
}

static void take_option(int letter, const char *text, struct yardstick_options *options)
{
	switch (letter) {
	case 't': options->threads = (unsigned)need_number("--threads", text, 1, 1024); break;
	case 's': options->size = need_number("--size", text, 1, 1 << 26); break;
	case 'b': options->body = text; break;
	case 'd': options->dir = text; break;
	case 'c': options->containers = need_number("--containers", text, 1, 10000000); break;
	case 'D': options->document = need_number("--document", text, 1, 65536); break;
	case 'm': options->seconds_ms = need_number("--duration-ms", text, 1, 600000); break;
	case 'k': options->kept_tree = true; break;
	default: exit(2);
	}
}

static _Noreturn void explain(void)
{
	for (size_t i = 0; i < COUNT(modes); i++)
		(void)fprintf(stderr, "yardstick %-14s %s\n", modes[i].name, modes[i].help);
	exit(2);
}

/* Blocked in every thread, so that the one that waits for them gets them. */
static void prepare_signals(void)
{
	sigset_t set;

	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGTERM);
	(void)sigaddset(&set, SIGINT);
	(void)pthread_sigmask(SIG_BLOCK, &set, NULL);
	(void)signal(SIGPIPE, SIG_IGN);
	(void)prctl(PR_SET_PDEATHSIG, SIGTERM); /* no server outlives the script that started it */
}

int main(int argc, char **argv)
{
	struct yardstick_options options = {
		.threads = 1, .size = 600, .dir = ".", .containers = 10000, .document = 600, .seconds_ms = 1000,
	};
	int letter;

	while ((letter = getopt_long(argc, argv, "", option_table, NULL)) >= 0)
		take_option(letter, optarg, &options);
	if (optind != argc - 1)
		explain();
	prepare_signals();
	for (size_t i = 0; i < COUNT(modes); i++) {
		if (!strcmp(modes[i].name, argv[optind])) {
			modes[i].run(&options);
			return 0;
		}
	}
	explain();
}
