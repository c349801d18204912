/* text.h - strings a test makes by the way.
 *
 * Everything handed out here lives until the process ends and stays reachable, so that leak checkers find nothing
 * to say: a test is a short-lived process of its own.  Any thread may call. */
#ifndef SUPPORT_TEXT_H
#define SUPPORT_TEXT_H

#include <stddef.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* printf into memory. */
char *text(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* <count> bytes of <bytes>, ended by NUL. */
char *text_copy(const char *bytes, size_t count);

/* <piece> written <count> times. */
char *text_repeat(const char *piece, size_t count);

/* <template> with every {name} put in place of its value; <pairs> is name, value, name, value, ..., NULL. */
char *text_fill(const char *template, const char *const *pairs);

/* The bytes with everything unprintable escaped, at most <most> of them: for messages. */
char *text_show(const char *bytes, size_t count, size_t most);

/* A file's bytes, NUL after them, or NULL when it cannot be read. */
char *text_of_file(const char *path, size_t *ret_len);

/* Write <content> to <path>, replacing what is there.  0 or -1. */
int text_to_file(const char *path, const char *content);

#endif
