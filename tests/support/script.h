/* script.h - requests and the answers expected, as a table.
 *
 * In target, headers, body and wishes stand {id} (the container this script is about), {etag} (the newest ETag seen),
 * {revision} (the number in it) and {first} (the first ETag seen).  Two wishes are added to those of expect.h: etag=same and etag=new compare the
 * container's ETag after the step with the one before it.  A write that is refused must leave the container as it
 * was, to the byte: every script checks that by itself. */
#ifndef SUPPORT_SCRIPT_H
#define SUPPORT_SCRIPT_H

#include "support/http.h"

enum { SCRIPT_STEPS = 8 };

struct step {
	const char *method; /* NULL ends the script */
	const char *target, *headers, *body;
	int status;
	const char *slug;   /* of the problem expected; NULL for none */
	const char *wishes; /* see expect.h; NULL for none */
};

struct script {
	const char *name;
	struct step steps[SCRIPT_STEPS + 1];
};

/* Fails the test at the first step that is not answered as it says. */
void script_run(struct http *, const struct script *, const char *id);

#endif
