#include "container/precondition.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

struct tag {
	const char *opaque; /* between the quotes */
	size_t len;
	bool weak;
};

static const char *skip_blanks(const char *p)
{
	return p + strspn(p, " \t");
}

/* Read one tag at *p and move behind it.  False when there is none. */
static bool read_tag(const char **p, struct tag *ret)
{
	const char *at = *p, *end;

	ret->weak = at[0] == 'W' && at[1] == '/';
	if (ret->weak)
		at += 2;
	if (*at != '"')
		return false;
	end = strchr(at + 1, '"');
	if (!end)
		return false;
	ret->opaque = at + 1;
	ret->len = (size_t)(end - at - 1);
	*p = end + 1;
	return true;
}

/* Move to the next element of the list: 1 there is one, 0 the end, -1 malformed.  Empty elements are allowed (RFC 9110 5.6.1). */
static int next_element(const char **p, bool first)
{
	const char *at = skip_blanks(*p);

	if (!first && *at != ',' && *at != '\0')
		return -1;
	while (*at == ',')
		at = skip_blanks(at + 1);
	*p = at;
	return *at != '\0';
}

bool etag_list_is_wellformed(const char *header)
{
	const char *p = skip_blanks(header);
	struct tag tag;
	int more;

	if (!strcmp(p, "*"))
		return true;
	if (*p == '\0')
		return false;
	for (bool first = true; (more = next_element(&p, first)) > 0; first = false)
		if (!read_tag(&p, &tag))
			return false;
	return more == 0;
}

bool etag_list_matches(const char *header, uint64_t revision, bool weak)
{
	const char *p = skip_blanks(header);
	char mine[24];
	struct tag tag;
	size_t len;

	if (revision == 0)
		return false;
	if (*p == '*')
		return true;
	len = (size_t)snprintf(mine, sizeof mine, "%" PRIu64, revision);
	for (bool first = true; next_element(&p, first) > 0 && read_tag(&p, &tag); first = false)
		if (tag.len == len && !memcmp(tag.opaque, mine, len) && (weak || !tag.weak))
			return true;
	return false;
}

bool precondition_holds(const struct precondition *pre, uint64_t revision)
{
	if (pre->if_match && !etag_list_matches(pre->if_match, revision, false))
		return false;
	return !pre->if_none_match || !etag_list_matches(pre->if_none_match, revision, true);
}
