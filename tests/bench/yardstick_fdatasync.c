/* The floor under every durable update: one pwrite and one fdatasync, over and over, without any server.
 *
 * The file was written with zeros and synced before, as a good journal's is: a commit then changes no metadata of the file
 * system. */
#define _GNU_SOURCE
#include "yardstick.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "latency.h"

enum { FILE_BYTES = 16 << 20, STEP = 1 << 20 };

static int zero_written_file(const char *path)
{
	char *zeros = need_memory(1, STEP);
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	if (fd < 0)
		die("%s: %s", path, strerror(errno));
	for (off_t at = 0; at < FILE_BYTES; at += STEP)
		if (pwrite(fd, zeros, STEP, at) != STEP)
			die("%s: cannot be filled", path);
	if (fsync(fd) < 0)
		die("%s: fsync: %s", path, strerror(errno));
	free(zeros);
	return fd;
}

static void commit_loop(int fd, const struct yardstick_options *options, struct latency *latency)
{
	char *block = need_memory(1, options->size);
	uint64_t end = now_ns() + options->seconds_ms * 1000000u;
	off_t at = 0;

	memset(block, 'x', options->size);
	for (uint64_t began = now_ns(); began < end; began = now_ns()) {
		if (pwrite(fd, block, options->size, at) != (ssize_t)options->size || fdatasync(fd) < 0)
			die("cannot commit: %s", strerror(errno));
		latency_add(latency, now_ns() - began);
		at += (off_t)options->size;
		if (at + (off_t)options->size > FILE_BYTES)
			at = 0;
	}
	free(block);
}

void yardstick_fdatasync(const struct yardstick_options *options)
{
	struct latency *latency = need_memory(1, sizeof *latency);
	uint64_t began;
	char path[4096];
	int fd;

	if (snprintf(path, sizeof path, "%s/fdatasync.%d", options->dir, (int)getpid()) >= (int)sizeof path)
		die("--dir is too long");
	fd = zero_written_file(path);
	began = now_ns();
	commit_loop(fd, options, latency);
	(void)printf("{\"requests\":%" PRIu64 ",\"rate\":%.1f,\"p50_us\":%.1f,\"p99_us\":%.1f}\n", latency->count,
		(double)latency->count * 1e9 / (double)(now_ns() - began), latency_us(latency, 500),
		latency_us(latency, 990));
	(void)close(fd);
	(void)unlink(path);
	free(latency);
}
