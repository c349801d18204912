/* faulty.h - a table of file calls in which chosen calls fail, as a disk would make them fail. */
#ifndef UNIT_FAULTY_H
#define UNIT_FAULTY_H

#include <stdbool.h>

#include "base/fsx.h"

enum faulty_call {
	CALL_OPEN = 1 << 0, CALL_PWRITE = 1 << 1, CALL_FSYNC = 1 << 2, CALL_FDATASYNC = 1 << 3, CALL_MKDIR = 1 << 4,
	CALL_UNLINK = 1 << 5, CALL_RENAME = 1 << 6, CALL_PREAD = 1 << 7,
	CALL_MAKES = 1 << 8, /* an open that would make a file */
	CALL_CLOSE = 1 << 9, CALL_FSTAT = 1 << 10, CALL_FSTATAT = 1 << 11, CALL_FCHMOD = 1 << 12, CALL_FCHMODAT = 1 << 13,
	CALL_FLOCK = 1 << 14, CALL_FDOPENDIR = 1 << 15, CALL_READDIR = 1 << 16, CALL_CLOSEDIR = 1 << 17,
	CALL_ANY_CHANGE = CALL_PWRITE | CALL_FSYNC | CALL_FDATASYNC | CALL_MKDIR | CALL_UNLINK | CALL_RENAME | CALL_MAKES,
};

enum faulty_cut { CUT_NONE, CUT_ONE_BYTE, CUT_HALF };

/* While armed: calls of these kinds on paths with <where> in them fail with <error>, after <pass> of them have passed,
 * <count> times (-1: for ever).  A pwrite that fails with <torn> writes half of its bytes first.  A close that fails has
 * closed, as on Linux. */
struct faulty_rule {
	unsigned calls;
	const char *where;
	int error, pass, count;
	bool torn;
	bool aborts;         /* the process ends instead: there must be no such call */
	enum faulty_cut cut; /* instead of failing, pread and pwrite move only so much */
	bool alternates;     /* of those that would fail every second one passes: what is tried again gets on */
	bool hides_types;    /* readdir does not say what an entry is, as on some file systems */
};
void faulty_arm(struct faulty_rule);
void faulty_disarm(void);

/* From now on rule and counts are common to this process and those forked from it, one of them working at a time. */
void faulty_share(void);

/* How many calls failed since the last arming; of those watched, how many were made at all. */
int faulty_failed(void);
int faulty_seen(void);

extern const struct files files_faulty;

#endif
