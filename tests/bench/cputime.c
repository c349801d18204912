/* CPU time of cputime.h. */
#define _GNU_SOURCE
#include "cputime.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* 0 for a thread that ended between readdir and open. */
static uint64_t thread_ns(int tasks, const char *name)
{
	char path[64], text[128];
	ssize_t n;
	int fd;

	if (snprintf(path, sizeof path, "%.32s/schedstat", name) >= (int)sizeof path)
		return 0;
	fd = openat(tasks, path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	n = read(fd, text, sizeof text - 1);
	(void)close(fd);
	if (n <= 0)
		return 0;
	text[n] = '\0';
	return strtoull(text, NULL, 10);
}

static uint64_t process_ns(pid_t pid)
{
	char path[64];
	struct dirent *entry;
	uint64_t sum = 0;
	DIR *tasks;

	(void)snprintf(path, sizeof path, "/proc/%d/task", (int)pid);
	tasks = opendir(path);
	if (!tasks)
		die("process %d is gone", (int)pid);
	while ((entry = readdir(tasks)))
		if (entry->d_name[0] != '.')
			sum += thread_ns(dirfd(tasks), entry->d_name);
	(void)closedir(tasks);
	return sum;
}

uint64_t cputime_ns(const pid_t *pids, size_t count)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < count; i++)
		sum += process_ns(pids[i]);
	return sum;
}
