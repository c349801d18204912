#include "support/expect.h"

#include <check.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/text.h"

void expect_fail_at(const char *file, int line, const struct reply *r, const char *format, ...)
{
	char *why = NULL;
	va_list args;

	va_start(args, format);
	if (vasprintf(&why, format, args) < 0)
		abort();
	va_end(args);
	_ck_assert_failed(file, line, "expectation", "%s: %s\n  answered %d %s %s\n  %s", r->request, why, r->status,
			  r->error ? r->error : "", text_show(r->head, strlen(r->head), 500),
			  text_show(r->body, r->len, 700));
}

void expect_status_at(const char *file, int line, const struct reply *r, int status)
{
	if (r->status != status)
		expect_fail_at(file, line, r, "expected %d", status);
}

void expect_problem_at(const char *file, int line, const struct reply *r, int status, const char *slug)
{
	const char *type = reply_header(r, "Content-Type"), *id = reply_header(r, "X-Request-Id");

	expect_status_at(file, line, r, status);
	if (!type || strncmp(type, "application/problem+json", 24) != 0)
		expect_fail_at(file, line, r, "expected application/problem+json, not %s", type ? type : "nothing");
	if (!r->json)
		expect_fail_at(file, line, r, "the problem is no JSON");
	expect_all_at(file, line, r, text("/type=/problems/%s /status=%d @Cache-Control*=no-store", slug, status));
	if (!json_is_string(json_at(r->json, "/title")) || !json_is_string(json_at(r->json, "/detail")))
		expect_fail_at(file, line, r, "a problem has a title and a detail");
	if (!id || !strstr(json_text(r->json, "/instance"), id))
		expect_fail_at(file, line, r, "the instance is the request's id %s", id ? id : "(none)");
}

static const char *look_up(const struct reply *r, const char *name)
{
	const char *value;

	if (*name == '/')
		return r->json ? json_text(r->json, name) : "(no JSON)";
	value = reply_header(r, name + 1);
	return value ? value : "(absent)";
}

static bool holds(const char *seen, char how, const char *wanted)
{
	switch (how) {
	case '*':
		return strstr(seen, wanted) != NULL;
	case '!':
		return strcmp(seen, wanted) != 0;
	default:
		return strcmp(seen, wanted) == 0;
	}
}

void expect_all_at(const char *file, int line, const struct reply *r, const char *list)
{
	while (list && *(list += strspn(list, " "))) {
		size_t len = strcspn(list, " ");
		char *wish = text_copy(list, len), *equals = strchr(wish, '='), *value, how = '=';
		const char *seen;

		list += len;
		ck_assert_msg(equals && equals > wish, "a wish without '=': %s", wish);
		value = equals + 1;
		if (equals[-1] == '*' || equals[-1] == '!')
			how = *--equals;
		*equals = '\0';
		for (char *p = value; (p = strchr(p, '^'));)
			*p = ' ';
		seen = look_up(r, wish);
		if (!holds(seen, how, value))
			expect_fail_at(file, line, r, "%s %c= %s, but it is %s", wish, how, value, seen);
	}
}
