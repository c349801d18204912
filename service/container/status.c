#include "container/status.h"

#include <string.h>

enum container_state status_state(const struct status *s)
{
	if (s->unknown)
		return CONTAINER_UNKNOWN;
	if (s->finished_at)
		return CONTAINER_EXITED;
	if (s->started_at)
		return CONTAINER_RUNNING;
	return s->created_at ? CONTAINER_CREATED : CONTAINER_UNKNOWN;
}

const char *status_shown_reason(const struct status *s)
{
	if (s->reason[0] != '\0' || status_state(s) != CONTAINER_EXITED)
		return s->reason;
	return s->exit_code == 0 ? "Completed" : "Error";
}

static bool same_text(const char *a, const char *b)
{
	return a == b || (a && b && !strcmp(a, b));
}

bool status_equal(const struct status *a, const struct status *b)
{
	return a->created_at == b->created_at && a->started_at == b->started_at && a->finished_at == b->finished_at &&
	       a->pid == b->pid && a->exit_code == b->exit_code && a->restore == b->restore &&
	       a->removing == b->removing && a->unknown == b->unknown && same_text(a->reason, b->reason) &&
	       same_text(a->message, b->message) && same_text(a->resources, b->resources);
}

struct status status_damaged(const char *message)
{
	return (struct status){ .exit_code = EXIT_CODE_LOST, .reason = "CheckpointDamaged", .message = message, .unknown = true };
}
