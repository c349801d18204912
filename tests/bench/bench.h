/* bench.h - the few things that the load generator and the yardsticks share.
 *
 * These programs stand alone: they include nothing of the service, so that a yardstick can never gain from, or
 * be spoilt by, the code it is held against.  They are short-lived and run by a script: a fault of theirs
 * ends the process with one line on standard error, and the script throws the round away. */
#ifndef BENCH_H
#define BENCH_H

#include <stddef.h>
#include <stdint.h>

#define must_check __attribute__((warn_unused_result))
#define printf_like(f, a) __attribute__((format(printf, f, a)))
#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

enum {
	ID_LEN = 64,      /* of every id here: as long as those that Docker and containerd give */
	CAP_PIDS = 8,     /* processes whose CPU time one run may add up */
	CAP_REPLY_HEAD = 8192
};

/* CLOCK_MONOTONIC in nanoseconds. */
uint64_t now_ns(void);

/* One line on standard error, then exit 1. */
_Noreturn void die(const char *format, ...) printf_like(1, 2);

/* malloc() and calloc() that end the process instead of returning NULL. */
must_check void *need_memory(size_t count, size_t size);

/* The whole of <text> as a decimal number in [min, max], or the process ends naming <what>. */
must_check uint64_t need_number(const char *what, const char *text, uint64_t min, uint64_t max);

/* Stateless mixing of 64 bits (splitmix64's finaliser over a golden-ratio walk): equal in benchlib/ids.py. */
uint64_t mix64(uint64_t n);

/* Write the id of container <index>, ID_LEN lower-case hex digits, no NUL.  Spread over the whole range, so
 * that neighbours in the index are no neighbours in memory. */
void write_id(char *ret_id, uint64_t index);

#endif
