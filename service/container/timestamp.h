/* timestamp.h - moments as nanoseconds since 1970, and as RFC 3339 text.
 *
 * Every int64 has a text: the years run from 1677 to 2262, so four digits are always enough. */
#ifndef CONTAINER_TIMESTAMP_H
#define CONTAINER_TIMESTAMP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"

enum { TIMESTAMP_LEN = 30 }; /* "2026-01-02T03:04:05.123456789Z" */

/* UTC with nine fractional digits; exactly TIMESTAMP_LEN bytes and a NUL. */
void timestamp_format(int64_t ns, char ret_text[static TIMESTAMP_LEN + 1]);

/* RFC 3339 with any offset and 0 to 9 fractional digits, or a decimal number of nanoseconds.  False when it is
 * neither, is no day of the calendar, or lies outside int64. */
must_check bool timestamp_parse(const char *text, size_t len, int64_t *ret_ns);

#endif
