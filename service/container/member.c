#include "container/member.h"

#include <string.h>

#include "container/status.h"

static const struct metadata_value *metadata_of(const struct container *c)
{
	return metadata_value(container_metadata(c));
}

static bool read_id(const struct container *c, struct value *ret)
{
	ret->text = container_id(c);
	return true;
}

static bool read_name(const struct container *c, struct value *ret)
{
	ret->text = metadata_of(c)->name;
	return true;
}

static bool read_sandbox_id(const struct container *c, struct value *ret)
{
	ret->text = metadata_of(c)->sandbox_id;
	return true;
}

static bool read_image_ref(const struct container *c, struct value *ret)
{
	ret->text = metadata_of(c)->image_ref;
	return true;
}

static bool read_reason(const struct container *c, struct value *ret)
{
	ret->text = status_shown_reason(container_status(c));
	return true;
}

static bool read_state(const struct container *c, struct value *ret)
{
	ret->number = container_state(c);
	return true;
}

/* The number means something once there was an exit; before it is 0, as after a good one. */
static bool read_exit_code(const struct container *c, struct value *ret)
{
	ret->number = container_status(c)->exit_code;
	return container_state(c) == CONTAINER_EXITED;
}

static bool read_created_at(const struct container *c, struct value *ret)
{
	ret->number = container_status(c)->created_at;
	return ret->number != 0;
}

static bool read_started_at(const struct container *c, struct value *ret)
{
	ret->number = container_status(c)->started_at;
	return ret->number != 0;
}

static bool read_finished_at(const struct container *c, struct value *ret)
{
	ret->number = container_status(c)->finished_at;
	return ret->number != 0;
}

static const struct member members[] = {
	{ "id",         MEMBER_TEXT,  MEMBER_SELECTED | MEMBER_SORTED, read_id },
	{ "name",       MEMBER_TEXT,  MEMBER_SELECTED | MEMBER_SORTED, read_name },
	{ "state",      MEMBER_STATE, MEMBER_SELECTED | MEMBER_SORTED, read_state },
	{ "exitCode",   MEMBER_CODE,  MEMBER_SELECTED | MEMBER_SORTED, read_exit_code },
	{ "createdAt",  MEMBER_TIME,  MEMBER_SORTED,                   read_created_at },
	{ "startedAt",  MEMBER_TIME,  MEMBER_SORTED,                   read_started_at },
	{ "finishedAt", MEMBER_TIME,  MEMBER_SORTED,                   read_finished_at },
	{ "sandboxId",  MEMBER_TEXT,  MEMBER_SELECTED,                 read_sandbox_id },
	{ "imageRef",   MEMBER_TEXT,  MEMBER_SELECTED,                 read_image_ref },
	{ "reason",     MEMBER_TEXT,  MEMBER_SELECTED,                 read_reason },
};

const struct member *member_find(const char *name, size_t len, unsigned use)
{
	for (size_t i = 0; i < COUNT(members); i++)
		if ((members[i].uses & use) && strlen(members[i].name) == len && !memcmp(members[i].name, name, len))
			return &members[i];
	return NULL;
}

const char *member_names(struct arena *arena, unsigned use)
{
	const char *names = "";

	for (size_t i = 0; i < COUNT(members) && names; i++)
		if (members[i].uses & use)
			names = arena_printf(arena, "%s%s%s", names, *names ? ", " : "", members[i].name);
	return names;
}

int member_compare(const struct member *m, const struct value *a, const struct value *b)
{
	if (m->kind == MEMBER_TEXT)
		return strcmp(a->text, b->text);
	return (a->number > b->number) - (a->number < b->number);
}
