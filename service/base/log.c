#include "base/log.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"

enum { CAP_LOG_LINE = 4096 }; /* below PIPE_BUF: a line is written whole or not at all */

static atomic_int lowest = LOG_INFO;

static const char *const names[] = {
	[LOG_DEBUG] = "debug", [LOG_INFO] = "info", [LOG_WARN] = "warn", [LOG_ERROR] = "error",
};

void log_set_level(enum log_level level)
{
	atomic_store(&lowest, (int)level);
}

bool log_wants(enum log_level level)
{
	return (int)level >= atomic_load_explicit(&lowest, memory_order_relaxed);
}

const char *log_level_name(enum log_level level)
{
	return names[level];
}

int log_level_parse(const char *name)
{
	for (size_t i = 0; i < COUNT(names); i++)
		if (!strcmp(names[i], name))
			return (int)i;
	return -1;
}

static bool is_plain(const char *text)
{
	for (const char *p = text; *p; p++)
		if ((unsigned char)*p <= ' ' || *p == '"' || *p == '=' || *p == '\\' || (unsigned char)*p >= 0x7f)
			return false;
	return text[0] != '\0';
}

static void add_quoted(struct buf *b, const char *text)
{
	(void)buf_add_byte(b, '"');
	for (const char *p = text; *p; p++) {
		unsigned char c = (unsigned char)*p;

		if (c == '"' || c == '\\')
			(void)buf_addf(b, "\\%c", c);
		else if (c < ' ' || c == 0x7f)
			(void)buf_addf(b, "\\x%02x", c);
		else
			(void)buf_add_byte(b, (char)c);
	}
	(void)buf_add_byte(b, '"');
}

static void add_value(struct buf *b, const char *text)
{
	if (is_plain(text))
		(void)buf_add_text(b, text);
	else
		add_quoted(b, text);
}

static void add_time(struct buf *b)
{
	int64_t now = clock_real(&clock_system);
	time_t seconds = (time_t)(now / NS_PER_S);
	char text[32];
	struct tm tm;

	if (!gmtime_r(&seconds, &tm) || strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &tm) == 0)
		return;
	(void)buf_addf(b, "time=%s.%03dZ ", text, (int)(now % NS_PER_S / NS_PER_MS));
}

void log_write(enum log_level level, const char *message, const struct log_field *fields)
{
	struct buf line = BUF(CAP_LOG_LINE - 1); /* a longer line is cut at the last field that fits */
	ssize_t n;

	if (!log_wants(level))
		return;
	add_time(&line);
	(void)buf_addf(&line, "level=%s msg=", names[level]);
	add_value(&line, message);
	for (; fields->key; fields++) {
		(void)buf_addf(&line, " %s=", fields->key);
		if (fields->text)
			add_value(&line, fields->text);
		else
			(void)buf_add_i64(&line, fields->number);
	}
	line.cap = CAP_LOG_LINE; /* room for the newline even when the rest filled it */
	if (buf_add_byte(&line, '\n') == 0) {
		do
			n = write(STDERR_FILENO, line.at, line.len);
		while (n < 0 && errno == EINTR); /* nobody is left to tell when this fails */
	}
	buf_free(&line);
}
