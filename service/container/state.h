/* state.h - the states of a container and the moves between them, as one list (CRI's ContainerState).
 *
 * A state is derived from the times of a status, never stored: two fields that say the same thing will one day
 * disagree.  Whether a move is legal may depend on times and values too; that is decided in change.c, and what the
 * table forbids is forbidden always. */
#ifndef CONTAINER_STATE_H
#define CONTAINER_STATE_H

#include <stdbool.h>
#include <stddef.h>

/*        state    name on the wire     short name   may become */
#define CONTAINER_STATES(X)                                                                              \
	X(CREATED, "CONTAINER_CREATED", "created",   STATE_BIT(RUNNING) | STATE_BIT(EXITED))             \
	X(RUNNING, "CONTAINER_RUNNING", "running",   STATE_BIT(EXITED))                                  \
	X(EXITED,  "CONTAINER_EXITED",  "exited",    STATE_BIT(RUNNING) /* a restart of the same id */)  \
	X(UNKNOWN, "CONTAINER_UNKNOWN", "unknown",   STATE_BIT(EXITED))

/* The numbers are CRI's. */
enum container_state {
#define X(id_, wire_, short_, next_) CONTAINER_##id_,
	CONTAINER_STATES(X)
#undef X
	CONTAINER_STATE_COUNT
};
#define STATE_BIT(id_) (1u << CONTAINER_##id_)

const char *state_name(enum container_state);       /* "CONTAINER_RUNNING" */
const char *state_short_name(enum container_state); /* "running" */

/* Set of states (bits by number) that <from> may become; a state may always stay what it is. */
unsigned state_moves(enum container_state from);
bool state_may_become(enum container_state from, enum container_state to);

/* The exact wire name, as bodies carry it; -1 when it is none. */
int state_from_name(const char *name);

/* "running" or "CONTAINER_RUNNING" in any case, as queries carry it; -1 when it is none. */
int state_from_query(const char *text, size_t len);

#endif
