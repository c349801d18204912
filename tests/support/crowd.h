/* crowd.h - several threads doing one thing, each with its number; all of them are joined before the call returns. */
#ifndef SUPPORT_CROWD_H
#define SUPPORT_CROWD_H

#include <pthread.h>
#include <stddef.h>

enum { CROWD_MAX = 64 };

struct crowd {
	size_t count;
	struct crowd_member {
		pthread_t thread;
		size_t number;
		void (*work)(void *arg, size_t number);
		void *arg;
	} members[CROWD_MAX];
};

/* Start them and return; crowd_join waits for all. */
void crowd_start(struct crowd *, size_t count, void (*work)(void *arg, size_t number), void *arg);
void crowd_join(struct crowd *);

#endif
