/* suite.h - the main of every suite, and what its processes share. */
#ifndef SUPPORT_SUITE_H
#define SUPPORT_SUITE_H

#include <check.h>
#include <stddef.h>

/*
 * Run <suite>, each test in a process of its own, and return main's exit code: 0 when all passed.
 *
 * Every temporary directory made meanwhile lies in one directory (TMPDIR is set to it) that goes at the end.  When a
 * test failed, the newest of what the servers wrote on standard error is printed.
 */
int suite_main(Suite *suite);

/* A test case of this suite: SUITE_SECONDS for each test, the given unchecked fixture (NULL for none) around it. */
TCase *suite_case(Suite *suite, const char *name, void (*setup)(void), void (*teardown)(void));

/* Copy what a server said into the record that suite_main prints.  Any thread, any process of the suite. */
void suite_log(const char *bytes, size_t count);

/* A fresh directory under TMPDIR, and the way to remove it with all it holds. */
char *suite_directory(void);
void suite_remove(const char *directory);

/* Let the suite fail, for what goes wrong outside of any test. */
void suite_fail(const char *why);

/* Say once, on standard output, that something cannot be tested here and why. */
void suite_skip(const char *what, const char *why);

/* Seconds on the monotonic clock, and a pause in a loop that waits for a thing it cannot be told of. */
double suite_now(void);
void suite_pause_ms(unsigned ms);

/* How long anything may take before it counts as hung.  Never a measure of speed: sanitized builds are slow. */
enum { SUITE_SECONDS = 60, SUITE_WAIT_SECONDS = 25 };

#endif
