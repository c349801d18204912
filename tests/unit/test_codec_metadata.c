/* Metadata files and flat records: containerd's bytes, what is carried along, and what is refused. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "container/codec.h"
#include "unit.h"

static struct slice slice_of(const char *text)
{
	return (struct slice){ text, strlen(text) };
}

/* Without our members and the newline: what containerd would have written. */
static const char *stripped(const char *file, const char *first_of_ours, struct arena *arena)
{
	const char *ours = strstr(file, first_of_ours);
	const char *text;

	ck_assert_ptr_nonnull(ours);
	ck_assert_int_eq(file[strlen(file) - 1], '\n');
	text = arena_printf(arena, "%.*s}", (int)(ours - file), file);
	ck_assert_ptr_nonnull(text);
	return text;
}

static const struct {
	const char *name, *bytes;
	struct metadata_value value;
} metadata_lines[] = {
	{ "M1 B7",
	  "{\"Version\":\"v1\",\"Metadata\":{\"ID\":\"test-id\",\"Name\":\"test-name\",\"SandboxID\":\"test-sandbox-id\","
	  "\"Config\":{\"metadata\":{\"name\":\"test-name\",\"attempt\":1}},\"ImageRef\":\"test-image-ref\","
	  "\"LogPath\":\"/test/log/path\",\"StopSignal\":\"\",\"ProcessLabel\":\"\"}}",
	  { .id = "test-id", .name = "test-name", .sandbox_id = "test-sandbox-id",
	    .config = "{\"metadata\":{\"name\":\"test-name\",\"attempt\":1}}", .image_ref = "test-image-ref",
	    .log_path = "/test/log/path", .stop_signal = "", .process_label = "", .carried = "" } },
	{ "M1 B8",
	  "{\"Version\":\"v1\",\"Metadata\":{\"ID\":\"x\",\"Name\":\"\",\"SandboxID\":\"\",\"Config\":null,\"ImageRef\":\"\","
	  "\"LogPath\":\"\",\"StopSignal\":\"\",\"ProcessLabel\":\"\"}}",
	  { .id = "x", .name = "", .sandbox_id = "", .image_ref = "", .log_path = "", .stop_signal = "",
	    .process_label = "", .carried = "" } },
};

static int decode_metadata(struct slice file, struct arena *arena, struct metadata_value *ret, struct stamp *ret_stamp)
{
	struct metadata_value v = METADATA_ZERO;
	struct stamp stamp = { .revision = 99 };
	struct err err = { 0 };
	int r;

	v.id = "before";
	r = codec_metadata_from_disk(file, arena, &v, &stamp, &err);
	if (r < 0) {
		ck_assert_str_eq(v.id, "before");
		ck_assert_uint_eq(stamp.revision, 99);
		return r;
	}
	*ret = v;
	*ret_stamp = stamp;
	return 0;
}

static void expect_same_metadata(const struct metadata_value *a, const struct metadata_value *b)
{
	ck_assert_str_eq(a->id, b->id);
	ck_assert_str_eq(a->name, b->name);
	ck_assert_str_eq(a->sandbox_id, b->sandbox_id);
	ck_assert_str_eq(a->image_ref, b->image_ref);
	ck_assert_str_eq(a->log_path, b->log_path);
	ck_assert_str_eq(a->stop_signal, b->stop_signal);
	ck_assert_str_eq(a->process_label, b->process_label);
	ck_assert_str_eq(a->carried, b->carried);
	ck_assert_pstr_eq(a->config, b->config);
}

static const char *written_metadata(const struct metadata_value *v, uint64_t created, struct arena *arena)
{
	auto_buf struct buf b = BUF(1 << 20);
	const char *text;

	ck_assert_int_eq(codec_metadata_to_disk(&b, v, created), 0);
	text = arena_copy(arena, b.at, b.len);
	ck_assert_ptr_nonnull(text);
	return text;
}

START_TEST(M1_M2_metadata_round_trip)
{
	auto_arena struct arena arena = ARENA;
	const struct metadata_value *v = &metadata_lines[_i].value;
	const char *file = written_metadata(v, 7, &arena);
	struct metadata_value again;
	struct stamp stamp;

	ck_assert_str_eq(stripped(file, ",\"Revision\":", &arena), metadata_lines[_i].bytes);
	ck_assert_int_eq(decode_metadata(slice_of(file), &arena, &again, &stamp), 0);
	expect_same_metadata(&again, v);
	ck_assert(stamp.present);
	ck_assert_uint_eq(stamp.revision, 7);
	ck_assert_int_eq(decode_metadata(slice_of(metadata_lines[_i].bytes), &arena, &again, &stamp), 0);
	expect_same_metadata(&again, v);
	ck_assert(!stamp.present);
}
END_TEST

static const struct {
	const char *name, *text;
} refused_metadata[] = {
	{ "M3", "{\"Version\":\"random-test-version\",\"Metadata\":{\"ID\":\"a\"}}" },
	{ "M4 no Version", "{\"Metadata\":{\"ID\":\"a\"}}" },
	{ "M4 flat with Version", "{\"Version\":\"v1\",\"ID\":\"a\"}" },
	{ "M4 flat", "{\"ID\":\"a\"}" },
	{ "M4 null", "null" },
	{ "M5 Version alone", "{\"Version\":\"v1\"}" },
	{ "M5 null Metadata", "{\"Version\":\"v1\",\"Metadata\":null}" },
	{ "M5 no ID", "{\"Version\":\"v1\",\"Metadata\":{\"Name\":\"a\"}}" },
	{ "M5 empty ID", "{\"Version\":\"v1\",\"Metadata\":{\"ID\":\"\"}}" },
	{ "M6", "{\"Version\":\"v1\",\"Metadata\":{\"ID\":7}}" },
	{ "M6 Config a string", "{\"Version\":\"v1\",\"Metadata\":{\"ID\":\"a\",\"Config\":\"{}\"}}" },
};

START_TEST(metadata_is_refused)
{
	auto_arena struct arena arena = ARENA;
	struct metadata_value v;
	struct stamp stamp;

	ck_assert_int_eq(decode_metadata(slice_of(refused_metadata[_i].text), &arena, &v, &stamp), -EBADMSG);
}
END_TEST

START_TEST(M7_other_case_and_more_members)
{
	auto_arena struct arena arena = ARENA;
	const char *text = "{\"version\":\"v1\",\"METADATA\":{\"id\":\"a\",\"NAME\":\"n\",\"ImageRef\":\"i\","
			   "\"ImageDigest\":\"sha256:1\",\"ImageName\":\"<n>\",\"Later\":{\"z\":1,\"a\":[null]},"
			   "\"config\":{\"labels\":{\"app\":\"web\",\"n\":7}}},\"Extra\":1}";
	struct metadata_value v, again;
	const char *file;
	struct stamp stamp;

	ck_assert_int_eq(decode_metadata(slice_of(text), &arena, &v, &stamp), 0);
	ck_assert_str_eq(v.id, "a");
	ck_assert_str_eq(v.name, "n");
	ck_assert_uint_eq(v.label_count, 1);
	ck_assert_str_eq(v.labels[0].key, "app");
	ck_assert_str_eq(v.labels[0].value, "web");
	file = written_metadata(&v, 7, &arena);
	ck_assert_ptr_nonnull(strstr(file, "\"ImageDigest\":\"sha256:1\""));
	ck_assert_ptr_nonnull(strstr(file, "\"Later\":{\"z\":1,\"a\":[null]}"));
	ck_assert_int_eq(decode_metadata(slice_of(file), &arena, &again, &stamp), 0);
	expect_same_metadata(&v, &again);
}
END_TEST

START_TEST(adopted_is_kept)
{
	auto_arena struct arena arena = ARENA;
	struct metadata_value v = METADATA_ZERO, again;
	struct stamp stamp;

	v.id = "a";
	v.adopted = true;
	ck_assert_int_eq(decode_metadata(slice_of(written_metadata(&v, 3, &arena)), &arena, &again, &stamp), 0);
	ck_assert(again.adopted);
}
END_TEST

START_TEST(every_damaged_byte_of_metadata_is_found)
{
	auto_arena struct arena arena = ARENA;
	const char *file = written_metadata(&metadata_lines[0].value, 7, &arena);
	size_t len = strlen(file);
	char *copy = arena_copy(&arena, file, len);
	struct metadata_value v;
	struct stamp stamp;

	ck_assert_ptr_nonnull(copy);
	for (size_t i = 0; i < len - 1; i++) {
		copy[i] ^= 1;
		ck_assert_msg(decode_metadata((struct slice){ copy, len }, &arena, &v, &stamp) == -EBADMSG, "byte %zu", i);
		copy[i] = file[i];
	}
}
END_TEST

/* ---- flat records ---- */

struct flat {
	uint64_t format;
	const char *id;
	bool clean;
};

static const struct field flat_fields[] = {
	FIELD(U64, struct flat, format, NULL, "Format", 0),
	FIELD(TEXT, struct flat, id, NULL, "StoreId", 0),
	FIELD(BOOL, struct flat, clean, NULL, "Clean", 0),
};

START_TEST(flat_record)
{
	auto_arena struct arena arena = ARENA;
	const struct flat flat = { 1, "00ff", true };
	struct flat again = { .id = "" };
	auto_buf struct buf b = BUF(4096);
	struct err err = { 0 };

	ck_assert_int_eq(codec_flat_to_disk(&b, flat_fields, COUNT(flat_fields), &flat), 0);
	ck_assert_int_eq(strncmp(buf_text(&b), "{\"Format\":1,\"StoreId\":\"00ff\",\"Clean\":true,\"Crc32\":\"", 51), 0);
	ck_assert_int_eq(
		codec_flat_from_disk((struct slice){ b.at, b.len }, &arena, flat_fields, COUNT(flat_fields), &again, &err), 0);
	ck_assert_uint_eq(again.format, 1);
	ck_assert_str_eq(again.id, "00ff");
	ck_assert(again.clean);
	b.at[11] ^= 1;
	ck_assert_int_eq(
		codec_flat_from_disk((struct slice){ b.at, b.len }, &arena, flat_fields, COUNT(flat_fields), &again, &err),
		-EBADMSG);
	ck_assert_int_eq(codec_flat_from_disk(slice_of("{\"Format\":1}\n"), &arena, flat_fields, COUNT(flat_fields), &again, &err),
			 -EBADMSG);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("codec_metadata");
	TCase *c;

	for (size_t i = 0; i < COUNT(metadata_lines); i++)
		unit_vector(s, metadata_lines[i].name, M1_M2_metadata_round_trip, (int)i);
	for (size_t i = 0; i < COUNT(refused_metadata); i++)
		unit_vector(s, refused_metadata[i].name, metadata_is_refused, (int)i);
	c = unit_case(s, "metadata files");
	tcase_add_test(c, M7_other_case_and_more_members);
	tcase_add_test(c, adopted_is_kept);
	tcase_add_test(c, every_damaged_byte_of_metadata_is_found);
	tcase_add_test(c, flat_record);
	return unit_main(s);
}
