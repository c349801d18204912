/* tags.h - what entity tags promise beyond one container: judged over the histories of all.
 *
 * 1. A revision belongs to one container and to one value, and always comes with the same bytes.
 * 2. Revisions follow time: a change that returned before another was called has the lower revision, whichever containers.
 * 3. So does the revision of the store, which lists tell: not below a change that returned before the list was called, below
 *    one that was called after the list returned, even when the revision was that of a deletion, which nobody is told. */
#ifndef LINEAR_TAGS_H
#define LINEAR_TAGS_H

#include "linear/wgl.h"

enum { TAGS_STORE = UINT32_MAX }; /* the container of an operation that read the revision of the store */

struct tags_fault {
	const char *why;      /* static text */
	struct wgl_op a, b;   /* the two that contradict each other */
};

/* The operations of all containers, in any order.  How many contradictions there are; the first one in *ret. */
size_t tags_check(const struct wgl_op *, size_t n, struct tags_fault *ret);

#endif
