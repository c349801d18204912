/* log.h - structured lines on standard error.
 *
 *   time=2026-01-02T03:04:05.678Z level=info msg="store loaded" containers=3 root=/var/lib/tallyd
 *
 * One write(2) a line, from any thread.  Values are quoted when they need it and control characters are escaped, so
 * that no name a client chose can forge a line.  Who may log: main, the lifecycle, the top function of a thread, and
 * the HTTP server; modules return struct err instead. */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stdbool.h>
#include <stdint.h>

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };

struct log_field {
	const char *key; /* NULL ends a list */
	const char *text; /* or NULL: then the number counts */
	int64_t number;
};
#define LOG_TEXT(key_, value_) { .key = (key_), .text = (value_) }
#define LOG_NUMBER(key_, value_) { .key = (key_), .number = (int64_t)(value_) }

/* Lines below this level are dropped.  Set once, before threads start. */
void log_set_level(enum log_level);
bool log_wants(enum log_level);

void log_write(enum log_level, const char *message, const struct log_field *fields);

#define log_at(level_, message_, ...) \
	log_write((level_), (message_), (const struct log_field[]){ __VA_ARGS__ __VA_OPT__(,) { 0 } })
#define log_debug(...) log_at(LOG_DEBUG, __VA_ARGS__)
#define log_info(...) log_at(LOG_INFO, __VA_ARGS__)
#define log_warn(...) log_at(LOG_WARN, __VA_ARGS__)
#define log_error(...) log_at(LOG_ERROR, __VA_ARGS__)

/* Name of a level and back; -1 for an unknown name. */
const char *log_level_name(enum log_level);
int log_level_parse(const char *name);

#endif
