#include "persist/frame.h"

#include <errno.h>
#include <string.h>
#include <zlib.h>

#include "container/id.h"

#define FRAME_MAGIC UINT32_C(0x4d464454) /* "TDFM" */
static const char segment_magic[8] = "TLDYSEG1";
enum { SEGMENT_FORMAT = 1, SEGMENT_CRC_AT = 12 };

/* ---- integers ---- */

static void put16(uint8_t *at, uint16_t v)
{
	at[0] = (uint8_t)v;
	at[1] = (uint8_t)(v >> 8);
}

static void put32(uint8_t *at, uint32_t v)
{
	put16(at, (uint16_t)v);
	put16(at + 2, (uint16_t)(v >> 16));
}

static void put64(uint8_t *at, uint64_t v)
{
	put32(at, (uint32_t)v);
	put32(at + 4, (uint32_t)(v >> 32));
}

static uint16_t get16(const uint8_t *at)
{
	return (uint16_t)(at[0] | at[1] << 8);
}

static uint32_t get32(const uint8_t *at)
{
	return get16(at) | (uint32_t)get16(at + 2) << 16;
}

static uint64_t get64(const uint8_t *at)
{
	return get32(at) | (uint64_t)get32(at + 4) << 32;
}

/* The checksum of <len> bytes as if the four at <hole> were zero: where the checksum itself stands. */
static uint32_t crc_around(const uint8_t *at, size_t len, size_t hole)
{
	static const uint8_t zeros[4];
	uLong crc = crc32_z(0, at, hole);

	crc = crc32_z(crc, zeros, sizeof zeros);
	return (uint32_t)crc32_z(crc, at + hole + 4, len - hole - 4);
}

/* ---- segments ---- */

void segment_header_encode(const struct segment_header *h, uint8_t ret_block[static FRAME_BLOCK])
{
	memset(ret_block, 0, FRAME_BLOCK);
	memcpy(ret_block, segment_magic, sizeof segment_magic);
	put32(ret_block + 8, SEGMENT_FORMAT);
	put64(ret_block + 16, h->segno);
	put64(ret_block + 24, h->base_seq);
	put64(ret_block + 32, h->base_revision);
	put64(ret_block + 40, h->size);
	memcpy(ret_block + 48, h->store_id, STORE_ID);
	put32(ret_block + SEGMENT_CRC_AT, crc_around(ret_block, FRAME_BLOCK, SEGMENT_CRC_AT));
}

int segment_header_decode(const uint8_t block[static FRAME_BLOCK], struct segment_header *ret, struct err *err)
{
	if (memcmp(block, segment_magic, sizeof segment_magic) != 0)
		return err_say(err, -EBADMSG, "the header's magic is missing");
	if (get32(block + SEGMENT_CRC_AT) != crc_around(block, FRAME_BLOCK, SEGMENT_CRC_AT))
		return err_say(err, -EBADMSG, "the header's checksum does not match");
	if (get32(block + 8) != SEGMENT_FORMAT)
		return err_say(err, -EBADMSG, "format %u is not known", (unsigned)get32(block + 8));
	*ret = (struct segment_header){
		.segno = get64(block + 16),
		.base_seq = get64(block + 24),
		.base_revision = get64(block + 32),
		.size = get64(block + 40),
	};
	memcpy(ret->store_id, block + 48, STORE_ID);
	return 0;
}

/* ---- frames ---- */

void frame_encode(const struct frame *f, uint8_t *at)
{
	memset(at, 0, FRAME_HEADER);
	put32(at, FRAME_MAGIC);
	put64(at + 8, f->seq);
	put64(at + 16, f->segno);
	put64(at + 24, f->base_revision);
	put64(at + 32, f->durable_seq);
	put32(at + 48, f->payload_len);
	put32(at + 52, f->records);
	put32(at + 56, f->flags);
	put32(at + 4, crc_around(at, FRAME_HEADER + (size_t)f->payload_len, 4));
}

int frame_decode(const uint8_t *at, size_t room, struct frame *ret)
{
	uint32_t len;

	if (room < FRAME_HEADER || get32(at) != FRAME_MAGIC)
		return -EBADMSG;
	len = get32(at + 48);
	if (len > FRAME_PAYLOAD_MAX || frame_room(len) > room)
		return -EBADMSG;
	if (get32(at + 4) != crc_around(at, FRAME_HEADER + (size_t)len, 4))
		return -EBADMSG;
	*ret = (struct frame){
		.seq = get64(at + 8),
		.segno = get64(at + 16),
		.base_revision = get64(at + 24),
		.durable_seq = get64(at + 32),
		.payload_len = len,
		.records = get32(at + 52),
		.flags = get32(at + 56),
	};
	return 0;
}

/* ---- records ---- */

static size_t pad8(size_t n)
{
	return (8 - n % 8) % 8;
}

struct record_mark record_begin(struct buf *b, const struct record *head)
{
	struct record_mark mark = { .start = b->len };
	uint8_t h[RECORD_HEADER] = { head->type, head->flags };

	put16(h + 2, (uint16_t)head->id.len);
	put64(h + 16, head->revision);
	put64(h + 24, head->prev_revision);
	put64(h + 32, (uint64_t)head->time_ns);
	(void)buf_add(b, h, sizeof h);
	(void)buf_add(b, head->id.at, head->id.len);
	mark.middle = b->len;
	return mark;
}

void record_middle(struct buf *b, struct record_mark *mark)
{
	uint8_t *lengths = (uint8_t *)b->at + mark->start + 4;

	if (b->failed)
		return;
	put32(lengths, (uint32_t)(b->len - mark->middle));
	mark->middle = b->len;
}

int record_end(struct buf *b, const struct record_mark *mark)
{
	if (!b->failed)
		put32((uint8_t *)b->at + mark->start + 8, (uint32_t)(b->len - mark->middle));
	/* Relative to the record, not to the buffer: a payload begins on an 8-byte boundary of its own. */
	(void)buf_add_zeros(b, pad8(b->len - mark->start));
	return b->failed;
}

static bool is_known(uint8_t type)
{
	return type >= RECORD_CREATE && type <= RECORD_DAMAGE;
}

int record_next(struct slice payload, size_t *at, struct record *ret)
{
	size_t left = payload.len - *at, id_len, metadata_len, status_len, len;
	const uint8_t *h = (const uint8_t *)payload.at + *at;
	const char *texts = payload.at + *at + RECORD_HEADER;

	if (left == 0)
		return 0;
	if (left < RECORD_HEADER || !is_known(h[0]))
		return -EBADMSG;
	id_len = get16(h + 2);
	metadata_len = get32(h + 4);
	status_len = get32(h + 8);
	/* Each is below 2^32: their sum cannot wrap. */
	len = RECORD_HEADER + id_len + metadata_len + status_len;
	len += pad8(len);
	if (len > left || !id_is_valid(texts, id_len))
		return -EBADMSG;
	*ret = (struct record){
		.type = h[0],
		.flags = h[1],
		.id = { texts, id_len },
		.metadata = { texts + id_len, metadata_len },
		.status = { texts + id_len + metadata_len, status_len },
		.revision = get64(h + 16),
		.prev_revision = get64(h + 24),
		.time_ns = (int64_t)get64(h + 32),
	};
	*at += len;
	return 1;
}
