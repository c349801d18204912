/* surface.h - a request as a value, from its head to its answer, without a socket: what api/exchange does with one. */
#ifndef FAULT_SURFACE_H
#define FAULT_SURFACE_H

#include <stdbool.h>
#include <stddef.h>

#include "api/app.h"
#include "container/change.h"

struct surface_request {
	const char *name; /* of the operation, and of the case */
	const char *method, *target;
	const char *body; /* NULL: none */
	const char *fields[8]; /* name, value, ... NULL */
};

struct surface_answer {
	unsigned status;  /* 0: the connection is closed without an answer */
	bool failed;      /* memory ran out while it was made: 500 */
	bool submitted;   /* a change was handed to the store and ended so: */
	enum change_end end;
	size_t len;
	char body[96 * 1024];
};

void surface_ask(struct app *, const struct surface_request *, struct surface_answer *ret);

#endif
