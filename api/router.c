#include "api/router.h"

#include <stdio.h>
#include <string.h>

/* One segment at a time; '*' takes any that is not empty. */
static bool matches(const char *pattern, const struct request *q)
{
	size_t i = 0;

	for (; *pattern == '/'; i++) {
		size_t len = strcspn(++pattern, "/");

		if (i >= q->segment_count || i >= SEGMENTS_MAX)
			return false;
		if (len == 1 && *pattern == '*') {
			if (q->segment[i][0] == '\0')
				return false;
		} else if (strlen(q->segment[i]) != len || memcmp(pattern, q->segment[i], len) != 0) {
			return false;
		}
		pattern += len;
	}
	return i == q->segment_count;
}

const struct route *router_find(const struct request *q, unsigned *ret_allowed)
{
	enum method wanted = q->method == METHOD_HEAD ? METHOD_GET : q->method;
	const struct route *found = NULL;

	*ret_allowed = 0;
	for (size_t i = 0; i < route_count; i++) {
		if (!matches(routes[i].pattern, q))
			continue;
		*ret_allowed |= (unsigned)routes[i].method | METHOD_OPTIONS;
		if (routes[i].method == METHOD_GET)
			*ret_allowed |= METHOD_HEAD;
		if (routes[i].method == wanted)
			found = &routes[i];
	}
	return found;
}

const char *router_allow(unsigned allowed, struct arena *arena)
{
	char text[64] = "";
	size_t len = 0;

	for (unsigned m = 1; m <= METHOD_OPTIONS; m <<= 1)
		if (allowed & m) {
			const char *name = method_name((enum method)m);

			len += (size_t)snprintf(text + len, sizeof text - len, "%s%s", len ? ", " : "", name);
		}
	return arena_copy(arena, text, len);
}
