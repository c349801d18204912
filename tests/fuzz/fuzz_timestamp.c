/* Moments as text: what is read is the moment that is written, and every int64 can be written and read. */
#include "fuzz.h"

#include <string.h>

#include "container/timestamp.h"

static void check_round_trip(int64_t ns)
{
	char text[TIMESTAMP_LEN + 1];
	int64_t again;

	timestamp_format(ns, text);
	must(strlen(text) == TIMESTAMP_LEN);
	must(timestamp_parse(text, TIMESTAMP_LEN, &again));
	must(again == ns);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int64_t ns = 0;

	if (size >= sizeof ns) {
		memcpy(&ns, data, sizeof ns);
		check_round_trip(ns);
	}
	if (timestamp_parse((const char *)data, size, &ns))
		check_round_trip(ns);
	return 0;
}
