/* negotiate.h - header fields by which client and server agree on a form (RFC 9110 12.5, RFC 7240): pure functions. */
#ifndef API_NEGOTIATE_H
#define API_NEGOTIATE_H

#include <stdbool.h>

#include "api/reply.h"

/* The medium of the set <produces> that Accept likes best; ties go to the lower bit.  NULL = anything goes.  0: none. */
unsigned negotiate_media(const char *accept, unsigned produces);

/* gzip is wanted, not merely allowed by a wildcard. */
bool negotiate_gzip(const char *accept_encoding);

/* The media type of a Content-Type, its parameters aside. */
bool content_type_is(const char *content_type, const char *type);

/* Prefer asks for this value of a preference, such as "return" and "minimal"; the first of a name counts. */
bool prefer_has(const char *prefer, const char *name, const char *value);

#endif
