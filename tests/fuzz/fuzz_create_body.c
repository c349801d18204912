/* Bodies that create containers.  What is accepted comes back the same from the wire and from both files. */
#include "fuzz.h"

#include <string.h>

#include "container/codec.h"

enum { CAP = 8 * 1024 * 1024 };

static void same_text(const char *a, const char *b)
{
	must((!a && !b) || (a && b && !strcmp(a, b)));
}

static void same_metadata(const struct metadata_value *a, const struct metadata_value *b)
{
	same_text(a->id, b->id);
	same_text(a->name, b->name);
	same_text(a->sandbox_id, b->sandbox_id);
	same_text(a->image_ref, b->image_ref);
	same_text(a->log_path, b->log_path);
	same_text(a->config, b->config);
	must(a->label_count == b->label_count);
	for (size_t i = 0; i < a->label_count; i++) {
		same_text(a->labels[i].key, b->labels[i].key);
		same_text(a->labels[i].value, b->labels[i].value);
	}
}

/* What GET shows can be PUT, and is the very same. */
static void check_wire(const struct container *c, struct arena *arena)
{
	struct field_errors errors = { .arena = arena };
	struct change again = { .kind = CHANGE_PUT, .id = container_id(c) };
	struct verdict verdict;

	must(codec_create_from_wire(container_json(c), &again, &errors) == CODEC_OK);
	same_metadata(&again.metadata, metadata_value(container_metadata(c)));
	must(change_decide(&again, c, 99, &verdict) == 0);
	must(verdict.end == CHANGE_SAME);
}

static void check_files(const struct container *c, struct arena *arena)
{
	struct buf b = BUF(CAP);
	struct metadata_value value;
	struct status status, kept = *container_status(c);
	struct stamp stamp;
	struct err err;

	must(codec_metadata_to_disk(&b, metadata_value(container_metadata(c)), 7) == 0);
	must(codec_metadata_from_disk((struct slice){ b.at, b.len }, arena, &value, &stamp, &err) == 0);
	must(stamp.present && stamp.revision == 7);
	same_metadata(&value, metadata_value(container_metadata(c)));
	buf_reset(&b);
	must(codec_checkpoint(&b, c) == 0);
	must(codec_status_from_disk((struct slice){ b.at, b.len }, arena, &status, &stamp, &err) == 0);
	kept.removing = kept.unknown = false;
	must(status_equal(&status, &kept));
	must(stamp.revision == container_revision(c));
	buf_free(&b);
}

static void check_container(struct change *change, const struct verdict *verdict, struct arena *arena)
{
	struct container *c;
	struct metadata *m;

	if (change->metadata.id[0] == '\0')
		change->metadata.id = "generated";
	m = metadata_new(&change->metadata, 7);
	must(m);
	c = container_new(m, &verdict->next, 7);
	must(c);
	check_wire(c, arena);
	check_files(c, arena);
	container_unref(c);
	metadata_unref(m);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena arena = ARENA;
	struct field_errors errors = { .arena = &arena };
	struct change change = { .kind = CHANGE_CREATE };
	struct verdict verdict;
	int r = codec_create_from_wire((struct slice){ (const char *)data, size }, &change, &errors);

	must(r == CODEC_OK || errors.count > 0);
	if (r == CODEC_OK) {
		must(change_decide(&change, NULL, 99, &verdict) == 0);
		must(verdict.end == CHANGE_CREATED || verdict.end == CHANGE_E_INVALID);
		if (verdict.end == CHANGE_CREATED)
			check_container(&change, &verdict, &arena);
		else
			must(verdict.pointer && verdict.detail);
	}
	arena_free(&arena);
	return 0;
}
