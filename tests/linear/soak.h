/* soak.h - a mix of everything the API has, right and wrong, beside the register's moves of play.h. */
#ifndef LINEAR_SOAK_H
#define LINEAR_SOAK_H

#include "linear/play.h"

/* One request of the mix; now and then the client leaves in the middle of it.  What is not answered as the contract has it
 * is noted with the game. */
void soak_move(struct player *, struct client *);

/* How many requests of the mix were never answered as they are meant to be; told on standard output. */
size_t soak_unmet(struct game *);

#endif
