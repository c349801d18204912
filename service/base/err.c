#include "base/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void mark_cut(struct err *e)
{
	memcpy(e->text + sizeof e->text - 4, "...", 4);
}

printf_like(3, 0) static void put_text(struct err *e, int code, const char *fmt, va_list args)
{
	int n = vsnprintf(e->text, sizeof e->text, fmt, args);

	e->code = code;
	if (n < 0)
		e->text[0] = '\0';
	else if ((size_t)n >= sizeof e->text)
		mark_cut(e);
}

int err_set(struct err *e, int code, const char *fmt, ...)
{
	va_list args;
	size_t len;

	va_start(args, fmt);
	put_text(e, code, fmt, args);
	va_end(args);
	len = strlen(e->text);
	if (snprintf(e->text + len, sizeof e->text - len, ": %s", strerror(-code)) >= (int)(sizeof e->text - len))
		mark_cut(e);
	return code;
}

int err_say(struct err *e, int code, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	put_text(e, code, fmt, args);
	va_end(args);
	return code;
}

int err_wrap(struct err *e, const char *fmt, ...)
{
	const struct err inner = *e;
	va_list args;
	size_t len;

	va_start(args, fmt);
	put_text(e, inner.code, fmt, args);
	va_end(args);
	len = strlen(e->text);
	if (snprintf(e->text + len, sizeof e->text - len, ": %s", inner.text) >= (int)(sizeof e->text - len))
		mark_cut(e);
	return e->code;
}
