/* judge.h - the verdict on a game: every container's history, and the tags of all. */
#ifndef LINEAR_JUDGE_H
#define LINEAR_JUDGE_H

#include "linear/play.h"

/* How many violations there are; each kind is told on standard output, with the part of the history that shows it. */
size_t judge(const struct game *, const struct player *players, size_t count, int64_t zero_ns);

#endif
