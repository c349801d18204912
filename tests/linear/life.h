/* life.h - the lives of the server between kill -9 and kill -9, as its clients see them.
 *
 * One thread begins and ends lives; any thread joins them. */
#ifndef LINEAR_LIFE_H
#define LINEAR_LIFE_H

#include <pthread.h>
#include <stdbool.h>

enum { ADDRESS_MAX = 64 };

struct life {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	/* under lock: */
	unsigned number; /* of the newest life; 0: there was none yet */
	bool alive, over;
	char address[ADDRESS_MAX];
};

void life_init(struct life *);
void life_done(struct life *);
void life_begin(struct life *, const char *address);
void life_end(struct life *);
/* There will be no other life: everybody goes home. */
void life_close(struct life *);

/* Wait until the server lives a life other than <not_this>.  Its number, or 0 when everything is over. */
unsigned life_join(struct life *, unsigned not_this, char ret_address[static ADDRESS_MAX]);
bool life_is_over(struct life *);

#endif
