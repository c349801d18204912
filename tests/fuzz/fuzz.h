/* fuzz.h - what the fuzz targets share.  An invariant that does not hold ends the process, which is a finding. */
#ifndef FUZZ_FUZZ_H
#define FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define must(condition_)                                                                        \
	do {                                                                                    \
		if (!(condition_)) {                                                            \
			(void)fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition_);  \
			abort();                                                                \
		}                                                                               \
	} while (0)

#endif
