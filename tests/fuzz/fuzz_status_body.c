/* Bodies that change a status, applied to one status of each kind.  What is accepted is a legal move, is the same when it
 * is sent back as it is shown, and survives its file. */
#include "fuzz.h"

#include <string.h>

#include "container/codec.h"

static const struct status olds[] = {
	{ .created_at = 1, .reason = "", .message = "" },
	{ .created_at = 1, .started_at = 10, .pid = 7, .reason = "", .message = "" },
	{ .created_at = 1, .started_at = 10, .finished_at = 20, .reason = "", .message = "m" },
	{ .created_at = 1, .started_at = 10, .finished_at = 20, .exit_code = 137, .reason = "OOMKilled", .message = "" },
	{ .created_at = 1, .finished_at = 20, .exit_code = 3, .reason = "x", .message = "", .removing = true },
	{ .exit_code = 255, .reason = "CheckpointDamaged", .message = "cut", .unknown = true },
};

static void check_sent_back(const struct status *s, struct arena *arena)
{
	struct buf b = BUF(1 << 20);
	struct field_errors errors = { .arena = arena };
	struct change again = { .kind = CHANGE_REPLACE, .id = "a" };
	struct verdict v;

	must(codec_status_wire(&b, s, 9) == 0);
	must(codec_status_from_wire((struct slice){ b.at, b.len }, &again, &errors) == CODEC_OK);
	v = change_status(s, &again.patch, true, 99);
	must(v.end == (s->removing ? CHANGE_E_ALREADY_REMOVING : CHANGE_SAME));
	buf_free(&b);
}

static void check_file(const struct status *s, struct arena *arena)
{
	const struct stamp stamp = { .present = true, .id = "a", .revision = 9, .created = 1 };
	struct buf b = BUF(1 << 20);
	struct status again, kept = *s;
	struct stamp seen;
	struct err err;

	must(codec_status_to_disk(&b, s, &stamp) == 0);
	must(codec_status_from_disk((struct slice){ b.at, b.len }, arena, &again, &seen, &err) == 0);
	kept.removing = kept.unknown = false;
	must(status_equal(&again, &kept));
	must(seen.revision == 9 && seen.created == 1 && !strcmp(seen.id, "a"));
	buf_free(&b);
}

static void check_change(const struct status *old, const struct change *change, struct arena *arena)
{
	const struct status before = *old;
	struct verdict v = change_status(old, &change->patch, change->kind == CHANGE_REPLACE, 99);

	must(status_equal(old, &before));
	must(v.end != CHANGE_CREATED && v.end != CHANGE_DELETED && v.end != CHANGE_ABSENT);
	if (v.end == CHANGE_E_INVALID)
		must(v.pointer && v.detail);
	if (v.end != CHANGE_UPDATED)
		return;
	must(!status_equal(old, &v.next));
	must(state_may_become(status_state(old), status_state(&v.next)));
	must(v.next.pid == 0 || status_state(&v.next) == CONTAINER_RUNNING || old->pid == v.next.pid);
	check_sent_back(&v.next, arena);
	check_file(&v.next, arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	for (int kind = CHANGE_PATCH; kind <= CHANGE_REPLACE; kind++) {
		struct arena arena = ARENA;
		struct field_errors errors = { .arena = &arena };
		struct change change = { .kind = (enum change_kind)kind, .id = "a" };
		int r = codec_status_from_wire((struct slice){ (const char *)data, size }, &change, &errors);

		must(r == CODEC_OK || errors.count > 0);
		for (size_t i = 0; r == CODEC_OK && i < COUNT(olds); i++)
			check_change(&olds[i], &change, &arena);
		arena_free(&arena);
	}
	return 0;
}
