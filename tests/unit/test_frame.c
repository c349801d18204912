/* The journal's bytes, without a disk. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "persist/frame.h"
#include "persist/manifest.h"
#include "persist/segment.h"
#include "unit.h"

static const struct segment_header header = { 7, 12, 34, 65536, "0123456789abcde" };

START_TEST(segment_header)
{
	static const uint8_t head[] = { 'T', 'L', 'D', 'Y', 'S', 'E', 'G', '1', 1, 0, 0, 0 };
	uint8_t block[FRAME_BLOCK];
	struct segment_header h;
	struct err err;

	segment_header_encode(&header, block);
	ck_assert_mem_eq(block, head, sizeof head);
	ck_assert_uint_eq(block[16], 7);
	ck_assert_uint_eq(block[24], 12);
	ck_assert_uint_eq(block[32], 34);
	ck_assert_uint_eq(block[42], 1); /* 65536, little-endian */
	ck_assert_int_eq(segment_header_decode(block, &h, &err), 0);
	ck_assert_uint_eq(h.segno, 7);
	ck_assert_uint_eq(h.base_seq, 12);
	ck_assert_uint_eq(h.base_revision, 34);
	ck_assert_uint_eq(h.size, 65536);
	ck_assert_mem_eq(h.store_id, header.store_id, STORE_ID);
}
END_TEST

START_TEST(every_bit_of_a_segment_header_counts)
{
	uint8_t block[FRAME_BLOCK];
	struct segment_header h;
	struct err err;

	segment_header_encode(&header, block);
	for (size_t bit = 0; bit < 8 * FRAME_BLOCK; bit += bit < 1024 ? 1 : 37) {
		block[bit / 8] ^= (uint8_t)(1 << bit % 8);
		ck_assert_int_eq(segment_header_decode(block, &h, &err), -EBADMSG);
		block[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	ck_assert_int_eq(segment_header_decode(block, &h, &err), 0);
}
END_TEST

static size_t make_frame(uint8_t *at, const char *payload, uint32_t flags)
{
	struct frame f = { .seq = 5, .segno = 7, .base_revision = 100, .durable_seq = 4, .records = 1, .flags = flags };

	memset(at, 0, 2 * FRAME_BLOCK);
	f.payload_len = (uint32_t)strlen(payload);
	memcpy(at + FRAME_HEADER, payload, f.payload_len);
	frame_encode(&f, at);
	return frame_room(f.payload_len);
}

START_TEST(frame)
{
	uint8_t at[2 * FRAME_BLOCK];
	struct frame f;

	ck_assert_uint_eq(make_frame(at, "payload", FRAME_COPY), FRAME_BLOCK);
	ck_assert_int_eq(frame_decode(at, sizeof at, &f), 0);
	ck_assert_uint_eq(f.seq, 5);
	ck_assert_uint_eq(f.segno, 7);
	ck_assert_uint_eq(f.base_revision, 100);
	ck_assert_uint_eq(f.durable_seq, 4);
	ck_assert_uint_eq(f.payload_len, 7);
	ck_assert_uint_eq(f.records, 1);
	ck_assert_uint_eq(f.flags, FRAME_COPY);
	for (size_t bit = 0; bit < 8 * (FRAME_HEADER + 7); bit++) {
		at[bit / 8] ^= (uint8_t)(1 << bit % 8);
		ck_assert_int_eq(frame_decode(at, sizeof at, &f), -EBADMSG);
		at[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	/* Never beyond what it was given. */
	ck_assert_int_eq(frame_decode(at, FRAME_BLOCK - 1, &f), -EBADMSG);
	ck_assert_int_eq(frame_decode(at, FRAME_HEADER - 1, &f), -EBADMSG);
	ck_assert_int_eq(frame_decode(at, 0, &f), -EBADMSG);
}
END_TEST

START_TEST(frame_rooms)
{
	ck_assert_uint_eq(frame_room(0), FRAME_BLOCK);
	ck_assert_uint_eq(frame_room(FRAME_BLOCK - FRAME_HEADER), FRAME_BLOCK);
	ck_assert_uint_eq(frame_room(FRAME_BLOCK - FRAME_HEADER + 1), 2 * FRAME_BLOCK);
}
END_TEST

static void add_record(struct buf *b, uint8_t type, const char *id, const char *metadata, const char *status, uint64_t revision)
{
	const struct record head = { .type = type, .flags = RECORD_TRANSIENT, .id = { id, strlen(id) }, .revision = revision,
				     .prev_revision = revision - 1, .time_ns = -5 };
	struct record_mark mark = record_begin(b, &head);

	(void)buf_add_text(b, metadata);
	record_middle(b, &mark);
	(void)buf_add_text(b, status);
	ck_assert_int_eq(record_end(b, &mark), 0);
	ck_assert_uint_eq(b->len % 8, 0);
}

static void expect_record(struct slice payload, size_t *at, const char *id, const char *metadata, const char *status)
{
	struct record r;

	ck_assert_int_eq(record_next(payload, at, &r), 1);
	ck_assert_uint_eq(r.id.len, strlen(id));
	ck_assert_mem_eq(r.id.at, id, r.id.len);
	ck_assert_uint_eq(r.metadata.len, strlen(metadata));
	ck_assert(!strncmp(r.metadata.at, metadata, r.metadata.len));
	ck_assert_uint_eq(r.status.len, strlen(status));
	ck_assert(!strncmp(r.status.at, status, r.status.len));
	ck_assert_int_eq(r.time_ns, -5);
	ck_assert_uint_eq(r.flags, RECORD_TRANSIENT);
	ck_assert_uint_eq(r.prev_revision, r.revision - 1);
}

START_TEST(records)
{
	auto_buf struct buf b = BUF(65536);
	struct slice payload;
	struct record r;
	size_t at = 0;

	add_record(&b, RECORD_CREATE, "a", "{\"m\":1}", "{\"s\":22}", 8);
	add_record(&b, RECORD_STATUS, "box-2", "", "status", UINT64_C(1) << 40);
	add_record(&b, RECORD_DELETE, "box-3", "", "", 10);
	payload = (struct slice){ b.at, b.len };
	expect_record(payload, &at, "a", "{\"m\":1}", "{\"s\":22}");
	expect_record(payload, &at, "box-2", "", "status");
	expect_record(payload, &at, "box-3", "", "");
	ck_assert_int_eq(record_next(payload, &at, &r), 0);
	/* Cut anywhere, it is refused or ends between two records. */
	for (size_t cut = 0; cut < payload.len; cut++) {
		int last;

		at = 0;
		do
			last = record_next((struct slice){ payload.at, cut }, &at, &r);
		while (last > 0);
		ck_assert(last == -EBADMSG || at == cut);
	}
}
END_TEST

START_TEST(records_refused)
{
	auto_buf struct buf b = BUF(65536);
	struct record r;
	size_t at = 0;

	add_record(&b, RECORD_STATUS, "good", "", "s", 8);
	b.at[RECORD_HEADER] = '.';
	ck_assert_int_eq(record_next((struct slice){ b.at, b.len }, &at, &r), -EBADMSG);
	b.at[RECORD_HEADER] = 'g';
	b.at[0] = 77; /* a type that is not known */
	ck_assert_int_eq(record_next((struct slice){ b.at, b.len }, &at, &r), -EBADMSG);
	b.at[0] = RECORD_STATUS;
	memset(b.at + 8, 0xff, 4); /* longer than there is */
	ck_assert_int_eq(record_next((struct slice){ b.at, b.len }, &at, &r), -EBADMSG);
	ck_assert_uint_eq(at, 0);
}
END_TEST

START_TEST(segment_names)
{
	char name[SEGMENT_NAME + 1];

	segment_name(0x1f, name);
	ck_assert_str_eq(name, "000000000000001f");
	ck_assert_uint_eq(segment_number(name), 0x1f);
	ck_assert_uint_eq(segment_number("000000000000001F"), 0);
	ck_assert_uint_eq(segment_number("1f"), 0);
	ck_assert_uint_eq(segment_number("000000000000001f0"), 0);
	ck_assert_uint_eq(segment_number("000000000000001f.corrupt-1"), 0);
	ck_assert_uint_eq(segment_number(".spare"), 0);
}
END_TEST

START_TEST(manifests)
{
	struct manifest m = { .store_id = { 0xab, 1 }, .first_segment = 3, .last_segment = 4, .durable_seq = 9, .checkpointed_seq = 5,
			      .revision = 77, .live = { 2, UINT64_C(0xfedcba9876543210) }, .clean = true };
	char *dir = unit_directory(), *text;
	int fd = fsx_open(&files_system, AT_FDCWD, dir, O_RDONLY | O_DIRECTORY, 0);
	struct manifest again = { 0 };
	struct err err = { 0 };
	size_t len;

	ck_assert_int_eq(manifest_write(&files_system, fd, &m, &err), 0);
	ck_assert_int_eq(manifest_read(&files_system, fd, &again, &err), 0);
	ck_assert_mem_eq(again.store_id, m.store_id, STORE_ID);
	ck_assert_uint_eq(again.live.xor, m.live.xor);
	ck_assert_uint_eq(again.live.count, 2);
	ck_assert_uint_eq(again.checkpointed_seq, 5);
	ck_assert(again.clean);
	text = unit_read_file(dir, MANIFEST_NAME);
	len = strlen(text);
	for (size_t i = 0; i < len; i++) {
		text[i] ^= 1;
		ck_assert_int_eq(manifest_decode((struct slice){ text, len }, &again, &err), -EBADMSG);
		ck_assert_int_eq(manifest_decode((struct slice){ text, i }, &again, &err), -EBADMSG);
		text[i] ^= 1;
	}
	free(text);
	ck_assert_int_eq(fsx_close(&files_system, fd), 0);
	unit_remove(dir);
	free(dir);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("frame");

	tcase_add_test(unit_case(s, "segment header"), segment_header);
	tcase_add_test(unit_case(s, "segment header, bits"), every_bit_of_a_segment_header_counts);
	tcase_add_test(unit_case(s, "frame"), frame);
	tcase_add_test(unit_case(s, "frame rooms"), frame_rooms);
	tcase_add_test(unit_case(s, "records"), records);
	tcase_add_test(unit_case(s, "records refused"), records_refused);
	tcase_add_test(unit_case(s, "segment names"), segment_names);
	tcase_add_test(unit_case(s, "manifests"), manifests);
	return unit_main(s);
}
