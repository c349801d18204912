#include "api/problem.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "container/json_text.h"

static const struct {
	unsigned status;
	const char *slug, *title, *help;
} problems[] = {
#define X(id_, status_, slug_, title_, help_) [PROBLEM_##id_] = { status_, slug_, title_, help_ },
	PROBLEMS(X)
#undef X
};

unsigned problem_status(enum problem p)
{
	return problems[p].status;
}

const char *problem_slug(enum problem p)
{
	return problems[p].slug;
}

const char *problem_title(enum problem p)
{
	return problems[p].title;
}

const char *problem_help(enum problem p)
{
	return problems[p].help;
}

int problem_from_slug(const char *slug)
{
	for (size_t i = 0; i < COUNT(problems); i++)
		if (!strcmp(problems[i].slug, slug))
			return (int)i;
	return -1;
}

static void start(struct reply *a, struct request *q, enum problem p, const char *detail)
{
	struct buf *b = &a->bytes;

	buf_reset(b);
	(void)buf_addf(b, "{\"type\":\"/problems/%s\",\"title\":\"%s\",\"status\":%u,\"detail\":", problems[p].slug,
		       problems[p].title, problems[p].status);
	(void)json_text_add(b, detail);
	(void)buf_add_text(b, ",\"instance\":");
	(void)json_text_add(b, q->id);
	/* Waiting helps against these; the disk's own retry comes every second. */
	if (problems[p].status == 503)
		reply_header(a, "Retry-After", "1");
}

printf_like(2, 0) static const char *print(struct request *q, const char *fmt, va_list args)
{
	char text[512];

	(void)vsnprintf(text, sizeof text, fmt, args);
	return arena_copy(&q->arena, text, strlen(text));
}

void problem_start(struct reply *a, struct request *q, enum problem p, const char *detail, ...)
{
	const char *text;
	va_list args;

	va_start(args, detail);
	text = print(q, detail, args);
	va_end(args);
	start(a, q, p, text ? text : problems[p].title);
}

void problem_end(struct reply *a, enum problem p)
{
	(void)buf_add(&a->bytes, "}\n", 2);
	a->problem = problems[p].slug;
	reply_bytes(a, problems[p].status, MEDIA_PROBLEM);
}

void problem(struct reply *a, struct request *q, enum problem p, const char *detail, ...)
{
	const char *text;
	va_list args;

	va_start(args, detail);
	text = print(q, detail, args);
	va_end(args);
	start(a, q, p, text ? text : problems[p].title);
	problem_end(a, p);
}

void problem_candidates(struct reply *a, const struct candidates *few)
{
	struct buf *b = &a->bytes;

	(void)buf_add_text(b, ",\"candidates\":[");
	for (size_t i = 0; i < few->count; i++) {
		const struct metadata_value *v = metadata_value(container_metadata(few->at[i]));

		(void)buf_add_text(b, i ? ",{\"id\":" : "{\"id\":");
		(void)json_text_add(b, v->id);
		(void)buf_add_text(b, ",\"name\":");
		(void)json_text_add(b, v->name);
		(void)buf_add_byte(b, '}');
	}
	(void)buf_add_byte(b, ']');
}
