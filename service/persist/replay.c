#include "persist/replay.h"

#include <errno.h>
#include <string.h>

#include "container/id.h"
#include "persist/disk_backend.h"

enum { FIRST_SLOTS = 1024 };

/* ---- entries by id ---- */

static void put_slot(struct replay *p, size_t place)
{
	size_t i = p->tree->entries[place].hash & (p->slot_count - 1);

	while (p->slots[i])
		i = (i + 1) & (p->slot_count - 1);
	p->slots[i] = (uint32_t)place + 1;
}

/* Twice as many slots as entries, at least. */
static int make_slots(struct replay *p)
{
	size_t want = p->slot_count ? p->slot_count : FIRST_SLOTS;

	while (want < 2 * (p->tree->count + 1))
		want *= 2;
	if (want == p->slot_count)
		return 0;
	free(p->slots);
	p->slot_count = want;
	p->slots = calloc(want, sizeof *p->slots);
	if (!p->slots)
		return -ENOMEM;
	for (size_t i = 0; i < p->tree->count; i++)
		put_slot(p, i);
	return 0;
}

static bool has_id(const struct tree_entry *e, const struct slice *id)
{
	return strlen(e->id) == id->len && !memcmp(e->id, id->at, id->len);
}

/* The entry of an id, made when there is none; NULL when memory runs out. */
static struct tree_entry *entry_of(struct replay *p, const struct slice *id)
{
	char text[ID_MAX + 1];
	size_t i;

	memcpy(text, id->at, id->len);
	text[id->len] = '\0';
	for (i = id_hash(text) & (p->slot_count - 1); p->slots[i]; i = (i + 1) & (p->slot_count - 1))
		if (has_id(&p->tree->entries[p->slots[i] - 1], id))
			return &p->tree->entries[p->slots[i] - 1];
	if (!tree_add(p->tree, id->at, id->len))
		return NULL;
	if (2 * (p->tree->count + 1) > p->slot_count) {
		if (make_slots(p) < 0)
			return NULL;
	} else {
		put_slot(p, p->tree->count - 1);
	}
	return &p->tree->entries[p->tree->count - 1];
}

/* ---- records ---- */

static void drop_copy(struct slice *s)
{
	free((void *)(uintptr_t)s->at);
	*s = (struct slice){ 0 };
}

static int keep_copy(struct slice *s, struct slice bytes)
{
	char *at = malloc(bytes.len + 1);

	if (!at)
		return -ENOMEM;
	memcpy(at, bytes.at, bytes.len);
	drop_copy(s);
	*s = (struct slice){ at, bytes.len };
	return 0;
}

/* The record is newer than everything known of the container. */
static int take_newer(struct tree_entry *e, const struct record *rec)
{
	int r = 0;

	e->revision = rec->revision;
	e->transient = (rec->flags & RECORD_TRANSIENT) != 0;
	e->replayed = true;
	e->deleted = rec->type == RECORD_DELETE;
	if (rec->type == RECORD_DELETE) {
		drop_copy(&e->record_metadata);
		drop_copy(&e->record_status);
		return 0;
	}
	if (rec->type == RECORD_CREATE) {
		e->created = rec->revision;
		r = keep_copy(&e->record_metadata, rec->metadata);
	}
	return r == 0 ? keep_copy(&e->record_status, rec->status) : r;
}

/* The status file is newer than the creation; if its metadata file cannot be used, here is what it should be. */
static int take_metadata(struct tree_entry *e, const struct record *rec)
{
	if (rec->type != RECORD_CREATE || rec->revision != e->created)
		return 0;
	return e->metadata == FILE_GOOD ? 0 : keep_copy(&e->record_metadata, rec->metadata);
}

static int apply(struct replay *p, const struct record *rec)
{
	struct tree_entry *e = entry_of(p, &rec->id);
	bool adopts = rec->type == RECORD_CREATE && (rec->flags & RECORD_ADOPTED);

	if (!e)
		return -ENOMEM;
	if (e->first_record == 0)
		e->first_record = rec->revision;
	if (rec->type == RECORD_CREATE)
		live_add(&p->live, e->hash);
	else if (rec->type == RECORD_DELETE)
		live_drop(&p->live, e->hash);
	e->adopted_only = adopts;
	e->recreated = e->recreated || (rec->type == RECORD_CREATE && !adopts);
	return rec->revision > e->revision ? take_newer(e, rec) : take_metadata(e, rec);
}

/* ---- frames ---- */

static int bad_frame(const struct replay *p, const struct scan_frame *f, struct err *err)
{
	if (p->salvage)
		return 0;
	return err_say(err, DISK_E_DAMAGED,
		       "journal segment %016llx, offset %llu: frame %llu cannot be understood (revisions above %llu); "
		       "--recover=salvage goes on without it",
		       (unsigned long long)f->frame.segno, (unsigned long long)f->at, (unsigned long long)f->frame.seq,
		       (unsigned long long)f->frame.base_revision);
}

static int apply_payload(struct replay *p, const struct scan_frame *f, struct slice payload, struct err *err)
{
	uint64_t newest = f->frame.base_revision;
	uint32_t records = 0;
	struct record rec;
	size_t at = 0;
	int r;

	while ((r = record_next(payload, &at, &rec)) > 0) {
		if (rec.revision <= newest)
			return bad_frame(p, f, err);
		newest = rec.revision;
		records++;
		if (apply(p, &rec) < 0)
			return err_set(err, -ENOMEM, "replay the journal");
	}
	if (p->revision < newest)
		p->revision = newest;
	p->kept[f->segment].last_revision = newest;
	return r < 0 || records != f->frame.records ? bad_frame(p, f, err) : 0;
}

/* What is not proven durable is to be written again by whoever goes on. */
static int keep_frame(struct replay *p, const struct scan_frame *f, const struct buf *room)
{
	if (f->frame.seq <= p->scan->proven)
		return 0;
	if (p->copies.len == 0)
		p->proven_live = p->live;
	p->copies_seq = f->frame.seq;
	return buf_add(&p->copies, room->at, frame_room(f->frame.payload_len));
}

static int replay_frame(struct replay *p, const struct scan_frame *f, struct buf *room, struct err *err)
{
	struct slice payload;
	int r = 0;

	p->kept[f->segment].used += frame_room(f->frame.payload_len);
	if (f->frame.records == 0 && f->frame.seq <= p->scan->proven)
		return 0;
	r = scan_payload(p->scan, f, room, &payload, err);
	if (r == 0 && keep_frame(p, f, room) < 0)
		r = err_set(err, -ENOMEM, "replay the journal");
	return r == 0 ? apply_payload(p, f, payload, err) : r;
}

/* Segments begin where the frames before them end. */
static void begin_segments(struct replay *p, size_t *next, size_t upto)
{
	for (; *next < upto; (*next)++) {
		const struct scan_segment *g = &p->scan->segments[*next];
		struct kept_segment *k = &p->kept[*next];

		*k = (struct kept_segment){
			.segno = g->segno,
			.before_seq = p->scan->manifest.checkpointed_seq,
			.before_live = p->live,
			.damaged = g->damaged && !g->leftover,
		};
		if (g->base_seq > k->before_seq + 1)
			k->before_seq = g->base_seq - 1;
	}
}

int replay_run(struct replay *p, const struct scan *scan, struct tree *tree, bool salvage, struct err *err)
{
	auto_buf struct buf room = BUF(CAP_COPIES);
	size_t begun = 0;
	int r;

	*p = (struct replay){ .scan = scan, .tree = tree, .salvage = salvage, .copies = BUF(CAP_COPIES) };
	p->live = scan->manifest.live;
	p->revision = scan->revision;
	p->copies_seq = scan->proven;
	p->kept = calloc(scan->segment_count + 1, sizeof *p->kept);
	if (!p->kept || make_slots(p) < 0)
		return err_set(err, -ENOMEM, "replay the journal");
	for (size_t i = 0; i < scan->frame_count; i++) {
		begin_segments(p, &begun, scan->frames[i].segment + 1);
		r = replay_frame(p, &scan->frames[i], &room, err);
		if (r < 0)
			return r;
	}
	begin_segments(p, &begun, scan->segment_count);
	if (p->copies.len == 0)
		p->proven_live = p->live;
	return 0;
}

void replay_free(struct replay *p)
{
	free(p->slots);
	free(p->kept);
	buf_free(&p->copies);
	p->slots = NULL;
	p->kept = NULL;
}
