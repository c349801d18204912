/* request.h - one HTTP request as bytes with holes.
 *
 * `@ID@` in the path or the body becomes the container's id, `@SEQ@` a number that no other request of the run
 * bears.  Both have a fixed width, so the length never changes and filling the holes costs two small copies. */
#ifndef REQUEST_H
#define REQUEST_H

#include "bench.h"

enum { SEQ_LEN = 12, CAP_HOLES = 8, CAP_REQUEST = 65536 };

struct request_parts {
	const char *method;
	const char *path;
	const char *accept; /* NULL: none */
	const char *type;   /* of the body; NULL: none */
	const char *body;   /* NULL: none */
};

struct request_shape {
	char *bytes;
	size_t len;
	size_t id_at[CAP_HOLES], seq_at[CAP_HOLES];
	unsigned ids, seqs;
};

/* Build the shape; ends the process when it is too large or has too many holes.  The caller frees bytes. */
void request_shape_make(const struct request_parts *, struct request_shape *ret_shape);

/* Fill the holes of <copy>, a copy of shape->bytes. */
void request_fill(const struct request_shape *, char *copy, const char id[ID_LEN], uint64_t seq);

#endif
