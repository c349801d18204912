#include "api/router.h"

#include <stdio.h>

/* Does the segment equal the pattern's next one?  '*' takes any that is not empty.  *pattern moves behind it. */
static bool matches_segment(const char **pattern, const char *segment)
{
	const char *p = *pattern;

	if (*p == '*' && *segment) {
		*pattern = p + 1;
		return true;
	}
	while (*p && *p != '/' && *p == *segment) {
		p++;
		segment++;
	}
	*pattern = p;
	return *segment == '\0' && (*p == '\0' || *p == '/');
}

static bool matches(const char *pattern, const struct request *q)
{
	size_t i = 0;

	if (q->segment_count > SEGMENTS_MAX)
		return false;
	for (; *pattern == '/'; i++) {
		pattern++;
		if (i == q->segment_count || !matches_segment(&pattern, q->segment[i]))
			return false;
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
