/* play.h - clients that change and read a few containers at random and write down what they were answered. */
#ifndef LINEAR_PLAY_H
#define LINEAR_PLAY_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "linear/client.h"
#include "linear/life.h"
#include "linear/wgl.h"

enum { CONTAINERS_MAX = 64, CLIENTS_MAX = 64, MIX_MAX = 64, MIXED = 150 };

/* What all players of a game share. */
struct game {
	unsigned containers, relaxed_percent;
	uint64_t seed;
	struct life life;
	_Atomic uint64_t tags[CONTAINERS_MAX]; /* the newest revision that anybody was told, roughly */
	atomic_ulong operations; /* requests that were answered, or may have had an effect */
	atomic_ulong refused;    /* 500, 503 and 507: certainly without effect, in no history */
	atomic_ulong unknown;
	/* soak.h: */
	atomic_ulong met[MIX_MAX];           /* requests of each kind that were answered as they are meant to be */
	_Atomic uint64_t mixed_tags[MIXED];  /* like tags, of the mix's containers */
	pthread_mutex_t lock;
	/* under lock: */
	unsigned long odd; /* answers that the contract does not know */
	char first_odd[1024];
};

void game_init(struct game *);
void game_done(struct game *);

struct player {
	struct game *game;
	unsigned number;
	uint64_t random, written;
	uint64_t tags[CONTAINERS_MAX]; /* what this player was told last */
	struct wgl_op *ops;            /* owned */
	size_t count, room;
};

void player_init(struct player *, struct game *, unsigned number);
void player_done(struct player *);

/* One request of any kind. */
void player_move(struct player *, struct client *);

/* Read every container, alone and in the list. */
void player_read_all(struct player *, struct client *);

/* Write down that an answer is none that the contract knows. */
void game_note_odd(struct game *, const struct ask *, const struct answer *, const char *why);

#endif
