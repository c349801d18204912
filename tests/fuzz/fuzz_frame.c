/* Segment headers, frames and records from any bytes.  The checksum is made right where it is wrong, so that what
 * stands behind it is reached too. */
#include <string.h>

#include "fuzz.h"
#include "persist/frame.h"

static void read_records(struct slice payload)
{
	struct record r;
	size_t at = 0;

	while (record_next(payload, &at, &r) > 0) {
		must(r.id.at >= payload.at && r.id.len > 0 && at <= payload.len);
		must(r.status.at + r.status.len <= payload.at + at);
		must(r.id.at + r.id.len == r.metadata.at && r.metadata.at + r.metadata.len == r.status.at);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t block[FRAME_BLOCK] = { 0 }, framed[2 * FRAME_BLOCK] = { 0 };
	struct segment_header h;
	struct frame f = { .records = 1 };
	struct err err;

	memcpy(block, data, size < sizeof block ? size : sizeof block);
	(void)!segment_header_decode(block, &h, &err);
	(void)!frame_decode(data, size, &f);
	read_records((struct slice){ (const char *)data, size });
	f.payload_len = (uint32_t)(size < FRAME_BLOCK ? size : FRAME_BLOCK);
	memcpy(framed + FRAME_HEADER, data, f.payload_len);
	frame_encode(&f, framed);
	must(frame_decode(framed, sizeof framed, &f) == 0);
	read_records((struct slice){ (const char *)framed + FRAME_HEADER, f.payload_len });
	return 0;
}
