/* Lines read without a tree, held against the tree: what was written is read alike, and whatever else a line may be is
 * either read alike or left to the tree. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <zlib.h>

#include "container/codec_internal.h"
#include "container/sealed.h"
#include "unit.h"

enum { TAIL = sizeof ",\"Crc32\":\"01234567\"}\n" - 1 };
#define META(members_) "{\"Version\":\"v1\",\"Metadata\":{" members_ "},\"Revision\":7"
#define CONFIG(config_) \
	META("\"ID\":\"a\",\"Name\":\"n\",\"SandboxID\":\"\",\"Config\":" config_ \
	     ",\"ImageRef\":\"\",\"LogPath\":\"\",\"StopSignal\":\"\",\"ProcessLabel\":\"\"")
#define TIMES ",\"CreatedAt\":1,\"StartedAt\":0,\"FinishedAt\":0"
#define REST "\"Message\":\"\",\"Resources\":null"
#define STAMP ",\"Id\":\"a\",\"Revision\":9,\"Created\":7"
#define STATUS(reason_) "{\"Version\":\"v1\",\"Pid\":1" TIMES ",\"ExitCode\":0,\"Reason\":" reason_ "," REST STAMP

/* ---- both ways ---- */

/* A copy whose end is the end of its memory, so that a sanitizer sees who looks behind it. */
static struct slice exact(const char *at, size_t len)
{
	char *copy = malloc(len ? len : 1);

	ck_assert_ptr_nonnull(copy);
	memcpy(copy, at, len);
	return (struct slice){ copy, len };
}

static void drop(struct slice s)
{
	free((void *)(uintptr_t)s.at);
}

/* <body> with a checksum that is right. */
static struct slice line_of(struct slice body)
{
	char tail[TAIL + 1];
	auto_buf struct buf b = BUF(1 << 21);

	(void)snprintf(tail, sizeof tail, ",\"Crc32\":\"%08x\"}\n",
		       (unsigned)crc32_z(0, (const unsigned char *)body.at, body.len));
	(void)buf_add(&b, body.at, body.len);
	ck_assert_int_eq(buf_add_text(&b, tail), 0);
	return exact(b.at, b.len);
}

static void expect_same_stamp(const struct stamp *a, const struct stamp *b)
{
	ck_assert(a->present == b->present && a->transient == b->transient);
	ck_assert_pstr_eq(a->id, b->id);
	ck_assert_uint_eq(a->revision, b->revision);
	ck_assert_uint_eq(a->created, b->created);
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
	ck_assert(a->adopted == b->adopted);
	ck_assert_uint_eq(a->label_count, b->label_count);
	for (size_t i = 0; i < a->label_count; i++) {
		ck_assert_str_eq(a->labels[i].key, b->labels[i].key);
		ck_assert_str_eq(a->labels[i].value, b->labels[i].value);
	}
}

/* A status line both ways, and the way there is for others.  Whether it was read without the tree. */
static bool both_status(struct slice body, struct arena *arena, int *ret_tree)
{
	struct slice tight = exact(body.at, body.len), line = line_of(body);
	struct status a = { .pid = 99 }, b = { .pid = 99 }, c = { .pid = 99 };
	struct stamp sa = { .revision = 99 }, sb, sc;
	struct err err = { 0 };
	bool accepted = sealed_status(tight, arena, &a, &sa);

	*ret_tree = codec_status_from_tree(line, true, arena, &b, &sb, &err);
	ck_assert_int_eq(codec_status_from_disk(line, arena, &c, &sc, &err), *ret_tree);
	if (*ret_tree == 0) {
		unit_expect_status("from_disk", &c, b);
		expect_same_stamp(&sc, &sb);
	}
	if (accepted) {
		ck_assert_msg(*ret_tree == 0, "the tree refuses: %s: %.*s", err.text, (int)body.len, body.at);
		unit_expect_status("sealed", &a, b);
		expect_same_stamp(&sa, &sb);
	} else {
		ck_assert_uint_eq(a.pid, 99);
		ck_assert_uint_eq(sa.revision, 99);
	}
	drop(tight);
	drop(line);
	return accepted;
}

static bool both_metadata(struct slice body, struct arena *arena, int *ret_tree)
{
	struct slice tight = exact(body.at, body.len), line = line_of(body);
	struct metadata_value a = METADATA_ZERO, b = METADATA_ZERO, c = METADATA_ZERO;
	struct stamp sa = { .revision = 99 }, sb, sc;
	struct err err = { 0 };
	bool accepted = sealed_metadata(tight, arena, &a, &sa);

	*ret_tree = codec_metadata_from_tree(line, true, arena, &b, &sb, &err);
	ck_assert_int_eq(codec_metadata_from_disk(line, arena, &c, &sc, &err), *ret_tree);
	if (*ret_tree == 0) {
		expect_same_metadata(&c, &b);
		expect_same_stamp(&sc, &sb);
	}
	if (accepted) {
		ck_assert_msg(*ret_tree == 0, "the tree refuses: %s: %.*s", err.text, (int)body.len, body.at);
		expect_same_metadata(&a, &b);
		expect_same_stamp(&sa, &sb);
	} else {
		ck_assert_str_eq(a.id, "");
		ck_assert_uint_eq(sa.revision, 99);
	}
	drop(tight);
	drop(line);
	return accepted;
}

/* ---- what is written ---- */

#define OBJECT "{\"z\":1,\"a\":{\"c\":[true,false,null,{}],\"b\":[]},\"s\":\"\\u003c\\\"\\\\ \\u2028\xc3\xa9\\n\",\"n\":-7}"

static const struct {
	const char *name;
	struct status status;
	bool declined, transient;
} statuses[] = {
	{ .name = "all zero" },
	{ .name = "B1", .status = { .created_at = 1500000000000000001 } },
	{ .name = "B2",
	  .status = { .pid = 1234, .created_at = 1500000000000000001, .started_at = 1500000001000000002,
		      .resources = "{\"linux\":{\"cpu_period\":100000,\"cpu_quota\":50000,\"cpu_shares\":512,"
				   "\"memory_limit_in_bytes\":268435456,\"oom_score_adj\":999,"
				   "\"hugepage_limits\":[{\"page_size\":\"2MB\"}],\"unified\":{\"a\":\"b\",\"memory.high\":\"1\"}}}" } },
	{ .name = "B3 but its invalid byte",
	  .status = { .created_at = 1500000000000000001, .finished_at = 1500000002000000003, .exit_code = 137,
		      .reason = "OOMKilled", .message = "a<b>&\"c\"\n\xe2\x80\xa8\xc3\xa9/" } },
	{ .name = "B3", .declined = true,
	  .status = { .reason = "OOMKilled", .message = "a<b>&\"c\"\n\xe2\x80\xa8\xc3\xa9\xff/" } },
	{ .name = "B4",
	  .status = { .pid = UINT32_MAX, .created_at = INT64_MIN, .started_at = INT64_MAX, .exit_code = INT32_MIN } },
	{ .name = "the other extremes", .status = { .pid = 1, .created_at = -1, .exit_code = INT32_MAX } },
	{ .name = "B5", .status = { .exit_code = 255, .reason = "Unknown" } },
	{ .name = "B6", .status = { .created_at = 1, .resources = "{}" } },
	{ .name = "every control", .status = { .message = "\x01\x02\x03\x04\x05\x06\x07\b\t\n\x0b\f\r\x0e\x0f\x10\x11\x12\x13"
							  "\x14\x15\x16\x17\x18\x19\x1a\x1b\x1c\x1d\x1e\x1f\x7f" } },
	{ .name = "unicode",
	  .status = { .reason = "\xc3\xa9\xe2\x82\xac\xf0\x9f\x90\xb3\xef\xbf\xbd\xef\xbf\xbf\xf4\x8f\xbf\xbf",
		      .message = "\xe2\x80\xa7\xe2\x80\xa8\xe2\x80\xa9\xe2\x80\xaa" } },
	{ .name = "an opaque object", .status = { .resources = OBJECT } },
	{ .name = "real numbers", .declined = true, .status = { .resources = "{\"a\":1.5}" } },
	{ .name = "restore", .status = { .restore = RESTORE_TRUE } },
	{ .name = "no restore", .status = { .restore = RESTORE_FALSE } },
	{ .name = "transient", .transient = true },
};

START_TEST(status_as_written)
{
	const struct stamp stamp = { .present = true, .id = "web-0", .revision = INT64_MAX, .created = 7,
				     .transient = statuses[_i].transient };
	const struct status s = unit_status(statuses[_i].status);
	auto_arena struct arena arena = ARENA;
	auto_buf struct buf b = BUF(1 << 20);
	int tree;

	ck_assert_int_eq(codec_status_to_disk(&b, &s, &stamp), 0);
	ck_assert(both_status((struct slice){ b.at, b.len - TAIL }, &arena, &tree) == !statuses[_i].declined);
	ck_assert_int_eq(tree, 0);
}
END_TEST

static const struct {
	const char *name, *config, *text, *carried;
	bool declined, adopted;
	size_t labels;
} metadatas[] = {
	{ .name = "no config" },
	{ .name = "empty config", .config = "{}" },
	{ .name = "adopted", .adopted = true },
	{ .name = "B7", .config = "{\"metadata\":{\"name\":\"test-name\",\"attempt\":1}}", .text = "/test/log/path" },
	{ .name = "texts", .text = "<\xc3\xa9\n\"\\ \xe2\x80\xa8>" },
	{ .name = "opaque", .config = OBJECT },
	{ .name = "labels", .config = "{\"labels\":{\"app\":\"web\",\"tier\":\"front\"},\"pad\":\"yy\"}", .labels = 2 },
	{ .name = "labels last", .config = "{\"a\":{\"labels\":{\"no\":\"1\"}},\"labels\":{\"app\":\"web\"}}", .labels = 1 },
	{ .name = "labels deeper only", .config = "{\"a\":{\"labels\":{\"no\":\"1\"}}}" },
	{ .name = "labels of another case", .config = "{\"Labels\":{\"app\":\"web\"}}" },
	{ .name = "no labels", .config = "{\"labels\":{}}" },
	{ .name = "labels null", .config = "{\"labels\":null}" },
	{ .name = "labels an array", .config = "{\"labels\":[\"a\"]}" },
	{ .name = "labels a string", .config = "{\"labels\":\"{}\"}" },
	{ .name = "escaped value", .config = "{\"labels\":{\"app\":\"\\u003c\\\"\\n\"}}", .labels = 1 },
	{ .name = "unicode", .config = "{\"labels\":{\"\xc3\xa9\":\"\xf0\x9f\x90\xb3\"}}", .labels = 1 },
	{ .name = "escaped key", .config = "{\"labels\":{\"a\\nb\":\"c\"}}", .labels = 1, .declined = true },
	{ .name = "a number among them", .config = "{\"labels\":{\"n\":7,\"app\":\"web\"}}", .labels = 1, .declined = true },
	{ .name = "an object among them", .config = "{\"labels\":{\"app\":\"web\",\"o\":{}}}", .labels = 1, .declined = true },
	{ .name = "carried", .carried = "\"ImageDigest\":\"sha256:1\",\"Later\":{\"z\":1}", .declined = true },
};

START_TEST(metadata_as_written)
{
	struct metadata_value v = METADATA_ZERO, again = METADATA_ZERO;
	struct err err = { 0 };
	auto_arena struct arena arena = ARENA;
	auto_buf struct buf b = BUF(1 << 20);
	struct stamp stamp;
	int tree;

	v.id = "web-0";
	v.config = metadatas[_i].config;
	v.adopted = metadatas[_i].adopted;
	if (metadatas[_i].text)
		v.name = v.sandbox_id = v.image_ref = v.log_path = v.stop_signal = v.process_label = metadatas[_i].text;
	if (metadatas[_i].carried)
		v.carried = metadatas[_i].carried;
	ck_assert_int_eq(codec_metadata_to_disk(&b, &v, 7), 0);
	ck_assert(both_metadata((struct slice){ b.at, b.len - TAIL }, &arena, &tree) == !metadatas[_i].declined);
	ck_assert_int_eq(tree, 0);
	ck_assert_int_eq(codec_metadata_from_disk((struct slice){ b.at, b.len }, &arena, &again, &stamp, &err), 0);
	ck_assert_uint_eq(again.label_count, metadatas[_i].labels);
	again.label_count = 0;
	expect_same_metadata(&again, &v);
}
END_TEST

/* ---- what nobody writes ---- */

static const struct {
	const char *name, *body;
	int tree; /* what it answers */
} odd_statuses[] = {
	{ "other order", "{\"Version\":\"v1\"" TIMES ",\"Pid\":1,\"ExitCode\":0,\"Reason\":\"\"," REST STAMP, 0 },
	{ "stamp in other order", "{\"Version\":\"v1\",\"Id\":\"a\",\"Created\":7,\"Revision\":9", 0 },
	{ "version behind", "{\"Pid\":1,\"Version\":\"v1\"" STAMP, 0 },
	{ "version 2", "{\"Version\":\"v2\",\"Pid\":1" STAMP, -EBADMSG },
	{ "a blank", STATUS(" \"\""), 0 },
	{ "a blank at the end", STATUS("\"\"") " ", 0 },
	{ "twice", STATUS("\"\",\"Reason\":\"b\""), 0 },
	{ "twice, at the end", STATUS("\"\"") ",\"Pid\":5", 0 },
	{ "other case", "{\"Version\":\"v1\",\"pid\":1" TIMES ",\"ExitCode\":0,\"Reason\":\"\"," REST STAMP, 0 },
	{ "unknown", STATUS("\"\"") ",\"Later\":1", 0 },
	{ "unknown between", STATUS("\"\",\"Later\":{\"Pid\":3}"), 0 },
	{ "not transient", STATUS("\"\"") ",\"Transient\":false", 0 },
	{ "another restore", STATUS("\"\"") ",\"Restore\":true", 0 },
	{ "null text", STATUS("null"), 0 },
	{ "number for text", STATUS("1"), -EBADMSG },
	{ "cut", "{\"Version\":\"v1\",\"Pid\":1", 0 },
	{ "cut in a string", "{\"Version\":\"v1\",\"Reason\":\"", -EBADMSG },
	{ "nothing", "", -EBADMSG },
	{ "raw markup", STATUS("\"<\""), 0 },
	{ "raw separator", STATUS("\"\xe2\x80\xa8\""), 0 },
	{ "raw control", STATUS("\"\x01\""), -EBADMSG },
	{ "invalid byte", STATUS("\"\xff\""), -EBADMSG },
	{ "cut sequence", STATUS("\"\xe2\x82\""), -EBADMSG },
	{ "encoded surrogate", STATUS("\"\xed\xa0\x80\""), -EBADMSG },
	{ "overlong", STATUS("\"\xc0\xaf\""), -EBADMSG },
	{ "escaped NUL", STATUS("\"\\u0000\""), 0 },
	{ "escaped letter", STATUS("\"\\u0061\""), 0 },
	{ "capital digits", STATUS("\"\\u003C\""), 0 },
	{ "long for short", STATUS("\"\\u000a\""), 0 },
	{ "solidus", STATUS("\"\\/\""), 0 },
	{ "replacement", STATUS("\"\\ufffd\""), 0 },
	{ "pair", STATUS("\"\\ud83d\\udc33\""), 0 },
	{ "lone surrogate", STATUS("\"\\ud800\""), -EBADMSG },
	{ "no escape", STATUS("\"\\x61\""), -EBADMSG },
	{ "four digits of another letter", STATUS("\"\\v0041\""), -EBADMSG },
};

START_TEST(odd_status)
{
	const char *body = odd_statuses[_i].body;
	auto_arena struct arena arena = ARENA;
	int tree;

	ck_assert(!both_status((struct slice){ body, strlen(body) }, &arena, &tree));
	ck_assert_int_eq(tree, odd_statuses[_i].tree);
}
END_TEST

/* Whole numbers in their places: Pid, CreatedAt, Revision. */
static const char *const odd_numbers[] = {
	"01", "-0", "+1", "1.0", "1e0", "-", "", "0x1", " 1", "null", "true", "\"1\"", "-1.5", "18446744073709551616",
	"9223372036854775808", "99999999999999999999", "9999999999999999999", "-9223372036854775809",
};

START_TEST(odd_number)
{
	const char *n = odd_numbers[_i];
	auto_arena struct arena arena = ARENA;
	int tree;

	for (int place = 0; place < 3; place++) {
		const char *body = arena_printf(&arena, "{\"Version\":\"v1\",\"Pid\":%s,\"CreatedAt\":%s,\"StartedAt\":0,"
						"\"FinishedAt\":0,\"ExitCode\":0,\"Reason\":\"\"," REST
						",\"Id\":\"a\",\"Revision\":%s,\"Created\":7",
						place == 0 ? n : "1", place == 1 ? n : "1", place == 2 ? n : "1");

		ck_assert_ptr_nonnull(body);
		ck_assert(!both_status((struct slice){ body, strlen(body) }, &arena, &tree));
		body = arena_printf(&arena, CONFIG("{\"a\":%s}"), n);
		ck_assert_ptr_nonnull(body);
		(void)both_metadata((struct slice){ body, strlen(body) }, &arena, &tree);
	}
}
END_TEST

static const struct {
	const char *name, *body;
	int tree;
} odd_metadatas[] = {
	{ "no id", META("\"ID\":\"\",\"Name\":\"\",\"SandboxID\":\"\",\"Config\":null,\"ImageRef\":\"\",\"LogPath\":\"\","
			"\"StopSignal\":\"\",\"ProcessLabel\":\"\""), -EBADMSG },
	{ "id alone", META("\"ID\":\"a\""), 0 },
	{ "other case", META("\"id\":\"a\",\"NAME\":\"n\",\"config\":{\"labels\":{\"app\":\"web\"}}"), 0 },
	{ "carried of another case", CONFIG("null,\"name\":\"m\""), 0 },
	{ "two configs", CONFIG("{\"labels\":{\"a\":\"b\"}},\"config\":{\"labels\":{\"c\":\"d\"}}"), 0 },
	{ "not adopted", CONFIG("{}") ",\"Adopted\":false", 0 },
	{ "behind it", CONFIG("{}") ",\"Adopted\":true,\"Later\":1", 0 },
	{ "a key twice", CONFIG("{\"a\":1,\"b\":2,\"a\":3}"), 0 },
	{ "a key twice, deeper", CONFIG("{\"x\":[{\"a\":1,\"a\":3}]}"), 0 },
	{ "a label twice", CONFIG("{\"labels\":{\"a\":\"1\",\"a\":\"2\"}}"), 0 },
	{ "labels twice", CONFIG("{\"labels\":{\"a\":\"1\"},\"labels\":{\"b\":\"2\"}}"), 0 },
	{ "the same key, escaped", CONFIG("{\"labels\":{\"a\":\"1\"},\"\\u006cabels\":{\"b\":\"2\"}}"), 0 },
	{ "a blank", CONFIG("{\"a\": 1}"), 0 },
	{ "a real number", CONFIG("{\"a\":0.10}"), 0 },
	{ "raw markup", CONFIG("{\"a\":\"<\"}"), 0 },
	{ "escaped replacement", CONFIG("{\"a\":\"\\ufffd\"}"), 0 },
	{ "escaped NUL", CONFIG("{\"a\":\"\\u0000\"}"), 0 },
	{ "trailing comma", CONFIG("{\"a\":1,}"), -EBADMSG },
	{ "trailing comma in an array", CONFIG("{\"a\":[1,]}"), -EBADMSG },
	{ "crossed", CONFIG("{\"a\":[1}]"), -EBADMSG },
	{ "no value", CONFIG("{\"a\":}"), -EBADMSG },
	{ "no key", CONFIG("{:1}"), -EBADMSG },
	{ "no colon", CONFIG("{\"a\",1}"), -EBADMSG },
	{ "a comma first", CONFIG("{,\"a\":1}"), -EBADMSG },
	{ "half a literal", CONFIG("{\"a\":tru}"), -EBADMSG },
	{ "an array", CONFIG("[]"), -EBADMSG },
	{ "a string", CONFIG("\"{}\""), -EBADMSG },
	{ "never closed",
	  "{\"Version\":\"v1\",\"Metadata\":{\"ID\":\"a\",\"Name\":\"\",\"SandboxID\":\"\",\"Config\":{\"a\":[", -EBADMSG },
	{ "closed too early", CONFIG("{}}"), -EBADMSG },
};

START_TEST(odd_metadata)
{
	const char *body = odd_metadatas[_i].body;
	auto_arena struct arena arena = ARENA;
	int tree;

	ck_assert(!both_metadata((struct slice){ body, strlen(body) }, &arena, &tree));
	ck_assert_int_eq(tree, odd_metadatas[_i].tree);
}
END_TEST

/* ---- limits, and every byte ---- */

/* <n> times <one>, between two others; what ends in a key's first letter gets a number and a value. */
static const char *repeated(struct arena *arena, const char *before, const char *one, size_t n, const char *after)
{
	auto_buf struct buf b = BUF(1 << 20);
	const char *text;

	(void)buf_add_text(&b, before);
	for (size_t i = 0; i < n; i++) {
		(void)buf_add_text(&b, one);
		if (one[strlen(one) - 1] == 'k')
			(void)buf_addf(&b, "%zu\":\"v\"", i);
	}
	(void)buf_add_text(&b, after);
	text = b.failed ? NULL : arena_copy(arena, b.at, b.len);
	ck_assert_ptr_nonnull(text);
	return text;
}

static bool config_is_read(struct arena *arena, const char *config)
{
	const char *body = arena_printf(arena, CONFIG("%s"), config);
	int tree;
	bool accepted;

	ck_assert_ptr_nonnull(body);
	accepted = both_metadata((struct slice){ body, strlen(body) }, arena, &tree);
	ck_assert_int_eq(tree, 0);
	return accepted;
}

START_TEST(limits)
{
	auto_arena struct arena arena = ARENA;
	/* The outermost object is a level, and so is the innermost array; "labels" and "k" are keys too. */
	const char *deep = repeated(&arena, "", "[", 31, repeated(&arena, "", "]", 31, "}"));
	const char *deeper = repeated(&arena, "", "[", 32, repeated(&arena, "", "]", 32, "}"));

	ck_assert(config_is_read(&arena, arena_printf(&arena, "{\"a\":%s", deep)));
	ck_assert(!config_is_read(&arena, arena_printf(&arena, "{\"a\":%s", deeper)));
	ck_assert(config_is_read(&arena, repeated(&arena, "{\"labels\":{\"k\":\"v\"", ",\"k", 126, "}}")));
	ck_assert(!config_is_read(&arena, repeated(&arena, "{\"labels\":{\"k\":\"v\"", ",\"k", 127, "}}")));
	/* Keys of objects that are closed do not count. */
	ck_assert(config_is_read(&arena, repeated(&arena, "{\"envs\":[{}", ",{\"key\":\"A\",\"value\":\"B\"}", 2000, "]}")));
}
END_TEST

static const char whole_status[] = "{\"Version\":\"v1\",\"Pid\":10,\"CreatedAt\":-1500,\"StartedAt\":0,\"FinishedAt\":0,"
				   "\"ExitCode\":0,\"Reason\":\"a\\n\\u003c\xc3\xa9\",\"Message\":\"\",\"Resources\":" OBJECT
				   ",\"Restore\":true,\"Id\":\"a\",\"Revision\":9,\"Created\":7,\"Transient\":true";
static const char whole_metadata[] = CONFIG("{\"labels\":{\"app\":\"web\"},\"o\":" OBJECT "}") ",\"Adopted\":true";

typedef bool both_ways(struct slice body, struct arena *, int *ret_tree);

/* Any one byte another, missing, or doubled, and any cut; the checksum right each time. */
static void try_mutations(const char *text, size_t len, both_ways *both)
{
	static const char others[] = "\"\\{}[],:0129.-eu \n\x01<a\xc3\x80\xe2\xff";
	char copy[1024];
	int tree;

	ck_assert_uint_lt(len + 1, sizeof copy);
	for (size_t i = 0; i < len; i++) {
		auto_arena struct arena arena = ARENA;

		memcpy(copy, text, len);
		for (size_t k = 0; k < sizeof others; k++) {
			copy[i] = others[k];
			(void)both((struct slice){ copy, len }, &arena, &tree);
		}
		memcpy(copy + i, text + i + 1, len - i - 1);
		(void)both((struct slice){ copy, len - 1 }, &arena, &tree);
		copy[i] = text[i];
		memcpy(copy + i + 1, text + i, len - i);
		(void)both((struct slice){ copy, len + 1 }, &arena, &tree);
		(void)both((struct slice){ text, i }, &arena, &tree);
	}
}

START_TEST(every_byte)
{
	auto_arena struct arena arena = ARENA;
	int tree;

	ck_assert(both_status((struct slice){ whole_status, sizeof whole_status - 1 }, &arena, &tree));
	ck_assert(both_metadata((struct slice){ whole_metadata, sizeof whole_metadata - 1 }, &arena, &tree));
	try_mutations(whole_status, sizeof whole_status - 1, both_status);
	try_mutations(whole_metadata, sizeof whole_metadata - 1, both_metadata);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("sealed");
	TCase *c;

	for (size_t i = 0; i < COUNT(statuses); i++)
		unit_vector(s, statuses[i].name, status_as_written, (int)i);
	for (size_t i = 0; i < COUNT(metadatas); i++)
		unit_vector(s, metadatas[i].name, metadata_as_written, (int)i);
	for (size_t i = 0; i < COUNT(odd_statuses); i++)
		unit_vector(s, odd_statuses[i].name, odd_status, (int)i);
	for (size_t i = 0; i < COUNT(odd_numbers); i++)
		unit_vector(s, odd_numbers[i], odd_number, (int)i);
	for (size_t i = 0; i < COUNT(odd_metadatas); i++)
		unit_vector(s, odd_metadatas[i].name, odd_metadata, (int)i);
	c = unit_case(s, "limits and mutations");
	tcase_add_test(c, limits);
	tcase_add_test(c, every_byte);
	return unit_main(s);
}
