#include "persist/manifest.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "container/codec.h"

enum { MANIFEST_FORMAT = 1, CAP_MANIFEST = 4096 };

/* As it stands in the file.  LiveXor uses all 64 bits, which JSON's integers do not have: hex digits. */
struct manifest_file {
	uint32_t format;
	const char *store_id, *live_xor;
	uint64_t first_segment, last_segment, durable_seq, checkpointed_seq, revision, live_count;
	bool clean;
};

static const struct field manifest_fields[] = {
	FIELD(U32,  struct manifest_file, format,           NULL, "Format",          0),
	FIELD(TEXT, struct manifest_file, store_id,         NULL, "StoreId",         0),
	FIELD(U64,  struct manifest_file, first_segment,    NULL, "FirstSegment",    0),
	FIELD(U64,  struct manifest_file, last_segment,     NULL, "LastSegment",     0),
	FIELD(U64,  struct manifest_file, durable_seq,      NULL, "DurableSeq",      0),
	FIELD(U64,  struct manifest_file, checkpointed_seq, NULL, "CheckpointedSeq", 0),
	FIELD(U64,  struct manifest_file, revision,         NULL, "Revision",        0),
	FIELD(U64,  struct manifest_file, live_count,       NULL, "LiveCount",       0),
	FIELD(TEXT, struct manifest_file, live_xor,         NULL, "LiveXor",         0),
	FIELD(BOOL, struct manifest_file, clean,            NULL, "Clean",           0),
};

void store_id_to_text(const uint8_t id[static STORE_ID], char ret_text[static 2 * STORE_ID + 1])
{
	for (size_t i = 0; i < STORE_ID; i++)
		(void)snprintf(ret_text + 2 * i, 3, "%02x", id[i]);
}

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

int store_id_from_text(const char *text, uint8_t ret_id[static STORE_ID])
{
	uint8_t id[STORE_ID];

	if (strlen(text) != 2 * STORE_ID)
		return -EBADMSG;
	for (size_t i = 0; i < STORE_ID; i++) {
		int high = hex_value(text[2 * i]), low = hex_value(text[2 * i + 1]);

		if (high < 0 || low < 0)
			return -EBADMSG;
		id[i] = (uint8_t)(high << 4 | low);
	}
	memcpy(ret_id, id, sizeof id);
	return 0;
}

static int xor_from_text(const char *text, uint64_t *ret)
{
	uint64_t v = 0;

	if (strlen(text) != 16)
		return -EBADMSG;
	for (size_t i = 0; i < 16; i++) {
		int digit = hex_value(text[i]);

		if (digit < 0)
			return -EBADMSG;
		v = v << 4 | (uint64_t)digit;
	}
	*ret = v;
	return 0;
}

static int take_file(const struct manifest_file *f, struct manifest *ret, struct err *err)
{
	struct manifest m = {
		.first_segment = f->first_segment,
		.last_segment = f->last_segment,
		.durable_seq = f->durable_seq,
		.checkpointed_seq = f->checkpointed_seq,
		.revision = f->revision,
		.live = { .count = f->live_count },
		.clean = f->clean,
	};

	if (f->format != MANIFEST_FORMAT)
		return err_say(err, -EBADMSG, "format %u is not known", (unsigned)f->format);
	if (store_id_from_text(f->store_id, m.store_id) < 0 || xor_from_text(f->live_xor, &m.live.xor) < 0)
		return err_say(err, -EBADMSG, "StoreId or LiveXor is malformed");
	if (m.first_segment == 0 || m.first_segment > m.last_segment)
		return err_say(err, -EBADMSG, "the range of segments is empty");
	*ret = m;
	return 0;
}

int manifest_decode(struct slice file, struct manifest *ret, struct err *err)
{
	struct manifest_file f = { .store_id = "", .live_xor = "" };
	auto_arena struct arena arena = ARENA;
	int r = codec_flat_from_disk(file, &arena, manifest_fields, COUNT(manifest_fields), &f, err);

	return r < 0 ? r : take_file(&f, ret, err);
}

int manifest_read(const struct files *files, int journal_dir, struct manifest *ret, struct err *err)
{
	auto_buf struct buf b = BUF(CAP_MANIFEST);
	int r = fsx_read_file(files, journal_dir, MANIFEST_NAME, &b);

	if (r == -EMSGSIZE || r == -EINVAL)
		return err_say(err, -EBADMSG, "is too long, or no regular file");
	if (r < 0)
		return err_set(err, r, "read journal/" MANIFEST_NAME);
	return manifest_decode((struct slice){ b.at, b.len }, ret, err);
}

int manifest_write(const struct files *files, int journal_dir, const struct manifest *m, struct err *err)
{
	auto_buf struct buf b = BUF(CAP_MANIFEST);
	char id[2 * STORE_ID + 1], xor[17];
	const struct manifest_file f = {
		.format = MANIFEST_FORMAT,
		.store_id = id,
		.live_xor = xor,
		.first_segment = m->first_segment,
		.last_segment = m->last_segment,
		.durable_seq = m->durable_seq,
		.checkpointed_seq = m->checkpointed_seq,
		.revision = m->revision,
		.live_count = m->live.count,
		.clean = m->clean,
	};
	int r;

	store_id_to_text(m->store_id, id);
	(void)snprintf(xor, sizeof xor, "%016" PRIx64, m->live.xor);
	r = codec_flat_to_disk(&b, manifest_fields, COUNT(manifest_fields), &f);
	if (r == 0)
		r = fsx_replace(files, journal_dir, "." MANIFEST_NAME ".tmp", MANIFEST_NAME, b.at, b.len);
	if (r == 0)
		r = fsx_sync(files, journal_dir);
	return r < 0 ? err_set(err, r, "write journal/" MANIFEST_NAME) : 0;
}
