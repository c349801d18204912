#include "base/clock.h"

#include <time.h>

static int64_t read_clock(clockid_t which)
{
	struct timespec t;

	/* Cannot fail: the clock is known and the pointer is ours. */
	(void)clock_gettime(which, &t);
	return t.tv_sec * NS_PER_S + t.tv_nsec;
}

static int64_t system_real(const struct clock *c)
{
	(void)c;
	return read_clock(CLOCK_REALTIME);
}

static int64_t system_mono(const struct clock *c)
{
	(void)c;
	return read_clock(CLOCK_MONOTONIC);
}

const struct clock clock_system = { system_real, system_mono };
