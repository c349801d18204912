/* selector.h - label selectors, the grammar of Kubernetes whole.
 *
 *   selector    = [ requirement *( "," requirement ) ]         nothing at all matches everything
 *   requirement = key                                          the label is there
 *               / "!" key                                      it is not
 *               / key ( "=" / "==" / "!=" ) [ value ]          no value is the empty one
 *               / key ( ">" / "<" ) integer                    both sides as whole numbers
 *               / key ( "in" / "notin" ) "(" values ")"        values may be empty, the list may not
 *
 * Blanks, tabs and newlines may stand between any two of these.  All requirements have to hold.  "!=" and "notin" also
 * match containers without the label.  A key is [prefix "/"] name: the prefix a DNS subdomain of at most 253 bytes, the
 * name and every value at most 63 letters, digits, '-', '_' and '.', a letter or digit at both ends (a value may also be
 * empty). */
#ifndef CONTAINER_SELECTOR_H
#define CONTAINER_SELECTOR_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/compiler.h"
#include "container/container.h"

enum {
	CAP_SELECTOR_REQUIREMENTS = 64,
	CAP_SELECTOR_VALUES = 64, /* in one list */
};

struct selector; /* lives in the arena it was parsed in; never changes; any thread may match */

/* 0 and *ret_selector; 1 when the text is refused: *ret_detail then tells the position (bytes, from 1), what was found
 * and what was expected; -ENOMEM. */
must_check int selector_parse(struct arena *, const char *text, struct selector **ret_selector, const char **ret_detail);

/* Costs one look at the labels per requirement; allocates nothing. */
bool selector_matches(const struct selector *, const struct metadata *);

/* The whole text is a decimal integer, a sign allowed, within int64: what ">" and "<" compare. */
must_check bool selector_integer(const char *text, int64_t *ret);

#endif
