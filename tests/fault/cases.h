/* cases.h - many single faults: each in a process of its own, several at a time, counted and told. */
#ifndef FAULT_CASES_H
#define FAULT_CASES_H

#include <stdbool.h>
#include <stddef.h>

/* What one case did; the runner keeps it in memory common with the case's process. */
struct case_note {
	bool struck;     /* the fault was met: there is an nth call */
	unsigned long faults; /* how many single faults that were; most cases are one */
	char wrong[800]; /* "": nothing was wrong */
};

/* Run case <n> (from 1 on) of series <series>, in a process forked for it.  Returns when all is well, or notes in
 * <wrong> and ends the process. */
typedef void case_run(size_t series, int n, struct case_note *);

/* A fresh directory, in memory where there is such a place; the caller frees the name.  What is left of it goes at the end. */
char *case_directory(void);

struct cases {
	size_t series_count;
	const char *(*name)(size_t series, char room[80]);
	case_run *run;
	int seconds; /* a case that takes longer hangs */
};

/* Each series from n = 1 until its fault is met no more, CASES_JOBS (2) of them at a time; with an argument those whose
 * names contain it; with two the case of this name and number alone.  CASES_VERBOSE tells how far each series went.
 * Prints what failed, and last "N passed, N failed"; main's exit status. */
int cases_main(const struct cases *, int argc, char **argv);

#endif
