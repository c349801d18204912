/* precondition.h - entity tags against revisions (RFC 9110 8.8.3, 13.1).
 *
 * A container's strong tag is its revision in quotes.  The header's text is kept as it came: what it means is decided
 * against the revision that is the newest when the change has its turn. */
#ifndef CONTAINER_PRECONDITION_H
#define CONTAINER_PRECONDITION_H

#include <stdbool.h>
#include <stdint.h>

/* NULL = header not sent. */
struct precondition {
	const char *if_match, *if_none_match;
};

/* A list of entity tags, or "*".  What is not well-formed should be refused before it is compared. */
bool etag_list_is_wellformed(const char *header);

/* Does the list name this revision?  <weak>: W/"7" names 7 too (If-None-Match); else weak tags never match (If-Match).
 * "*" matches every revision but 0, which stands for "there is none". */
bool etag_list_matches(const char *header, uint64_t revision, bool weak);

/* Both headers hold for a container at <revision>; 0 = there is none. */
bool precondition_holds(const struct precondition *, uint64_t revision);

#endif
