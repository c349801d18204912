/* canonical.h - reading JSON in the one form this program writes, straight from the bytes, without a tree.
 *
 * No blanks; whole numbers as they are printed, without plus and leading zeros; strings with exactly the escapes of
 * json_text.h; objects that json_value.h would write again as the same bytes, without a key that comes twice.
 * Whatever is read here a parser would read as the same value.  Anything else is answered with false, and so is some
 * JSON that would be canonical: real numbers, escapes in the keys of an opaque object, a U+FFFD that was escaped, what
 * is nested deeper or has more keys open than told below, a string with the document's last bytes in it, and what there
 * is no memory for.
 *
 * Nothing is read beyond <end>, and nothing recurses.  A reader that answered false is not used again. */
#ifndef CONTAINER_CANONICAL_H
#define CONTAINER_CANONICAL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"

enum {
	CANONICAL_DEPTH = 32, /* objects and arrays in an opaque object, itself included */
	CANONICAL_KEYS = 128, /* its keys, those of objects that are closed again not counted */
};

struct canonical {
	const char *at, *end;
	struct arena *arena; /* takes the texts */
	const char *labels;  /* of the object that was read last: the value of its member "labels", or NULL */
};

/* Exactly this text; the reader stays where it is when it is not there. */
must_check bool canonical_accept(struct canonical *, const char *text);

/* A whole number from <least> to <most>. */
must_check bool canonical_integer(struct canonical *, int64_t least, int64_t most, int64_t *ret);

/* A string. */
must_check bool canonical_text(struct canonical *, const char **ret);

/* An object, as its bytes; null leaves *ret as it is. */
must_check bool canonical_object(struct canonical *, const char **ret);

#endif
