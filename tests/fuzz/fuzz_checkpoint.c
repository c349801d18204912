/* The files of a container from any bytes.  What can be read is written again, and reads the same. */
#include <string.h>

#include "container/codec.h"
#include "fuzz.h"

static void try_status(struct slice file)
{
	auto_arena struct arena arena = ARENA;
	auto_buf struct buf b = BUF(8 * CAP_STATUS_FILE);
	struct status s, again;
	struct stamp stamp;
	struct err err;

	if (codec_status_from_disk(file, &arena, &s, &stamp, &err) < 0)
		return;
	if (codec_status_to_disk(&b, &s, &(struct stamp){ .present = true, .id = "a" }) < 0)
		return;
	must(codec_status_from_disk((struct slice){ b.at, b.len }, &arena, &again, &stamp, &err) == 0);
	must(status_equal(&s, &again));
}

static void try_metadata(struct slice file)
{
	auto_arena struct arena arena = ARENA;
	auto_buf struct buf b = BUF(8 * CAP_METADATA_FILE);
	struct metadata_value v, again;
	struct stamp stamp;
	struct err err;

	if (codec_metadata_from_disk(file, &arena, &v, &stamp, &err) < 0)
		return;
	if (codec_metadata_to_disk(&b, &v, 1) < 0)
		return;
	must(codec_metadata_from_disk((struct slice){ b.at, b.len }, &arena, &again, &stamp, &err) == 0);
	must(!strcmp(v.id, again.id) && !strcmp(v.name, again.name));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct slice file = { (const char *)data, size };

	try_status(file);
	try_metadata(file);
	return 0;
}
