/* json_value.h - opaque JSON (a config, resources) as compact text, written the way json_text.h writes strings. */
#ifndef CONTAINER_JSON_VALUE_H
#define CONTAINER_JSON_VALUE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"

struct json_t; /* jansson's: whoever passes one includes it */
struct json_error_t;

/* The compact text of a JSON value, members in their order, in the arena; <ret_len> may be NULL.  NULL when memory runs
 * out. */
must_check const char *json_compact(const struct json_t *, struct arena *, size_t *ret_len);

/* Is it nested deeper than <levels>?  Looks no deeper than that. */
bool json_is_deeper(const struct json_t *, unsigned levels);

/* The version of the JSON library that is linked. */
const char *json_library(void);

/* Parse text.  0 and the caller's reference; -EBADMSG and why; -ENOMEM. */
must_check int json_read(const char *at, size_t len, size_t flags, struct json_t **ret, struct json_error_t *ret_why);

/* jansson takes many an allocation that failed for a mistake in its input, or passes over it and leaves members out.  So
 * its allocations are watched: what was made of values since json_watch, on this thread, counts only when this is false. */
void json_watch(void);
bool json_ran_out(void);

#endif
