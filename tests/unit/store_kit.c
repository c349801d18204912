#include "store_kit.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "persist/disk_backend.h"
#include "store/memory_backend.h"

static struct backend *open_memory(const char *root)
{
	(void)root;
	return memory_backend_new();
}

const struct files *kit_files = &files_system;

/* What a person would be told: shown beside a test that fails. */
static void tell(void *cls, const struct err *err)
{
	(void)cls;
	(void)fprintf(stderr, "%s\n", err->text);
}

static struct backend *open_disk(const char *root)
{
	const struct disk_options options = {
		.root = root,
		.files = kit_files,
		.clock = &clock_system,
		.segment_bytes = 256 * 1024,
		.report = tell,
	};
	struct backend *b = NULL;
	struct err err = { 0 };

	ck_assert_msg(disk_backend_new(&options, &b, &err) == 0, "%s", err.text);
	return b;
}

const struct kit kit_memory = { "memory", false, open_memory };
const struct kit kit_disk = { "disk", true, open_disk };

void rig_load(struct rig *rig)
{
	const struct store_options options = { .clock = &clock_system, .report = tell };
	struct err err = { 0 };

	rig->store = store_new(rig->kit->open(rig->root), &options);
	ck_assert_ptr_nonnull(rig->store);
	ck_assert_msg(store_load(rig->store, NULL, NULL, &err) == 0, "%s", err.text);
}

void rig_start(struct rig *rig)
{
	struct err err = { 0 };

	rig_load(rig);
	ck_assert_msg(store_start(rig->store, &err) == 0, "%s", err.text);
}

void rig_stop(struct rig *rig)
{
	store_free(rig->store);
	rig->store = NULL;
}

void rig_restart(struct rig *rig)
{
	rig_stop(rig);
	rig_start(rig);
}

void rig_open(struct rig *rig, const struct kit *kit)
{
	*rig = (struct rig){ .kit = kit, .root = unit_directory() };
	rig_start(rig);
}

void rig_close(struct rig *rig)
{
	rig_stop(rig);
	unit_remove(rig->root);
	free(rig->root);
	rig->root = NULL;
}

void rig_wait(struct rig *rig, bool (*is_so)(struct rig *))
{
	/* Nobody tells of a checkpoint or of a disk that came back: look again, for as long as a test may take. */
	for (int i = 0; i < UNIT_SECONDS * 100 && !is_so(rig); i++)
		(void)poll(NULL, 0, 10);
	ck_assert(is_so(rig));
}

bool rig_is_checkpointed(struct rig *rig)
{
	struct store_figures f;

	store_figures(rig->store, &f);
	return f.backend.checkpoints_written > 0 && f.backend.checkpoints_waiting == 0;
}

bool rig_has_failed(struct rig *rig)
{
	struct store_figures f;

	store_figures(rig->store, &f);
	return f.backend.checkpoints_failed > 0;
}

bool rig_is_writable(struct rig *rig)
{
	return !store_read_only(rig->store);
}

void rig_killed(struct rig *rig, void (*work)(struct rig *))
{
	int status = 0;
	pid_t pid = fork();

	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		rig_start(rig);
		work(rig);
		_exit(0);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
}

/* ---- changes ---- */

struct change kit_change(enum change_kind kind, const char *id)
{
	struct change change = { .kind = kind, .id = id, .metadata = METADATA_ZERO, .patch = STATUS_PATCH_NONE };

	change.metadata.id = id;
	return change;
}

struct change kit_create(const char *id, unsigned given, struct status status)
{
	struct change change = kit_change(CHANGE_CREATE, id);

	change.patch.given = given;
	change.patch.value = unit_status(status);
	return change;
}

struct change kit_patch(const char *id, unsigned given, struct status status)
{
	struct change change = kit_create(id, given, status);

	change.kind = CHANGE_PATCH;
	return change;
}

struct change kit_delete(const char *id)
{
	return kit_change(CHANGE_DELETE, id);
}

static enum change_end do_change(struct rig *rig, struct change *change, uint64_t *ret_revision)
{
	struct ticket t = { .change = change };

	store_change(rig->store, &t);
	*ret_revision = t.container ? container_revision(t.container) : 0;
	ticket_clear(&t);
	return t.verdict.end;
}

enum change_end rig_do(struct rig *rig, struct change change)
{
	uint64_t revision;

	return do_change(rig, &change, &revision);
}

uint64_t rig_expect(struct rig *rig, struct change change, enum change_end expected)
{
	uint64_t revision;
	enum change_end end = do_change(rig, &change, &revision);

	ck_assert_msg(end == expected, "%s: expected %s, seen %s", change.id, change_end_name(expected), change_end_name(end));
	return revision;
}

/* ---- reading ---- */

uint64_t rig_expect_status(struct rig *rig, const char *id, struct status expected)
{
	struct container *c = store_get(rig->store, id);
	uint64_t revision;

	ck_assert_msg(c, "%s is not there", id);
	unit_expect_status(id, container_status(c), expected);
	revision = container_revision(c);
	ck_assert_uint_le(revision, store_revision(rig->store));
	container_unref(c);
	return revision;
}

void rig_expect_absent(struct rig *rig, const char *id)
{
	struct container *c = store_get(rig->store, id);

	ck_assert_msg(!c, "%s is still there", id);
}

char *rig_ids(struct rig *rig)
{
	auto_arena struct arena arena = ARENA;
	struct filter *f = filter_new(&arena);
	struct buf b = BUF(1 << 24);
	struct listing *l = NULL;
	size_t len;

	ck_assert_ptr_nonnull(f);
	ck_assert_int_eq(store_list(rig->store, f, &l), 0);
	for (size_t i = 0; i < listing_count(l); i++)
		(void)buf_addf(&b, "%s%s", i ? " " : "", container_id(listing_at(l, i)));
	listing_unref(l);
	ck_assert_ptr_nonnull(buf_text(&b));
	return buf_take(&b, &len);
}

void rig_expect_ids(struct rig *rig, const char *expected)
{
	char *ids = rig_ids(rig);

	ck_assert_str_eq(ids, expected);
	free(ids);
}

void rig_expect_found(struct rig *rig, const char *ref, enum store_find expected, const char *id)
{
	struct container *c = NULL;
	enum store_find found = store_find(rig->store, ref, &c, NULL);

	ck_assert_msg(found == expected, "\"%s\": expected %d, seen %d", ref, (int)expected, (int)found);
	ck_assert_str_eq(c ? container_id(c) : "", id);
	container_unref(c);
}

void rig_expect_candidates(struct rig *rig, const char *ref, const char *ids)
{
	struct candidates few = { 0 };
	struct container *c = NULL;
	auto_buf struct buf b = BUF(1 << 16);

	ck_assert_int_eq(store_find(rig->store, ref, &c, &few), STORE_AMBIGUOUS);
	ck_assert_ptr_null(c);
	for (size_t i = 0; i < few.count; i++)
		(void)buf_addf(&b, "%s%s", i ? " " : "", container_id(few.at[i]));
	candidates_free(&few);
	ck_assert_str_eq(buf_text(&b), ids);
}
