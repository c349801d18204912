/* Helpers of bench.h. */
#define _GNU_SOURCE
#include "bench.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

uint64_t now_ns(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t); /* cannot fail for this clock */
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

void die(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	(void)fprintf(stderr, "%s: ", program_invocation_short_name);
	(void)vfprintf(stderr, format, args);
	(void)fputc('\n', stderr);
	va_end(args);
	exit(1);
}

void *need_memory(size_t count, size_t size)
{
	void *p = calloc(count ? count : 1, size);

	if (!p)
		die("out of memory");
	return p;
}

uint64_t need_number(const char *what, const char *text, uint64_t min, uint64_t max)
{
	char *end;
	unsigned long long n;

	errno = 0;
	n = strtoull(text, &end, 10);
	if (errno || end == text || *end || *text == '-' || n < min || n > max)
		die("%s must be a number from %llu to %llu, not \"%s\"", what, (unsigned long long)min,
			(unsigned long long)max, text);
	return n;
}

uint64_t mix64(uint64_t n)
{
	uint64_t z = (n + 1) * 0x9e3779b97f4a7c15u;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

void write_id(char *ret_id, uint64_t index)
{
	static const char digits[] = "0123456789abcdef";

	for (unsigned word = 0; word < 4; word++) {
		uint64_t bits = mix64(index * 4 + word);

		for (unsigned i = 0; i < 16; i++)
			ret_id[word * 16 + i] = digits[bits >> (60 - 4 * i) & 15];
	}
}
