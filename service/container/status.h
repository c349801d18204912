/* status.h - what changes about a container (containerd's store/container Status, CRI's ContainerStatus).
 *
 * A plain value.  The texts are borrowed from whoever made the value: an arena, or the snapshot it was read from. */
#ifndef CONTAINER_STATUS_H
#define CONTAINER_STATUS_H

#include <stdbool.h>
#include <stdint.h>

#include "container/state.h"

enum {
	CAP_REASON = 1024,
	CAP_MESSAGE = 16 * 1024,
	CAP_RESOURCES = 64 * 1024,
	EXIT_CODE_LOST = 255, /* nobody knows the code */
};

/* Only containerd 2.1 to 2.3 writes the member; it is carried, so that their files come back as they were. */
enum status_restore { RESTORE_ABSENT, RESTORE_FALSE, RESTORE_TRUE };

struct status {
	int64_t created_at, started_at, finished_at; /* ns since 1970; 0 = has not happened */
	uint32_t pid;                                /* main process; 0 = none */
	int32_t exit_code;                           /* means something once finished_at is set */
	const char *reason, *message;                /* never NULL; "" = none */
	const char *resources;                       /* compact JSON object, CRI's ContainerResources; NULL = none */
	enum status_restore restore;
	/* Transient: in no checkpoint as a state, false after every load but for a damaged file's unknown. */
	bool removing; /* somebody is deleting it */
	bool unknown;  /* the checkpoint could not be read, and nobody has said yet what is true */
};
#define STATUS_ZERO { .reason = "", .message = "" }

/* First match wins: unknown, finished, started, created, else unknown.  Only "is set" counts: the order of the times is
 * not looked at, and negative times are set. */
enum container_state status_state(const struct status *);

/* What a client is shown as reason: an exit without one reads Completed or Error; stored it stays empty. */
const char *status_shown_reason(const struct status *);

/* Every stored and transient field is the same. */
bool status_equal(const struct status *, const struct status *);

/* What stands for a status whose checkpoint cannot be read; <message> is borrowed. */
struct status status_damaged(const char *message);

#endif
