/* member.h - the members of a container that lists can be narrowed and sorted by. */
#ifndef CONTAINER_MEMBER_H
#define CONTAINER_MEMBER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/compiler.h"
#include "container/container.h"

struct value {
	const char *text; /* kind MEMBER_TEXT */
	int64_t number;   /* all others */
};

enum member_kind { MEMBER_TEXT, MEMBER_STATE, MEMBER_CODE, MEMBER_TIME };

/* What a member can be used for. */
enum { MEMBER_SELECTED = 1 /* in a field selector */, MEMBER_SORTED = 2 };

struct member {
	const char *name;
	enum member_kind kind;
	unsigned uses;
	/* The container's value, borrowed; false when it has none. */
	bool (*read)(const struct container *, struct value *ret);
};

/* The member of this name that has this use, or NULL. */
const struct member *member_find(const char *name, size_t len, unsigned use);

/* "id, name, ...": all that have this use; NULL when memory runs out. */
must_check const char *member_names(struct arena *, unsigned use);

/* Less than, equal to or greater than 0, as with strcmp. */
int member_compare(const struct member *, const struct value *a, const struct value *b);

#endif
