#include "base/process.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/fsx.h"

/* The fields of /proc/self/stat behind the command, which may hold anything: they begin after its last bracket. */
static void read_stat(const char *text, struct process_figures *ret)
{
	const char *rest = strrchr(text, ')');
	unsigned long long size = 0;
	long long resident = 0, threads = 0;

	/* Fields 20 (threads), 23 (bytes) and 24 (pages), counted from 1 with the state as field 3. */
	if (rest && sscanf(rest + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %lld %*d %*u %llu %lld",
			   &threads, &size, &resident) == 3) {
		ret->threads = (uint64_t)threads;
		ret->virtual_bytes = size;
		ret->resident_bytes = (uint64_t)resident * (uint64_t)sysconf(_SC_PAGESIZE);
	}
}

static uint64_t count_files(void)
{
	int fd = fsx_open(&files_system, AT_FDCWD, "/proc/self/fd", O_RDONLY | O_DIRECTORY, 0);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	uint64_t n = 0;

	if (!dir) {
		if (fd >= 0)
			(void)close(fd);
		return 0;
	}
	for (struct dirent *e = readdir(dir); e; e = readdir(dir))
		n += e->d_name[0] != '.';
	(void)closedir(dir);
	return n ? n - 1 : 0; /* the directory's own descriptor */
}

void process_figures(struct process_figures *ret)
{
	int fd = fsx_open(&files_system, AT_FDCWD, "/proc/self/stat", O_RDONLY, 0);
	struct rusage usage;
	struct rlimit limit;
	char text[1024];

	*ret = (struct process_figures){ 0 };
	if (fd >= 0) {
		ssize_t n = read(fd, text, sizeof text - 1);

		text[n > 0 ? n : 0] = '\0';
		read_stat(text, ret);
		(void)close(fd);
	}
	if (getrusage(RUSAGE_SELF, &usage) == 0)
		ret->cpu_seconds = (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
				   (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
	if (getrlimit(RLIMIT_NOFILE, &limit) == 0)
		ret->max_files = limit.rlim_cur;
	ret->open_files = count_files();
}
