/* meaning.h - what an answer of the server says of the register behind it.
 *
 * Every change sets message and reason to its own number, which is the value of the register: bodies of two changes mixed are found. */
#ifndef LINEAR_MEANING_H
#define LINEAR_MEANING_H

#include <stdbool.h>

#include "linear/client.h"
#include "linear/wgl.h"

/* A failure of the server's own: NOT_DONE, or WGL_UNKNOWN when it says so, or said nothing; WGL_DONE: it is none. */
enum { MEANING_NOT_DONE = -1 };
int meaning_of_failure(const struct answer *);

/* Fill in how <op>, whose kind, value and expected revision are set, has ended.  A trial becomes a read, and so does a PUT
 * that found the same container.  False: the contract knows no such answer to this. */
bool meaning_of(const struct ask *, const struct answer *, struct wgl_op *op);

/* The same for the status of an item of a list. */
bool meaning_of_item(const char *status, struct wgl_op *op);

/* The number in quotes behind <before>; false when there is none. */
bool meaning_of_number(const char *at, size_t len, const char *before, uint64_t *ret);

#endif
