/* fields.h - a struct and its JSON meet in one table of rows.
 *
 * Encoding, decoding, the check for unknown members and the pointer of an error all come from the rows, for the
 * wire's camelCase and the disk's Go casing alike.  This engine and the codec are the only users of jansson below
 * api; a json_t never leaves them but inside one call.
 *
 *   WIRE: strict.  Unknown and misspelt members are refused with what was probably meant; null resets.
 *   DISK: lenient where Go's decoder is: unknown members are passed over, keys match in any case, null leaves zero. */
#ifndef CONTAINER_FIELDS_H
#define CONTAINER_FIELDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

struct json_t; /* jansson's: whoever passes one includes it */

enum casing { WIRE, DISK, CASINGS };

enum field_kind {
	FIELD_U32,
	FIELD_I32,
	FIELD_U64,     /* wire: decimal string; disk: number */
	FIELD_TIME,    /* int64 ns; wire: RFC 3339, null when 0; disk: number */
	FIELD_TEXT,    /* const char *, never NULL */
	FIELD_OBJECT,  /* const char *: compact JSON of an object, or NULL = null */
	FIELD_BOOL,
	FIELD_READONLY /* wire only, never encoded by the table: accepted and ignored */
};

struct field {
	const char *name[CASINGS]; /* NULL: not a member there */
	enum field_kind kind;
	size_t at;  /* offset in the struct */
	size_t cap; /* texts and objects: most bytes */
};
#define FIELD(kind_, type_, member_, wire_, disk_, cap_) \
	{ { wire_, disk_ }, FIELD_##kind_, offsetof(type_, member_), cap_ }

/* What is wrong with a body, member by member (RFC 6901 pointers).  Texts live in the arena. */
enum { FIELD_ERRORS_MAX = 8 };
struct field_errors {
	struct arena *arena;
	size_t count; /* errors beyond the last place are dropped */
	struct {
		const char *pointer, *detail;
	} at[FIELD_ERRORS_MAX];
};
printf_like(3, 4) void field_error(struct field_errors *, const char *pointer, const char *fmt, ...);

/* Append `"name":value,...` without braces, in the order of the table. */
int fields_encode(struct buf *, const struct field *, size_t n, enum casing, const void *from);

/* Append one field's value, as the table says. */
int field_encode(struct buf *, const struct field *, enum casing, const void *from);

/* Strict decoding of the object <j> into the struct at <into>; <at> is the pointer of the object ("" = the body).
 * Sets bit i of *given for each row that was there.  Texts are copied to errors->arena.  Each refused member is an
 * error; the struct may then be half written, so decode into one of your own.  0, or -ENOMEM. */
must_check int fields_from_wire(const struct json_t *j, const struct field *, size_t n, const char *at, void *into,
				uint64_t *given, struct field_errors *);

/* Lenient decoding.  <unknown>, when not NULL, is told of each member that is in no row.  0, or -EBADMSG with a text that names the member,
 * or -ENOMEM. */
typedef int unknown_member(void *cls, const char *key, const struct json_t *value);
must_check int fields_from_disk(const struct json_t *j, const struct field *, size_t n, void *into, struct arena *,
				unknown_member *unknown, void *cls, struct err *);

#endif
