/* expect.h - what a test says of an answer.  Each fails the test and prints the request beside the answer. */
#ifndef SUPPORT_EXPECT_H
#define SUPPORT_EXPECT_H

#include "support/http.h"

#define expect_status(r, status) expect_status_at(__FILE__, __LINE__, r, status)
#define expect_problem(r, status, slug) expect_problem_at(__FILE__, __LINE__, r, status, slug)
#define expect_all(r, list) expect_all_at(__FILE__, __LINE__, r, list)
#define expect_fail(r, ...) expect_fail_at(__FILE__, __LINE__, r, __VA_ARGS__)

void expect_status_at(const char *file, int line, const struct reply *, int status);

/* The status, and a body after RFC 9457: its type /problems/<slug>, a title, the same status, a detail, and the
 * request's id as instance; never to be stored by a cache. */
void expect_problem_at(const char *file, int line, const struct reply *, int status, const char *slug);

/*
 * A list of wishes between blanks, each of them
 *     /pointer=text    the value there, as json_text writes it ("(absent)" where there shall be none)
 *     /pointer*=text   contains the text
 *     /pointer!=text   is something else
 *     @Header=text     the same three for a header
 * A blank in a text is written as ^.
 */
void expect_all_at(const char *file, int line, const struct reply *, const char *list);

void expect_fail_at(const char *file, int line, const struct reply *, const char *format, ...)
	__attribute__((format(printf, 4, 5), noreturn));

#endif
