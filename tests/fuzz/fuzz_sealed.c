/* Lines with a checksum that is right, whatever stands in them: what is read without a tree the tree reads alike.  An
 * input is the line up to its checksum. */
#include <string.h>
#include <zlib.h>

#include "container/codec_internal.h"
#include "container/sealed.h"
#include "fuzz.h"

enum { LINE_MAX_LEN = 1 << 16 };

static bool is_same_text(const char *a, const char *b)
{
	return a && b ? !strcmp(a, b) : a == b;
}

static void expect_same_stamp(const struct stamp *a, const struct stamp *b)
{
	must(a->present == b->present && is_same_text(a->id, b->id));
	must(a->revision == b->revision && a->created == b->created && a->transient == b->transient);
}

static void try_status(struct slice body, struct slice line)
{
	auto_arena struct arena arena = ARENA;
	struct status a, b;
	struct stamp sa, sb;
	struct err err;

	if (!sealed_status(body, &arena, &a, &sa))
		return;
	must(codec_status_from_tree(line, true, &arena, &b, &sb, &err) == 0);
	must(status_equal(&a, &b) && a.restore == b.restore);
	expect_same_stamp(&sa, &sb);
}

static void try_metadata(struct slice body, struct slice line)
{
	auto_arena struct arena arena = ARENA;
	struct metadata_value a, b;
	struct stamp sa, sb;
	struct err err;

	if (!sealed_metadata(body, &arena, &a, &sa))
		return;
	must(codec_metadata_from_tree(line, true, &arena, &b, &sb, &err) == 0);
	must(!strcmp(a.id, b.id) && !strcmp(a.name, b.name) && !strcmp(a.sandbox_id, b.sandbox_id));
	must(!strcmp(a.image_ref, b.image_ref) && !strcmp(a.log_path, b.log_path) && is_same_text(a.config, b.config));
	must(!strcmp(a.stop_signal, b.stop_signal) && !strcmp(a.process_label, b.process_label));
	must(!strcmp(a.carried, b.carried) && a.adopted == b.adopted && a.label_count == b.label_count);
	for (size_t i = 0; i < a.label_count; i++)
		must(!strcmp(a.labels[i].key, b.labels[i].key) && !strcmp(a.labels[i].value, b.labels[i].value));
	expect_same_stamp(&sa, &sb);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char line[LINE_MAX_LEN + 32];
	const struct slice body = { (const char *)data, size };
	int tail;

	if (size > LINE_MAX_LEN)
		return 0;
	if (size > 0)
		memcpy(line, data, size);
	tail = snprintf(line + size, sizeof line - size, ",\"Crc32\":\"%08x\"}\n", (unsigned)crc32_z(0, data, size));
	must(tail > 0);
	try_status(body, (struct slice){ line, size + (size_t)tail });
	try_metadata(body, (struct slice){ line, size + (size_t)tail });
	return 0;
}
