#include "fault/world.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "container/container.h"
#include "fault/fast_clock.h"
#include "persist/disk_backend.h"
#include "unit/store_kit.h"

enum { SEGMENT_BYTES = 64 * 1024, CHECKPOINT_WAIT_MS = 12, HEAL_MS = 20000 };

/* ---- the model ---- */

void world_begin(struct world *w, const char *root)
{
	w->model = mmap(NULL, sizeof *w->model, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (w->model == MAP_FAILED)
		abort();
	w->model->version_count = 1; /* version 0: there is none */
	w->root = root;
}

void world_wrong(struct world *w, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	if (!w->wrong[0])
		(void)vsnprintf(w->wrong, w->wrong_room, fmt, args);
	va_end(args);
	_exit(1);
}

static const char *id_of(int id)
{
	static const char *const ids[WORLD_IDS] = { "box-0", "box-1", "box-2", "box-3", "box-4", "box-5" };

	return ids[id];
}

static struct world_version *version_of(struct world *w, int version)
{
	return &w->model->versions[version];
}

static int new_version(struct world *w)
{
	if (w->model->version_count == WORLD_VERSIONS)
		world_wrong(w, "the test has no room for another version");
	return w->model->version_count++;
}

/* What comes next in the life of a container. */
static struct status_patch next_patch(const struct world_version *old, int version, enum world_step step, const char *message)
{
	struct status_patch patch = { .given = GIVEN_MESSAGE, .value = STATUS_ZERO };
	enum container_state state = old ? status_state(&old->status) : CONTAINER_CREATED;

	patch.value.message = message;
	if (!old) {
		patch.given |= GIVEN_CREATED_AT;
		patch.value.created_at = version;
	} else if (old->status.removing) {
		patch.given = GIVEN_REMOVING; /* the only thing that is taken then */
	} else if (state == CONTAINER_RUNNING || state == CONTAINER_UNKNOWN) {
		patch.given |= GIVEN_FINISHED_AT | GIVEN_EXIT_CODE;
		patch.value.finished_at = 1000 * version + 1;
		patch.value.exit_code = version;
	} else if (step == WORLD_FLAG && state == CONTAINER_EXITED) {
		patch.given |= GIVEN_REMOVING;
		patch.value.removing = true;
	} else {
		patch.given |= GIVEN_STARTED_AT | GIVEN_PID;
		patch.value.started_at = 1000 * version;
		patch.value.pid = (uint32_t)version;
	}
	return patch;
}

/* Deletion, creation or the next step in its life. */
static int plan(struct world *w, int id, enum world_step step, struct change *ret)
{
	const struct world_box *box = &w->model->boxes[id];
	const struct world_version *old = box->newest ? version_of(w, box->newest) : NULL;
	int version = new_version(w);
	struct world_version *next = version_of(w, version);
	struct status_patch patch;
	struct verdict verdict;

	if (step == WORLD_DELETE && old) {
		*ret = kit_delete(id_of(id));
		ret->force = true;
		return 0;
	}
	(void)snprintf(next->message, sizeof next->message, "container %d, version %d", id, version);
	patch = next_patch(old, version, step, next->message);
	*ret = kit_patch(id_of(id), patch.given, patch.value);
	if (old) {
		verdict = change_status(&old->status, &patch, false, 1);
		if (verdict.end != CHANGE_UPDATED)
			world_wrong(w, "the test's own step is refused: %s, %s", change_end_name(verdict.end),
				    verdict.detail ? verdict.detail : "");
		next->status = verdict.next;
		next->nameless = old->nameless;
	} else {
		ret->kind = CHANGE_CREATE;
		ret->metadata.name = id_of(id);
		next->status = patch.value;
	}
	if (patch.given & GIVEN_MESSAGE)
		next->status.message = next->message;
	return version;
}

/* ---- answers ---- */

static void note_also(struct world *w, int *list, size_t *count, int version)
{
	if (*count == WORLD_ALSO)
		world_wrong(w, "the test has no room for what may be");
	list[(*count)++] = version;
}

static void note_success(struct world *w, int id, int version, bool relaxed, uint64_t revision)
{
	struct world_box *box = &w->model->boxes[id];

	if (relaxed)
		note_also(w, box->before, &box->before_count, box->newest);
	box->newest = version;
	box->also_count = 0; /* decided against what is certain: what was in doubt before is certainly absent */
	if (revision && revision <= w->model->revision)
		world_wrong(w, "%s: revision %llu was given out after %llu", id_of(id), (unsigned long long)revision,
			    (unsigned long long)w->model->revision);
	if (revision)
		box->revision = w->model->revision = w->model->shown = revision;
	/* One durable answer makes all before it durable. */
	for (int i = 0; i < WORLD_IDS && !relaxed; i++)
		w->model->boxes[i].before_count = 0;
	w->model->answered++;
}

static void note_end(struct world *w, int id, int version, bool relaxed, enum change_end end, uint64_t revision)
{
	struct world_box *box = &w->model->boxes[id];

	switch (end) {
	case CHANGE_CREATED:
	case CHANGE_UPDATED:
	case CHANGE_DELETED:
		note_success(w, id, version, relaxed, revision);
		return;
	case CHANGE_E_OUTCOME_UNKNOWN:
		note_also(w, box->also, &box->also_count, version);
		w->model->unknown++;
		return;
	case CHANGE_E_CHECKPOINT_FAILED:
	case CHANGE_E_NO_SPACE:
	case CHANGE_E_READ_ONLY:
	case CHANGE_E_OVERLOADED:
	case CHANGE_E_NO_MEMORY:
		w->model->refused++;
		return;
	default:
		world_wrong(w, "%s: a good change ended as %s", id_of(id), change_end_name(end));
	}
}

enum change_end world_step(struct world *w, int id, enum world_step step)
{
	struct change change;
	int version = plan(w, id, step, &change);
	struct ticket t = { .change = &change };
	uint64_t revision;

	change.relaxed = step == WORLD_RELAXED;
	store_change(w->store, &t);
	revision = t.container ? container_revision(t.container) : 0;
	ticket_clear(&t);
	note_end(w, id, version, change.relaxed, t.verdict.end, revision);
	world_look(w);
	return t.verdict.end;
}

/* ---- looking ---- */

static bool has_no_name(const struct container *c)
{
	return metadata_value(container_metadata(c))->name[0] == '\0';
}

static bool shows(struct world *w, int id, const struct container *c, int version, bool loaded)
{
	struct world_version *v = version_of(w, version);
	struct status expected = v->status, seen;

	if (!c || version == 0)
		return !c && version == 0;
	seen = *container_status(c);
	if (loaded)
		expected.removing = seen.removing = false; /* a flag is in no file, and cleared by the first change */
	/* Known from its file, or from the record that says so: one state either way. */
	if (status_state(&seen) == CONTAINER_UNKNOWN && status_state(&expected) == CONTAINER_UNKNOWN)
		expected.unknown = seen.unknown;
	if (has_no_name(c) ? !v->nameless : strcmp(metadata_value(container_metadata(c))->name, id_of(id)) != 0)
		return false;
	return status_equal(&seen, &expected);
}

static void tell_difference(struct world *w, int id, const struct container *c)
{
	const int newest = w->model->boxes[id].newest;
	const struct slice json = c ? container_json(c) : (struct slice){ "nothing", 7 };

	world_wrong(w, "%s: acknowledged was version %d (%s), seen is %.*s", id_of(id), newest,
		    newest ? version_of(w, newest)->message : "deleted, or never made", (int)json.len < 400 ? (int)json.len : 400, json.at);
}

static void check_revision(struct world *w, int id, const struct container *c)
{
	struct world_box *box = &w->model->boxes[id];

	if (!c)
		return;
	if (container_revision(c) < box->revision)
		world_wrong(w, "%s: went back from revision %llu to %llu", id_of(id), (unsigned long long)box->revision,
			    (unsigned long long)container_revision(c));
	if (container_revision(c) > store_revision(w->store))
		world_wrong(w, "%s: has a higher revision than the store", id_of(id));
	box->revision = container_revision(c);
}

static void note_shown(struct world *w, uint64_t revision)
{
	w->model->shown = revision;
	if (w->model->revision < revision)
		w->model->revision = revision;
}

static void look_at_list(struct world *w, size_t count)
{
	struct arena arena = ARENA;
	struct filter *all = filter_new(&arena);
	struct listing *l = NULL;

	if (!all || store_list(w->store, all, &l) < 0)
		world_wrong(w, "a list could not be made");
	if (listing_count(l) != count)
		world_wrong(w, "there are %zu containers, a list shows %zu", count, listing_count(l));
	listing_unref(l);
	arena_free(&arena);
}

void world_look(struct world *w)
{
	uint64_t revision = store_revision(w->store);
	size_t count = 0;

	for (int id = 0; id < WORLD_IDS; id++) {
		struct container *c = store_get(w->store, id_of(id));

		if (!shows(w, id, c, w->model->boxes[id].newest, false))
			tell_difference(w, id, c);
		check_revision(w, id, c);
		count += c != NULL;
		container_unref(c);
	}
	if (revision < w->model->shown)
		world_wrong(w, "the store went back from revision %llu to %llu", (unsigned long long)w->model->shown,
			    (unsigned long long)revision);
	note_shown(w, revision);
	if (w->lists)
		look_at_list(w, count);
}

/* ---- after a start ---- */

/* A version that is as <like> but for what the fault took. */
static void copy_damaged(struct world_version *v, const struct world_version *like, const struct container *c)
{
	*v = *like;
	v->nameless = has_no_name(c);
	if (!container_status(c)->unknown)
		return;
	v->status = *container_status(c);
	(void)snprintf(v->message, sizeof v->message, "%s", v->status.message);
	v->status.message = v->message;
	v->status.reason = "CheckpointDamaged";
}

/* A fault under reading may have made a file unreadable: then its container is shown so, and that is counted. */
static int find_damage(struct world *w, int id, const struct container *c)
{
	struct world_box *box = &w->model->boxes[id];
	int version = new_version(w);
	struct world_version *v = version_of(w, version);
	struct store_figures f;
	bool found = false;

	if (!w->reads_may_fail || !c)
		tell_difference(w, id, c);
	for (size_t i = 0; i <= box->also_count && !found; i++) {
		int like = i == 0 ? box->newest : box->also[i - 1];

		if (like) {
			copy_damaged(v, version_of(w, like), c);
			found = shows(w, id, c, version, true);
		}
	}
	store_figures(w->store, &f);
	if (!found || (v->status.unknown && f.backend.recovered[RECOVERY_UNKNOWN] == 0) ||
	    (v->nameless && f.backend.recovered[RECOVERY_QUARANTINED] + f.backend.recovered[RECOVERY_UNKNOWN] == 0))
		tell_difference(w, id, c);
	w->model->shaky = true;
	return version;
}

/* The version among what is allowed that a start has found. */
static int find_version(struct world *w, int id, const struct container *c)
{
	const struct world_box *box = &w->model->boxes[id];

	if (shows(w, id, c, box->newest, true))
		return box->newest;
	for (size_t i = 0; i < box->also_count; i++)
		if (shows(w, id, c, box->also[i], true))
			return box->also[i];
	return find_damage(w, id, c);
}

static void compare_loaded(struct world *w)
{
	struct store_figures f;

	for (int id = 0; id < WORLD_IDS; id++) {
		struct world_box *box = &w->model->boxes[id];
		struct container *c = store_get(w->store, id_of(id));
		int found = find_version(w, id, c), before = box->newest;
		bool damaged = c && (container_status(c)->unknown || has_no_name(c));

		if (found == before)
			check_revision(w, id, c);
		else
			box->revision = c ? container_revision(c) : 0;
		box->newest = found;
		box->also_count = box->before_count = 0;
		/* Until it is written down, a later start may be luckier. */
		if (damaged && found != before)
			note_also(w, box->also, &box->also_count, before);
		version_of(w, found)->status.removing = false;
		container_unref(c);
	}
	store_figures(w->store, &f);
	/* What a start with damage showed and never wrote down may be shown again. */
	if (f.revision < w->model->shown && !w->model->lost && !w->model->shaky)
		world_wrong(w, "the store came back at revision %llu, after %llu was shown", (unsigned long long)f.revision,
			    (unsigned long long)w->model->shown);
	if (f.loaded_revision < w->model->revision && !w->model->shaky)
		world_wrong(w, "the next revision is to be %llu, and %llu was given out", (unsigned long long)f.loaded_revision + 1,
			    (unsigned long long)w->model->revision);
	w->model->lost = false;
	note_shown(w, f.revision);
}

void world_allow_losses(struct world *w)
{
	for (int id = 0; id < WORLD_IDS; id++) {
		struct world_box *box = &w->model->boxes[id];

		for (size_t i = 0; i < box->before_count; i++)
			note_also(w, box->also, &box->also_count, box->before[i]);
		w->model->lost |= box->before_count > 0;
		if (box->before_count)
			box->revision = 0; /* of what comes back: lower than that of what was lost */
		box->before_count = 0;
	}
}

/* Flags that loading cleared show a new revision only once writes are open; before, the old one. */
static void wait_until_open(struct world *w, int ms)
{
	for (int i = 0; i < ms && store_read_only(w->store); i++)
		(void)poll(NULL, 0, 1);
}

static void ignore_report(void *cls, const struct err *err)
{
	struct world *w = cls;

	if (err->text[0] == '\0')
		world_wrong(w, "a report says nothing");
}

static int make_store(struct world *w, struct err *err)
{
	const struct disk_options disk = {
		.root = w->root,
		.files = w->files,
		.clock = &clock_system,
		.segment_bytes = SEGMENT_BYTES,
		.report = ignore_report,
		.report_cls = w,
	};
	const struct store_options options = { .clock = &clock_system, .report = ignore_report, .report_cls = w };
	struct backend *backend;
	int r = disk_backend_new(&disk, &backend, err);

	if (r < 0)
		return r;
	w->store = store_new(backend, &options);
	return w->store ? 0 : err_set(err, -ENOMEM, "make the store");
}

int world_open(struct world *w, struct err *err)
{
	int r = make_store(w, err);

	if (r == 0)
		r = store_load(w->store, NULL, NULL, err);
	if (r == 0)
		compare_loaded(w);
	if (r == 0)
		r = store_start(w->store, err);
	if (r == 0) {
		wait_until_open(w, CHECKPOINT_WAIT_MS);
		if (!store_read_only(w->store))
			w->model->shaky = false; /* the damage is written down, and so is its revision */
		world_look(w);
		return 0;
	}
	store_free(w->store);
	w->store = NULL;
	w->model->refused_starts++;
	if (err->code != r || err->text[0] == '\0')
		world_wrong(w, "a start was refused with %d, and nothing says why", r);
	return r;
}

/* ---- time ---- */

void world_settle(struct world *w)
{
	struct store_figures f;

	for (int i = 0; i < CHECKPOINT_WAIT_MS; i++) {
		store_figures(w->store, &f);
		if (f.backend.checkpoints_waiting == 0 && f.backend.journal_bytes == 0)
			break;
		(void)poll(NULL, 0, 1);
	}
}

void world_expect_healing(struct world *w)
{
	for (int ms = 0;; ms++) {
		enum change_end end = store_read_only(w->store) ? CHANGE_E_READ_ONLY : world_step(w, 0, WORLD_NEXT);

		if (change_end_is_success(end))
			return;
		if (ms * FAST_CLOCK >= HEAL_MS)
			world_wrong(w, "the fault is gone, and changes still end as %s (%s)", change_end_name(end),
				    store_read_only(w->store) ? store_read_only(w->store) : "writable");
		(void)poll(NULL, 0, 1);
	}
}

void world_close(struct world *w)
{
	store_free(w->store);
	w->store = NULL;
}
