#include "linear/meaning.h"

#include <stdlib.h>
#include <string.h>

/* ---- reading bodies ---- */

static uint64_t digest_of(const char *at, size_t len)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325);

	for (size_t i = 0; i < len; i++)
		hash = (hash ^ (unsigned char)at[i]) * UINT64_C(0x100000001b3);
	return hash ? hash : 1;
}

/* The length of the JSON object at <at>: none of our texts holds a brace. */
static size_t object_length(const char *at)
{
	size_t depth = 0, i = 0;

	do {
		depth += at[i] == '{';
		depth -= at[i] == '}';
	} while (at[i++] && depth > 0);
	return i;
}

bool meaning_of_number(const char *at, size_t len, const char *before, uint64_t *ret)
{
	const char *found = memmem(at, len, before, strlen(before));
	char *end;

	if (!found)
		return false;
	*ret = strtoull(found + strlen(before), &end, 10);
	return *end == '"';
}

bool meaning_of_item(const char *status, struct wgl_op *op)
{
	size_t len = object_length(status);
	uint64_t reason;

	op->end = WGL_DONE;
	op->digest = digest_of(status, len);
	return *status == '{' && meaning_of_number(status, len, "\"message\":\"", &op->value) &&
	       meaning_of_number(status, len, "\"reason\":\"r", &reason) && reason == op->value && op->value != 0 &&
	       meaning_of_number(status, len, "\"revision\":\"", &op->revision) && op->revision != 0;
}

/* ---- what an answer means ---- */

/* The body of a container or of a status: its revision must be that of the tag, and a change's value the one that was sent. */
static bool take_sight(struct wgl_op *op, const struct answer *a)
{
	const char *inside = strstr(a->body, "\"status\":{");
	uint64_t sent = op->value;

	return meaning_of_item(inside ? inside + strlen("\"status\":") : a->body, op) && op->revision == a->revision &&
	       (op->kind == WGL_READ || op->value == sent);
}

/* There is one, but not as it had to be; without a tag there is none. */
static bool take_refusal(struct wgl_op *op, const struct answer *a)
{
	op->end = a->revision ? WGL_REFUSED : WGL_ABSENT;
	op->revision = a->revision;
	return a->revision || op->kind != WGL_CREATE;
}

static bool take_absence(struct wgl_op *op)
{
	op->end = WGL_ABSENT;
	return op->kind == WGL_READ || op->kind == WGL_WRITE;
}

/* 204 to a write: done, its tag in the head; to a deletion: there is none now. */
static bool take_done(struct wgl_op *op, const struct answer *a)
{
	op->end = WGL_DONE;
	op->revision = a->revision;
	return op->kind == WGL_DELETE ? a->revision == 0 : op->kind == WGL_WRITE && a->revision != 0;
}

/* A trial is a look at whether there is one: it must leave nothing behind. */
static bool take_trial(struct wgl_op *op, const struct answer *a)
{
	op->kind = WGL_READ;
	op->value = 0;
	op->end = WGL_DONE;
	return a->status == 200 && a->revision == 0;
}

/* PUT of a container that is there with the same metadata is a read. */
static bool take_same(struct wgl_op *op, const struct answer *a)
{
	op->kind = WGL_READ;
	return take_sight(op, a);
}

bool meaning_of(const struct ask *ask, const struct answer *a, struct wgl_op *op)
{
	bool creates = op->kind == WGL_CREATE;

	switch (a->status) {
	case 200:
		if (strstr(ask->target, "dryRun"))
			return take_trial(op, a);
		return creates ? take_same(op, a) : take_sight(op, a);
	case 201:
		return creates && take_sight(op, a);
	case 204:
		return take_done(op, a);
	case 304:
		op->end = WGL_DONE;
		op->revision = a->revision;
		return op->kind == WGL_READ && a->revision != 0;
	case 404:
		return take_absence(op);
	case 409:
		return creates && strstr(a->body, "already-exists") && take_refusal(op, a);
	case 412:
		return take_refusal(op, a);
	}
	return false;
}

int meaning_of_failure(const struct answer *a)
{
	if (a->status == 0)
		return WGL_UNKNOWN;
	if (a->status != 500 && a->status != 503 && a->status != 507)
		return WGL_DONE;
	return strstr(a->body, "\"outcome\":\"unknown\"") ? WGL_UNKNOWN : MEANING_NOT_DONE;
}
