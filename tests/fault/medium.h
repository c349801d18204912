/* medium.h - a table of file calls with the memory of a bad disk: bytes are safe only once their file was synced.
 *
 * It stands on another table and watches what becomes of each call there.  When a sync fails, the file's bytes since the
 * last good one are gone, as they may be after Linux has called their pages clean; and whoever writes or syncs that file
 * again (or one whose write failed) is noted: it is never to be trusted.  A power cut takes all bytes that were not
 * synced.  Names are safe at once: what becomes of directories in a crash is asked elsewhere. */
#ifndef FAULT_MEDIUM_H
#define FAULT_MEDIUM_H

#include "base/fsx.h"

extern struct files files_medium;

/* Stand on <below>, with nothing pending or distrusted.  What is noted is common to this process and those forked from it,
 * one of them working at a time. */
void medium_begin(const struct files *below);

/* Forget which bytes were not synced: they are safe now.  What is distrusted stays so. */
void medium_settle(void);

/* All calls fail from now on without doing anything, and what was not synced is gone.  The process should end then. */
void medium_cut_power(void);

/* The first call that should not have been: "" when there was none. */
const char *medium_complaint(void);

#endif
