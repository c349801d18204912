/* Histogram of latency.h. */
#include "latency.h"

/* Below 128 ns a value is its own step of power 0; above, the seven bits after the leading one choose the step. */
static unsigned power_of(uint64_t ns)
{
	return ns < LATENCY_STEPS ? 0 : (unsigned)(63 - __builtin_clzll(ns)) - 6;
}

void latency_add(struct latency *l, uint64_t ns)
{
	unsigned power = power_of(ns);
	uint64_t step = power ? (ns >> (power - 1)) - LATENCY_STEPS : ns;

	l->count++;
	if (ns > l->max_ns)
		l->max_ns = ns;
	l->bucket[power][step]++;
}

double latency_us(const struct latency *l, unsigned permille)
{
	uint64_t wanted = (l->count * permille + 999) / 1000, seen = 0;

	for (unsigned power = 0; power < LATENCY_POWERS && wanted > 0; power++) {
		for (unsigned step = 0; step < LATENCY_STEPS; step++) {
			seen += l->bucket[power][step];
			if (seen >= wanted)
				return (power ? (double)((LATENCY_STEPS + (uint64_t)step) << (power - 1)) : step) / 1e3;
		}
	}
	return (double)l->max_ns / 1e3;
}
