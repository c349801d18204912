/* filter.h - which containers a list shows, and in which order: a pure value made from query parameters.
 *
 * All conditions are ANDed.  Label selectors: see selector.h.  Field selectors are comparisons of state, id, name,
 * sandboxId, imageRef, exitCode or reason (as it is shown) with a value by =, == or !=, joined by commas; in a value a
 * backslash stands before a comma, an equals sign, a backslash, and a blank at either end.  An exit code is only that of
 * a container that has exited: no other satisfies exitCode=0, nor exitCode!=0.  Times are compared strictly. */
#ifndef CONTAINER_FILTER_H
#define CONTAINER_FILTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "container/container.h"

struct filter; /* lives in the arena it was made in */

/* Parameters that filter_add understands, in the order of the contract; NULL-terminated. */
extern const char *const filter_parameters[];

/* An empty filter: matches all, ordered by id.  NULL when memory runs out. */
must_check struct filter *filter_new(struct arena *);

/* Add one query parameter (<name> is one of filter_parameters, each at most once).  0; 1 when the value is refused:
 * *ret_detail then names the parameter and says what is wrong and what would be right (in the arena), and the filter is
 * of no more use; -ENOMEM. */
must_check int filter_add(struct filter *, const char *name, const char *value, const char **ret_detail);

/* Only ids that begin with this can match; "" = any. */
const char *filter_id_prefix(const struct filter *);

bool filter_matches(const struct filter *, const struct container *);

/* The order is by id: what the store's index gives anyway. */
bool filter_order_is_by_id(const struct filter *);

/* qsort_r comparison of two `struct container *` elements in the filter's order; ids break ties; what has no value
 * (never started, never finished) comes last in either direction. */
int filter_compare(const void *a, const void *b, void *filter);

#endif
