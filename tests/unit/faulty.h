/* faulty.h - a table of file calls in which chosen calls fail, as a disk would make them fail. */
#ifndef UNIT_FAULTY_H
#define UNIT_FAULTY_H

#include <stdbool.h>

#include "base/fsx.h"

enum faulty_call {
	CALL_OPEN = 1 << 0, CALL_PWRITE = 1 << 1, CALL_FSYNC = 1 << 2, CALL_FDATASYNC = 1 << 3, CALL_MKDIR = 1 << 4,
	CALL_UNLINK = 1 << 5, CALL_RENAME = 1 << 6, CALL_PREAD = 1 << 7,
	CALL_MAKES = 1 << 8, /* an open that would make a file */
	CALL_ANY_CHANGE = CALL_PWRITE | CALL_FSYNC | CALL_FDATASYNC | CALL_MKDIR | CALL_UNLINK | CALL_RENAME | CALL_MAKES,
};

/* While armed: calls of these kinds on paths with <where> in them fail with <error>, after <pass> of them have passed,
 * <count> times (-1: for ever).  A pwrite that fails with <torn> writes half of its bytes first. */
struct faulty_rule {
	unsigned calls;
	const char *where;
	int error, pass, count;
	bool torn;
	bool aborts; /* the process ends instead: there must be no such call */
};
void faulty_arm(struct faulty_rule);
void faulty_disarm(void);

/* How many calls failed since the last arming; of those watched, how many were made at all. */
int faulty_failed(void);
int faulty_seen(void);

extern const struct files files_faulty;

#endif
