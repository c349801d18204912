/* lives.h - one workload for all single faults: a root from its first start on, over a process that is killed, a
 * recovery, a clean stop and a clean start. */
#ifndef FAULT_LIVES_H
#define FAULT_LIVES_H

#include <stdbool.h>

#include "fault/world.h"

struct lives {
	struct world *world;
	void (*lift)(void);      /* the fault is gone */
	void (*cut_power)(void); /* how the first life ends; NULL: killed, and the machine goes on */
	void (*settle)(void);    /* before descriptors are counted; NULL: nothing to do */
};

/* All of it; returns when nothing was wrong. */
void lives_run(const struct lives *);

#endif
