/* unit.h - what the unit suites share: a runner, vectors as test cases, containers and directories. */
#ifndef UNIT_UNIT_H
#define UNIT_UNIT_H

#include <check.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "container/change.h"
#include "container/container.h"

enum { UNIT_SECONDS = 60 }; /* when a test counts as hung; never a measure of speed */

/* Run the suite, each test in a process of its own, and return main's exit code. */
int unit_main(Suite *);

/* A test case of this name. */
TCase *unit_case(Suite *, const char *name);

/* One row of a table as a test case of its own, so that a report names the vector: <test> runs with _i = <row>. */
void unit_vector(Suite *, const char *name, const TTest *test, int row);

/* A container with these metadata and this status; the caller's reference. */
struct container *unit_container(const struct metadata_value *, const struct status *, uint64_t revision);

/* A status whose missing texts are "". */
struct status unit_status(struct status);

/* Fails with both as JSON unless they are equal. */
void unit_expect_status(const char *what, const struct status *seen, struct status expected);

/* Between two looks at a condition that another thread brings about: some milliseconds for it. */
void unit_look_again(void);

/* A fresh directory below TMPDIR; removed with all it holds. */
char *unit_directory(void);
void unit_remove(const char *directory);

/* The whole file as text; NULL when it is not there.  The caller frees it. */
char *unit_read_file(const char *directory, const char *name);
void unit_write_file(const char *directory, const char *name, const void *bytes, size_t len);

#endif
