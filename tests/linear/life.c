#include "linear/life.h"

#include <stdio.h>
#include <string.h>

void life_init(struct life *l)
{
	*l = (struct life){ 0 };
	(void)pthread_mutex_init(&l->lock, NULL);
	(void)pthread_cond_init(&l->changed, NULL);
}

void life_done(struct life *l)
{
	(void)pthread_cond_destroy(&l->changed);
	(void)pthread_mutex_destroy(&l->lock);
}

void life_begin(struct life *l, const char *address)
{
	(void)pthread_mutex_lock(&l->lock);
	(void)snprintf(l->address, sizeof l->address, "%s", address);
	l->number++;
	l->alive = true;
	(void)pthread_cond_broadcast(&l->changed);
	(void)pthread_mutex_unlock(&l->lock);
}

void life_end(struct life *l)
{
	(void)pthread_mutex_lock(&l->lock);
	l->alive = false;
	(void)pthread_mutex_unlock(&l->lock);
}

void life_close(struct life *l)
{
	(void)pthread_mutex_lock(&l->lock);
	l->alive = false;
	l->over = true;
	(void)pthread_cond_broadcast(&l->changed);
	(void)pthread_mutex_unlock(&l->lock);
}

unsigned life_join(struct life *l, unsigned not_this, char ret_address[static ADDRESS_MAX])
{
	unsigned number;

	(void)pthread_mutex_lock(&l->lock);
	while (!l->over && (!l->alive || l->number == not_this))
		(void)pthread_cond_wait(&l->changed, &l->lock);
	number = l->over ? 0 : l->number;
	memcpy(ret_address, l->address, ADDRESS_MAX);
	(void)pthread_mutex_unlock(&l->lock);
	return number;
}

bool life_is_over(struct life *l)
{
	bool over;

	(void)pthread_mutex_lock(&l->lock);
	over = l->over;
	(void)pthread_mutex_unlock(&l->lock);
	return over;
}
