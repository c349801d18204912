#include "support/script.h"

#include <check.h>
#include <stdbool.h>
#include <string.h>

#include "support/expect.h"
#include "support/text.h"

struct run {
	struct http *http;
	const struct script *script;
	const char *id, *first, *etag;
};

static const char *filled(const struct run *run, const char *template)
{
	size_t len = strlen(run->etag);
	const char *revision = *run->etag == '"' ? text_copy(run->etag + 1, len - 2) : "(none)";
	const char *pairs[] = { "id", run->id, "first", run->first, "etag", run->etag, "revision", revision, NULL };

	return template ? text_fill(template, pairs) : NULL;
}

static const struct reply *look(const struct run *run)
{
	return http_get(run->http, text("/containers/%s", run->id));
}

static const char *tag_of(const struct reply *r)
{
	const char *tag = reply_header(r, "ETag");

	return r->status == 200 && tag ? tag : "(none)";
}

static void check_tag(const struct run *run, size_t n, const char *wish, const char *before, const char *after)
{
	bool same = !strcmp(before, after);

	if (!strncmp(wish, "etag=same", 9) && !same)
		ck_abort_msg("%s, step %zu: the ETag changed from %s to %s", run->script->name, n, before, after);
	if (!strncmp(wish, "etag=new", 8) && same)
		ck_abort_msg("%s, step %zu: the ETag is still %s", run->script->name, n, before);
}

/* Wishes about the container's ETag stand first in the list; the rest goes to expect. */
static const char *skip_tag_wish(const char *wishes)
{
	return !strncmp(wishes, "etag=", 5) ? wishes + strcspn(wishes, " ") : wishes;
}

static void check_answer(const struct run *run, const struct step *step, size_t n, const struct reply *r)
{
	const char *where = text("%s, step %zu of a script", run->script->name, n);

	if (step->slug)
		expect_problem_at(where, (int)n, r, step->status, step->slug);
	else
		expect_status_at(where, (int)n, r, step->status);
	if (step->wishes)
		expect_all_at(where, (int)n, r, skip_tag_wish(filled(run, step->wishes)));
}

static void check_after(struct run *run, const struct step *step, size_t n, const struct reply *before)
{
	const struct reply *after = look(run);
	const char *tag = tag_of(after);

	if (step->status >= 400 && strcmp(step->method, "GET") != 0 &&
	    (before->status != after->status || before->len != after->len ||
	     (before->status == 200 && memcmp(before->body, after->body, before->len) != 0)))
		ck_abort_msg("%s, step %zu: refused, but the container changed from\n  %s\nto\n  %s", run->script->name,
			     n, before->body, after->body);
	if (step->wishes)
		check_tag(run, n, step->wishes, tag_of(before), tag);
	if (strcmp(tag, "(none)") != 0) {
		run->etag = tag;
		run->first = strcmp(run->first, "(none)") ? run->first : tag;
	}
}

void script_run(struct http *http, const struct script *script, const char *id)
{
	struct run run = { .http = http, .script = script, .id = id, .first = "(none)", .etag = "(none)" };

	for (size_t n = 0; n < SCRIPT_STEPS && script->steps[n].method; n++) {
		const struct step *step = &script->steps[n];
		const struct reply *before = look(&run), *r;

		r = http_ask(http, step->method, filled(&run, step->target), filled(&run, step->headers),
			     filled(&run, step->body));
		check_answer(&run, step, n + 1, r);
		check_after(&run, step, n + 1, before);
	}
}
