/* MANIFEST from any bytes. */
#include "fuzz.h"
#include "persist/manifest.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct manifest m;
	struct err err;

	if (manifest_decode((struct slice){ (const char *)data, size }, &m, &err) == 0)
		must(m.first_segment > 0 && m.first_segment <= m.last_segment);
	return 0;
}
