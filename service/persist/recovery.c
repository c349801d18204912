#include "persist/recovery.h"

#include <errno.h>
#include <string.h>

#include "container/codec.h"
#include "container/id.h"
#include "persist/checkpoint_file.h"
#include "persist/disk_backend.h"
#include "persist/replay.h"
#include "persist/scan.h"
#include "persist/tree.h"

struct recovery {
	struct recovery_options options;
	struct scan scan;
	struct tree tree;
	struct replay replay;
	struct tree_entry **sorted; /* owned; by id */
	uint64_t revision, shown;
	struct live live; /* of what was delivered and is ours */
	struct recovery_figures figures;
	uint64_t doubtful, doubtful_exited; /* salvage */
};

static void report(const struct recovery *r, const struct err *err)
{
	if (r->options.report)
		r->options.report(r->options.report_cls, err);
}

/* ---- snapshots of what was replayed ---- */

static int rebuild_metadata(struct tree_worker *w, struct tree_entry *e, const struct stamp *stamp, struct err *err)
{
	struct metadata_value v = METADATA_ZERO;
	struct stamp ignored;
	int r = 0;

	v.id = e->id;
	if (e->record_metadata.at)
		r = codec_metadata_from_disk(e->record_metadata, &w->arena, &v, &ignored, err);
	else if (e->meta && metadata_created(e->meta) == stamp->created)
		return 0;
	if (r < 0)
		return r;
	metadata_unref(e->meta);
	e->meta = metadata_new(&v, stamp->created);
	return e->meta ? 0 : -ENOMEM;
}

/* The file's status with the record's metadata. */
static int rebuild_around_status(struct tree_worker *w, struct tree_entry *e, struct err *err)
{
	const struct stamp stamp = { .created = e->created };
	struct container *old = e->container;
	int r = rebuild_metadata(w, e, &stamp, err);

	if (r < 0)
		return r;
	e->container = container_new(e->meta, container_status(old), container_revision(old));
	container_unref(old);
	return e->container ? 0 : -ENOMEM;
}

static int rebuild(struct tree_worker *w, struct tree_entry *e)
{
	struct err err = { 0 };
	struct stamp stamp;
	struct status s;
	int r;

	if (!e->record_status.at && !e->record_metadata.at)
		return 0;
	if (!e->record_status.at)
		return e->container ? rebuild_around_status(w, e, &err) : 0;
	r = codec_status_from_disk(e->record_status, &w->arena, &s, &stamp, &err);
	if (r == 0 && (!stamp.present || strcmp(stamp.id, e->id) != 0))
		r = -EBADMSG;
	if (r == 0)
		r = rebuild_metadata(w, e, &stamp, &err);
	if (r < 0)
		return r;
	s.removing = stamp.transient; /* so that the same bytes would be written again */
	e->transient = stamp.transient;
	container_unref(e->container);
	e->container = container_new(e->meta, &s, e->revision);
	return e->container ? 0 : -ENOMEM;
}

/* ---- judging ---- */

static bool is_damaged(const struct tree_entry *e)
{
	return !e->replayed && e->status != FILE_GOOD && e->status != FILE_FOREIGN;
}

static bool needs_adoption(const struct tree_entry *e)
{
	return !e->replayed && e->status == FILE_FOREIGN && e->created == 0;
}

static bool is_there(const struct tree_entry *e)
{
	return e->container && !e->deleted;
}

/* A file that is there and cannot be used.  What the disk does not give today it may give tomorrow: neither is ever
 * overwritten. */
static bool is_unusable(uint8_t file)
{
	return file == FILE_DAMAGED || file == FILE_UNREADABLE;
}

/* A status file that is to be kept as evidence.  One of another creation than the metadata is what a crash between two
 * writes leaves, when the journal has the rest of it. */
static bool is_evidence(const struct tree_entry *e)
{
	return is_unusable(e->status) && !(e->mismatch && e->replayed);
}

/* Of the metadata nothing but the id is left: not in the file, nor in a record.  containerd writes none. */
static bool has_lost_metadata(const struct tree_entry *e)
{
	if (!e->directory || e->record_metadata.at || e->recreated)
		return false;
	return is_unusable(e->metadata) || (e->metadata == FILE_MISSING && e->status == FILE_GOOD);
}

static unsigned todo_of(const struct tree_entry *e)
{
	unsigned todo = 0;

	if (e->deleted)
		/* Without a directory the removal was perhaps not durable. */
		return e->directory ? TODO_DELETE : TODO_DELETE | TODO_REDO;
	if (e->first_record)
		todo |= e->adopted_only ? TODO_METADATA | TODO_SWEEP : TODO_STATUS;
	if (e->recreated)
		todo |= TODO_METADATA;
	if (is_unusable(e->status) || e->status == FILE_MISSING)
		todo |= e->replayed ? TODO_STATUS : 0;
	if (e->metadata != FILE_GOOD && !needs_adoption(e))
		todo |= TODO_METADATA;
	if (is_evidence(e))
		todo |= TODO_SET_STATUS_ASIDE;
	if (is_unusable(e->metadata))
		todo |= TODO_SET_METADATA_ASIDE;
	/* Nor is it known that the directory was made durably; with evidence in it it stays as it is. */
	if (e->recreated && e->directory && !(todo & (TODO_SET_STATUS_ASIDE | TODO_SET_METADATA_ASIDE)))
		todo |= TODO_REDO;
	return todo;
}

int recovery_each_todo(const struct recovery *r, recovery_todo *fn, void *cls)
{
	int failed = 0;

	for (size_t i = 0; i < r->tree.count && failed == 0; i++) {
		const struct tree_entry *e = r->sorted[i];
		unsigned todo = todo_of(e);

		if (todo && e->container)
			failed = fn(cls, e->container, todo, e->first_record ? e->first_record : UINT64_MAX, is_damaged(e));
	}
	return failed;
}

/* A deletion's item needs a last object, if only for its id. */
static int build_deleted(struct tree_entry *e)
{
	struct metadata_value v = METADATA_ZERO;
	const struct status none = STATUS_ZERO;

	v.id = e->id;
	metadata_unref(e->meta);
	container_unref(take(e->container));
	e->meta = metadata_new(&v, e->revision);
	if (e->meta)
		e->container = container_new(e->meta, &none, e->revision);
	return e->container ? 0 : -ENOMEM;
}

/* ---- the newest revision ---- */

static int check_revisions(struct recovery *r, struct err *err)
{
	uint64_t known = r->replay.revision;

	for (size_t i = 0; i < r->tree.count; i++) {
		const struct tree_entry *e = &r->tree.entries[i];

		if (e->revision <= known)
			continue;
		if (r->options.root->made && !r->options.salvage)
			return err_say(err, DISK_E_DAMAGED,
				       "containers/%s/" STATUS_NAME " is of revision %llu, but the journal ends at revision %llu: its end is "
				       "missing, or the file is from elsewhere; --recover=salvage goes on from there",
				       e->id, (unsigned long long)e->revision, (unsigned long long)known);
		if (r->revision < e->revision)
			r->revision = e->revision;
	}
	if (r->revision < known)
		r->revision = known;
	r->shown = r->revision;
	/* What was given out and lost in a crash must not be given out again. */
	if ((r->options.root->made || r->revision > 0) && !r->scan.clean)
		r->revision += JOURNAL_GAP;
	return 0;
}

/* ---- delivering ---- */

/* The container under a fresh revision: with another status, other metadata, or only without its transient flag. */
static struct container *refresh(struct recovery *r, struct tree_entry *e, const struct status *s)
{
	struct container *c = NULL;
	struct metadata *m;

	r->shown = ++r->revision;
	if (e->created)
		return container_new(container_metadata(e->container), s, r->revision);
	m = metadata_new(metadata_value(container_metadata(e->container)), r->revision);
	if (m)
		c = container_new(m, s, r->revision);
	metadata_unref(m);
	return c;
}

/* Salvage: what was changed by frames that are gone. */
static bool is_doubtful(struct recovery *r, const struct tree_entry *e)
{
	struct err err = { 0 };

	if (!r->scan.lost || needs_adoption(e) || e->revision >= r->scan.lost_revision)
		return false;
	if (container_state(e->container) != CONTAINER_EXITED) {
		r->doubtful++;
		return true;
	}
	r->doubtful_exited++;
	(void)err_say(&err, DISK_E_DAMAGED, "salvage: %s is kept as exited, though its changes after revision %llu may be lost", e->id,
		      (unsigned long long)e->revision);
	report(r, &err);
	return false;
}

static struct container *snapshot_of(struct recovery *r, struct tree_entry *e, unsigned *ret_flags)
{
	struct status s = *container_status(e->container);

	s.removing = false;
	if (is_damaged(e))
		*ret_flags |= FOUND_DAMAGED;
	else if (needs_adoption(e))
		*ret_flags |= FOUND_ADOPTED;
	else if (is_doubtful(r, e)) {
		*ret_flags |= FOUND_DAMAGED;
		s = status_damaged("changes to this container may be lost with a part of the journal");
	} else if (e->transient)
		*ret_flags |= FOUND_TRANSIENT;
	return *ret_flags ? refresh(r, e, &s) : container_ref(e->container);
}

static void count_delivered(struct recovery *r, const struct tree_entry *e, unsigned flags)
{
	uint64_t *counts = r->figures.counts;
	bool bad_status = is_unusable(e->status) || (e->status == FILE_MISSING && e->directory);

	counts[RECOVERY_LOADED]++;
	counts[RECOVERY_REPLAYED] += e->replayed;
	counts[RECOVERY_UNKNOWN] += (flags & FOUND_DAMAGED) != 0;
	counts[RECOVERY_QUARANTINED] += is_evidence(e) + is_unusable(e->metadata);
	if (e->replayed && bad_status && !e->mismatch && !e->recreated)
		counts[RECOVERY_REPAIRED]++;
	else if (!e->replayed && e->record_metadata.at)
		counts[RECOVERY_REPAIRED]++;
	/* Its directory is gone, or the one file, and of its metadata nothing but the id is left. */
	counts[RECOVERY_MISSING] += (!e->directory && !e->recreated) || (has_lost_metadata(e) && e->metadata == FILE_MISSING);
	if (!(flags & FOUND_ADOPTED))
		live_add(&r->live, e->hash);
}

/* A status that is lost shows in the container; this shows nowhere else. */
static void tell_lost_metadata(const struct recovery *r, const struct tree_entry *e)
{
	struct err err = { 0 };

	if (!has_lost_metadata(e))
		return;
	(void)err_say(&err, -ENODATA, "containers/%s/" METADATA_NAME " %s: name, labels and configuration are lost", e->id,
		      e->metadata == FILE_MISSING ? "is missing" : "is damaged or cannot be read");
	report(r, &err);
}

static int deliver_entry(struct recovery *r, struct tree_entry *e, const struct backend_loader *loader)
{
	unsigned flags = 0;
	struct container *c;

	if (e->deleted)
		return build_deleted(e);
	if (!is_there(e)) {
		r->figures.counts[RECOVERY_IGNORED]++;
		return 0;
	}
	c = snapshot_of(r, e, &flags);
	if (!c)
		return -ENOMEM;
	count_delivered(r, e, flags);
	tell_lost_metadata(r, e);
	loader->found(loader->cls, c, flags);
	return 0;
}

static int compare_entries(const void *a, const void *b)
{
	return strcmp((*(struct tree_entry *const *)a)->id, (*(struct tree_entry *const *)b)->id);
}

static int sort_entries(struct recovery *r)
{
	r->sorted = malloc((r->tree.count + 1) * sizeof(struct tree_entry *));
	if (!r->sorted)
		return -ENOMEM;
	for (size_t i = 0; i < r->tree.count; i++)
		r->sorted[i] = &r->tree.entries[i];
	if (r->tree.count)
		qsort(r->sorted, r->tree.count, sizeof(struct tree_entry *), compare_entries);
	return 0;
}

/* Fresh revisions are given in the order of the ids: two recoveries give the same. */
static int deliver(struct recovery *r, const struct backend_loader *loader, struct err *err)
{
	int failed = sort_entries(r);

	for (size_t i = 0; i < r->tree.count && failed == 0; i++)
		failed = deliver_entry(r, r->sorted[i], loader);
	return failed < 0 ? err_set(err, failed, "deliver what was loaded") : 0;
}

/* Compare who lives with who should. */
static void look_for_missing(struct recovery *r)
{
	const struct live *due = &r->replay.live;
	struct err err = { 0 };
	uint64_t missing;

	if (!r->scan.has_manifest || r->scan.lost || (due->count == r->live.count && due->xor == r->live.xor))
		return;
	if (due->count < r->live.count)
		return; /* directories somebody brought back: what is good in them is served */
	missing = due->count > r->live.count ? due->count - r->live.count : 1;
	r->figures.counts[RECOVERY_MISSING] += missing;
	(void)err_say(&err, -ENOENT, "%llu containers that were alive have no directory any more: somebody removed them from containers/",
		      (unsigned long long)missing);
	report(r, &err);
}

static void tell_losses(struct recovery *r)
{
	struct err err = { 0 };

	if (r->scan.rebuilt.code)
		report(r, &r->scan.rebuilt);
	if (!r->scan.lost)
		return;
	report(r, &r->scan.loss);
	(void)err_say(&err, DISK_E_DAMAGED, "salvage: %llu containers are unknown until their next update, %llu exited ones are kept as they were",
		      (unsigned long long)r->doubtful, (unsigned long long)r->doubtful_exited);
	report(r, &err);
}

/* ---- all of it ---- */

static int run(struct recovery *r, const struct backend_loader *loader, struct err *err)
{
	const struct root *root = r->options.root;
	const struct scan_options scan = {
		.files = root->files,
		.dir = root->journal,
		.store_id = root->made ? root->store_id : NULL,
		.salvage = r->options.salvage,
	};
	int failed = scan_journal(&scan, &r->scan, err);

	if (failed == 0)
		failed = tree_load(&r->tree, root->files, root->containers, loader->progress, loader->cls, err);
	if (failed == 0)
		failed = replay_run(&r->replay, &r->scan, &r->tree, r->options.salvage, err);
	if (failed < 0)
		return failed;
	if (r->scan.frame_count > 0)
		failed = tree_each(&r->tree, rebuild, NULL, NULL);
	if (failed == -EBADMSG)
		return err_say(err, DISK_E_DAMAGED, "a record of the journal cannot be understood though its checksum is right");
	if (failed < 0)
		return err_set(err, failed, "replay the journal");
	failed = check_revisions(r, err);
	return failed == 0 ? deliver(r, loader, err) : failed;
}

int recovery_run(const struct recovery_options *options, const struct backend_loader *loader, struct recovery **ret, struct err *err)
{
	int64_t start = clock_mono(options->clock);
	struct recovery *r = calloc(1, sizeof *r);
	int failed;

	if (!r)
		return err_set(err, -ENOMEM, "recover");
	r->options = *options;
	r->tree.containers = -1;
	failed = run(r, loader, err);
	if (failed < 0) {
		recovery_free(r);
		return failed;
	}
	r->figures.counts[RECOVERY_IGNORED] += r->tree.ignored;
	r->figures.torn_tails = r->scan.torn;
	look_for_missing(r);
	tell_losses(r);
	r->figures.took_ns = clock_mono(options->clock) - start;
	*ret = r;
	return 0;
}

void recovery_free(struct recovery *r)
{
	if (!r)
		return;
	replay_free(&r->replay);
	tree_free(&r->tree);
	scan_free(&r->scan);
	free(r->sorted);
	free(r);
}

uint64_t recovery_revision(const struct recovery *r)
{
	return r->revision;
}

uint64_t recovery_shown(const struct recovery *r)
{
	return r->shown;
}

struct journal_start recovery_start(const struct recovery *r)
{
	struct live durable = r->live;

	/* What was delivered is right behind the copies; the account in front of them is as many changes older. */
	durable.count += r->replay.proven_live.count - r->replay.live.count;
	durable.xor ^= r->replay.proven_live.xor ^ r->replay.live.xor;
	return (struct journal_start){
		.next_segno = r->scan.last_segno + 1,
		.durable_seq = r->scan.proven,
		.durable_live = durable,
		.revision = r->revision,
		.live = r->live,
		.copies = { r->replay.copies.at, r->replay.copies.len },
		.copies_seq = r->replay.copies_seq,
		.kept = r->replay.kept,
		.kept_count = r->scan.segment_count,
		.manifest_last = r->scan.has_manifest ? r->scan.manifest.last_segment : 0,
	};
}

const struct recovery_figures *recovery_figures(const struct recovery *r)
{
	return &r->figures;
}
