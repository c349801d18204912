/* process.h - what the kernel says of this process (proc(5)); zero where it says nothing. */
#ifndef BASE_PROCESS_H
#define BASE_PROCESS_H

#include <stdint.h>

struct process_figures {
	double cpu_seconds;
	uint64_t resident_bytes, virtual_bytes, open_files, max_files, threads;
};

void process_figures(struct process_figures *ret);

#endif
