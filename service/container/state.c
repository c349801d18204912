#include "container/state.h"

#include <string.h>
#include <strings.h>

#include "base/compiler.h"

static const struct {
	const char *wire, *shorter;
	unsigned moves;
} states[] = {
#define X(id_, wire_, short_, next_) [CONTAINER_##id_] = { wire_, short_, next_ },
	CONTAINER_STATES(X)
#undef X
};

const char *state_name(enum container_state state)
{
	return states[state].wire;
}

const char *state_short_name(enum container_state state)
{
	return states[state].shorter;
}

unsigned state_moves(enum container_state from)
{
	return states[from].moves;
}

bool state_may_become(enum container_state from, enum container_state to)
{
	return from == to || (states[from].moves >> to & 1u);
}

int state_from_name(const char *name)
{
	for (size_t i = 0; i < COUNT(states); i++)
		if (!strcmp(states[i].wire, name))
			return (int)i;
	return -1;
}

static bool equals(const char *name, const char *text, size_t len)
{
	return strlen(name) == len && !strncasecmp(name, text, len);
}

int state_from_query(const char *text, size_t len)
{
	for (size_t i = 0; i < COUNT(states); i++)
		if (equals(states[i].wire, text, len) || equals(states[i].shorter, text, len))
			return (int)i;
	return -1;
}
