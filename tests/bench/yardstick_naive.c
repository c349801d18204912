/* The naive durable server: each PATCH writes its container's file anew, in the handler.
 *
 * tmp, write, fsync, rename, fsync of the directory: what a careful programmer does who has one file per container
 * and no journal.  It validates nothing and keeps nothing in memory, which is in its favour. */
#define _GNU_SOURCE
#include "yardstick.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <microhttpd.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { CAP_STATUS = 2048, CAP_MESSAGE = 512 };

struct naive {
	int containers;         /* directory of directories */
	atomic_ullong revision; /* also names the temporary files, so that two updates of one container never share one */
};

/* The same members in the same order as a status checkpoint of the service, so about as many bytes. */
static int write_status(char *ret_text, const char *id, const char *message, unsigned long long revision)
{
	return snprintf(ret_text, CAP_STATUS,
		"{\"Version\":\"v1\",\"Pid\":4711,\"CreatedAt\":1700000000000000001,\"StartedAt\":1700000001000000002,"
		"\"FinishedAt\":0,\"ExitCode\":0,\"Reason\":\"\",\"Message\":\"%.*s\",\"Resources\":null,\"Id\":\"%.*s\","
		"\"Revision\":%llu,\"Created\":1,\"Crc32\":\"00000000\"}\n",
		CAP_MESSAGE, message, ID_LEN, id, revision);
}

static int replace_file(int dir, const char *tmp, const char *bytes, size_t len)
{
	int fd = openat(dir, tmp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	if (fd < 0)
		return -errno;
	if (write(fd, bytes, len) != (ssize_t)len || fsync(fd) < 0)
		die("cannot write: %s", strerror(errno));
	(void)close(fd);
	if (renameat(dir, tmp, dir, "status") < 0 || fsync(dir) < 0)
		return -errno;
	return 0;
}

static int persist(struct naive *naive, const char *id, const char *bytes, size_t len, unsigned long long revision)
{
	char name[ID_LEN + 1], tmp[64];
	int dir, r;

	(void)snprintf(name, sizeof name, "%.*s", ID_LEN, id);
	(void)snprintf(tmp, sizeof tmp, ".status.%llu", revision);
	dir = openat(naive->containers, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0 && errno == ENOENT) { /* the first update of this container */
		(void)mkdirat(naive->containers, name, 0700);
		dir = openat(naive->containers, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	}
	if (dir < 0)
		return -errno;
	r = replace_file(dir, tmp, bytes, len);
	(void)close(dir);
	return r;
}

/* /containers/<id>/status */
static struct MHD_Response *answer(void *closure, const char *url, const char *body, size_t len)
{
	static const char prefix[] = "/containers/";
	struct naive *naive = closure;
	json_t *patch = json_loadb(body, len, JSON_REJECT_DUPLICATES, NULL);
	const char *message = json_string_value(json_object_get(patch, "message"));
	unsigned long long revision = atomic_fetch_add(&naive->revision, 1);
	struct MHD_Response *response = NULL;
	char status[CAP_STATUS];

	if (message && !strncmp(url, prefix, sizeof prefix - 1) && strlen(url) > sizeof prefix + ID_LEN) {
		const char *id = url + sizeof prefix - 1;
		int n = write_status(status, id, message, revision);

		if (persist(naive, id, status, (size_t)n, revision) == 0)
			response = MHD_create_response_from_buffer((size_t)n, status, MHD_RESPMEM_MUST_COPY);
	}
	json_decref(patch);
	return response;
}

static const struct yardstick_handler *make_handler(const char *dir)
{
	struct yardstick_handler *handler = need_memory(1, sizeof *handler);
	struct naive *naive = need_memory(1, sizeof *naive);

	naive->containers = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (naive->containers < 0)
		die("%s: %s", dir, strerror(errno));
	atomic_init(&naive->revision, 1);
	handler->answer = answer;
	handler->closure = naive;
	json_object_seed(0);
	return handler;
}

void yardstick_naive_loops(const struct yardstick_options *options)
{
	yardstick_loops(options->threads, make_handler(options->dir));
}

void yardstick_naive_threads(const struct yardstick_options *options)
{
	yardstick_thread_per_connection(make_handler(options->dir));
}
