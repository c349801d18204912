/* json_text.h - writing JSON strings, the one way this program does it.
 *
 * As Go's encoding/json does with its defaults, so that checkpoints come out byte for byte as containerd writes them: '<' '>' '&'
 * as \u003c \u003e \u0026, U+2028 and U+2029 escaped, newline, return, tab, backspace and form feed short, other
 * control characters as \u00xx in lower case, an invalid byte as \ufffd, the rest raw.  The same text on the wire
 * can be put into a page or a script without becoming markup. */
#ifndef CONTAINER_JSON_TEXT_H
#define CONTAINER_JSON_TEXT_H

#include "base/buf.h"

/* Append <text> as a JSON string with its quotes.  0, or the buffer's error. */
int json_text_add(struct buf *, const char *text);

/* The same for text that may hold NULs (escaped ones in the files of others): each becomes U+FFFD.  A NUL must stand
 * behind the last byte too. */
int json_text_add_bytes(struct buf *, const char *text, size_t len);

/* Length of the well-formed UTF-8 sequence at <p>, 0 when there is none.  The text is terminated, or goes on for three
 * bytes behind the first. */
size_t json_text_sequence(const unsigned char *p);

/* Append "name": - a member's key, which must need no escaping. */
int json_key_add(struct buf *, const char *name);

#endif
