/* clock.h - time as a value that is passed in.
 *
 * Nobody else asks the system what time it is, so that a test can hold a clock of its own and move it by hand. */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdint.h>

enum { NS_PER_US = 1000, NS_PER_MS = 1000 * 1000 };
#define NS_PER_S INT64_C(1000000000)

struct clock {
	int64_t (*real_ns)(const struct clock *); /* ns since 1970; may step in either direction */
	int64_t (*mono_ns)(const struct clock *); /* ns since some start; never goes back */
};

/* The machine's own clocks. */
extern const struct clock clock_system;

static inline int64_t clock_real(const struct clock *c)
{
	return c->real_ns(c);
}

static inline int64_t clock_mono(const struct clock *c)
{
	return c->mono_ns(c);
}

#endif
