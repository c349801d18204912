#include "persist/scan.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "persist/disk_backend.h"
#include "persist/segment.h"

enum { CAP_SEGMENT = 1024 * 1024 * 1024 };
#define WAY_OUT "; --recover=salvage goes on without it"

/* ---- what is lost ---- */

/* Something that had been acknowledged cannot be read.  Refused, or under salvage noted. */
printf_like(4, 5) static int lose(struct scan *s, bool salvage, struct err *err, const char *fmt, ...)
{
	char text[240];
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(text, sizeof text, fmt, args);
	va_end(args);
	if (!salvage)
		return err_say(err, DISK_E_DAMAGED, "%s" WAY_OUT, text);
	if (!s->lost)
		(void)err_say(&s->loss, DISK_E_DAMAGED, "%s", text);
	s->lost = true;
	return 0;
}

/* ---- which segments there are ---- */

static int compare_segments(const void *a, const void *b)
{
	const struct scan_segment *x = a, *y = b;

	return x->segno < y->segno ? -1 : x->segno > y->segno;
}

static int add_segment(struct scan *s, size_t *room, uint64_t segno)
{
	if (s->segment_count == *room) {
		size_t want = *room ? 2 * *room : 64;
		struct scan_segment *grown = realloc(s->segments, want * sizeof *grown);

		if (!grown)
			return -ENOMEM;
		s->segments = grown;
		*room = want;
	}
	s->segments[s->segment_count++] = (struct scan_segment){ .segno = segno };
	return 0;
}

static int read_names(struct scan *s, DIR *dir)
{
	struct dirent *entry;
	size_t room = 0;
	int r = 0;

	errno = 0;
	while (r == 0 && (entry = s->files->readdir(dir))) {
		uint64_t segno = segment_number(entry->d_name);

		if (segno)
			r = add_segment(s, &room, segno);
		errno = 0;
	}
	return r == 0 && errno ? -errno : r;
}

static int list_segments(struct scan *s, struct err *err)
{
	int fd = fsx_open(s->files, s->dir, ".", O_RDONLY | O_DIRECTORY, 0), r;
	DIR *dir;

	if (fd < 0)
		return err_set(err, fd, "list journal/");
	dir = s->files->fdopendir(fd);
	if (!dir) {
		r = -errno;
		(void)fsx_close(s->files, fd);
		return err_set(err, r, "list journal/");
	}
	r = read_names(s, dir);
	(void)s->files->closedir(dir);
	if (r < 0)
		return err_set(err, r, "list journal/");
	if (s->segment_count)
		qsort(s->segments, s->segment_count, sizeof *s->segments, compare_segments);
	s->last_segno = s->segment_count ? s->segments[s->segment_count - 1].segno : 0;
	return 0;
}

/* ---- MANIFEST ---- */

/* Without MANIFEST everything that is there must do. */
static void rebuild_manifest(struct scan *s)
{
	s->manifest = (struct manifest){ .first_segment = 1, .last_segment = 1 };
	if (s->segment_count) {
		s->manifest.first_segment = s->segments[0].segno;
		s->manifest.last_segment = s->last_segno;
	}
}

static int read_manifest(struct scan *s, const struct scan_options *o, struct err *err)
{
	struct err why = { 0 };
	int r = manifest_read(s->files, s->dir, &s->manifest, &why);

	if (r == 0 && memcmp(s->manifest.store_id, o->store_id, STORE_ID) != 0)
		r = err_say(&why, -EBADMSG, "it belongs to another store");
	s->has_manifest = r == 0;
	if (r == 0)
		return 0;
	if (r == -ENOMEM)
		return err_set(err, r, "read journal/" MANIFEST_NAME);
	if (!o->salvage)
		return err_say(err, DISK_E_DAMAGED, "journal/" MANIFEST_NAME " cannot be used: %s" WAY_OUT, why.text);
	rebuild_manifest(s);
	(void)err_say(&s->rebuilt, DISK_E_DAMAGED,
		      "salvage: journal/" MANIFEST_NAME " cannot be used (%s); nothing else tells of segments or containers that are gone",
		      why.text);
	return 0;
}

/* ---- headers ---- */

static int check_header(struct scan *s, struct scan_segment *segment, const struct scan_options *o, int fd, struct err *err)
{
	uint8_t block[FRAME_BLOCK];
	struct segment_header h;
	struct stat st;
	int r;

	if (s->files->fstat(fd, &st) < 0)
		return err_set(err, -errno, "look at it");
	r = fsx_pread_all(s->files, fd, block, sizeof block, 0);
	if (r < 0)
		return err_set(err, r, "read its header");
	r = segment_header_decode(block, &h, err);
	if (r < 0)
		return r;
	if (h.segno != segment->segno)
		return err_say(err, -EBADMSG, "the header is that of segment %llx", (unsigned long long)h.segno);
	if (memcmp(h.store_id, o->store_id, STORE_ID) != 0)
		return err_say(err, -EBADMSG, "it belongs to another store");
	if (st.st_size < 0 || (uint64_t)st.st_size != h.size)
		return err_say(err, -EBADMSG, "its length is %lld, not %llu", (long long)st.st_size, (unsigned long long)h.size);
	segment->base_seq = h.base_seq;
	segment->base_revision = h.base_revision;
	segment->size = h.size;
	return 0;
}

static int read_header(struct scan *s, struct scan_segment *segment, const struct scan_options *o, struct err *err)
{
	char name[SEGMENT_NAME + 1];
	int fd, r;

	segment_name(segment->segno, name);
	fd = fsx_open(s->files, s->dir, name, O_RDONLY | O_NONBLOCK, 0);
	if (fd < 0)
		return err_set(err, fd, "open it");
	r = check_header(s, segment, o, fd, err);
	(void)fsx_close(s->files, fd);
	return r;
}

/* Everything in segment <i> is in checkpoint files. */
static bool is_covered(const struct scan *s, size_t i)
{
	for (size_t k = i + 1; k < s->segment_count; k++)
		if (!s->segments[k].damaged)
			return s->segments[k].base_seq <= s->manifest.checkpointed_seq + 1;
	return false;
}

/* Backwards, so that a damaged one can be judged by what follows it. */
static int read_headers(struct scan *s, const struct scan_options *o, struct err *err)
{
	for (size_t i = s->segment_count; i-- > 0;) {
		struct scan_segment *segment = &s->segments[i];
		struct err why = { 0 };
		int r = 0;

		segment->leftover = segment->segno < s->manifest.first_segment;
		if (segment->leftover)
			continue;
		segment->damaged = read_header(s, segment, o, &why) < 0;
		if (segment->damaged && !is_covered(s, i))
			r = lose(s, o->salvage, err, "journal segment %016llx is damaged at offset 0: %s (frames after %llu)",
				 (unsigned long long)segment->segno, why.text, (unsigned long long)s->manifest.checkpointed_seq);
		if (r < 0)
			return r;
		if (!segment->damaged && s->revision < segment->base_revision)
			s->revision = segment->base_revision;
		if (!segment->damaged && s->proven < segment->base_seq - 1)
			s->proven = segment->base_seq - 1;
	}
	return 0;
}

static int check_range(struct scan *s, const struct scan_options *o, struct err *err)
{
	uint64_t expected = s->manifest.first_segment;
	int r = 0;

	for (size_t i = 0; i < s->segment_count && r == 0; i++) {
		uint64_t segno = s->segments[i].segno;

		if (s->segments[i].leftover)
			continue;
		if (segno != expected)
			r = lose(s, o->salvage, err, "journal segment %016llx is missing", (unsigned long long)expected);
		expected = segno + 1;
	}
	if (r == 0 && expected <= s->manifest.last_segment)
		r = lose(s, o->salvage, err, "journal segment %016llx is missing", (unsigned long long)expected);
	return r;
}

/* ---- frames ---- */

/* A later segment's frame takes the place of what it fenced off. */
static int add_frame(struct scan *s, const struct frame *f, size_t segment, uint64_t at)
{
	while (s->frame_count > 0 && s->frames[s->frame_count - 1].frame.seq >= f->seq)
		s->frame_count--;
	if (s->frame_count == s->frame_room) {
		size_t want = s->frame_room ? 2 * s->frame_room : 256;
		struct scan_frame *grown = realloc(s->frames, want * sizeof *grown);

		if (!grown)
			return -ENOMEM;
		s->frames = grown;
		s->frame_room = want;
	}
	s->frames[s->frame_count++] = (struct scan_frame){ *f, segment, at };
	return 0;
}

static int take_frame(struct scan *s, const struct frame *f, size_t segment, uint64_t at)
{
	const struct scan_segment *g = &s->segments[segment];

	if (f->segno != g->segno || (!g->damaged && f->seq < g->base_seq))
		return 0; /* its checksum is right and yet it does not belong here: it proves nothing */
	if (s->proven < f->durable_seq)
		s->proven = f->durable_seq;
	if (s->revision < f->base_revision)
		s->revision = f->base_revision;
	/* A copy only tells that an earlier process ended in order; the one that copied it has gone on. */
	s->clean = (f->flags & (FRAME_CLEAN | FRAME_COPY)) == FRAME_CLEAN;
	return f->seq > s->manifest.checkpointed_seq ? add_frame(s, f, segment, at) : 0;
}

/* All frames of a segment's bytes.  Whether anything else than zeros stands behind the last of them: *ret_garbage. */
static int scan_bytes(struct scan *s, size_t segment, const uint8_t *bytes, size_t size, bool *ret_garbage)
{
	static const uint8_t zeros[FRAME_BLOCK];
	size_t at = FRAME_BLOCK;
	int r = 0;

	*ret_garbage = false;
	while (at + FRAME_BLOCK <= size && r == 0) {
		struct frame f;

		if (frame_decode(bytes + at, size - at, &f) == 0) {
			r = take_frame(s, &f, segment, at);
			at += frame_room(f.payload_len);
			*ret_garbage = false;
		} else {
			*ret_garbage = *ret_garbage || memcmp(bytes + at, zeros, FRAME_BLOCK) != 0;
			at += FRAME_BLOCK;
		}
	}
	return r;
}

static int read_segment(struct scan *s, size_t i, struct buf *b)
{
	char name[SEGMENT_NAME + 1];

	buf_reset(b);
	segment_name(s->segments[i].segno, name);
	return fsx_read_file(s->files, s->dir, name, b);
}

/* What the fence of segment <i> makes void. */
static void void_frames(struct scan *s, size_t i)
{
	uint64_t base = s->segments[i].base_seq;

	while (s->frame_count > 0 && s->frames[s->frame_count - 1].frame.seq >= base)
		s->frame_count--;
}

static int scan_segments(struct scan *s, const struct scan_options *o, struct err *err)
{
	auto_buf struct buf b = BUF(CAP_SEGMENT);
	bool garbage = false;
	int r = 0;

	for (size_t i = 0; i < s->segment_count && r == 0; i++) {
		struct scan_segment *g = &s->segments[i];

		if (g->leftover || (g->damaged && !o->salvage))
			continue;
		if (!g->damaged)
			void_frames(s, i);
		s->clean = false;
		r = read_segment(s, i, &b);
		if (r < 0 && r != -ENOMEM) {
			g->damaged = true;
			r = is_covered(s, i) ? 0 : lose(s, o->salvage, err, "journal segment %016llx cannot be read: %s",
							(unsigned long long)g->segno, strerror(-r));
		} else if (r == 0) {
			r = scan_bytes(s, i, (const uint8_t *)b.at, b.len, &garbage);
		}
		if (r == -ENOMEM)
			r = err_set(err, r, "read journal/");
	}
	s->torn = garbage; /* of the last one: in older ones it is what a fence cut off */
	return r;
}

/* ---- judging ---- */

/* Frames from <expected> on are missing before place <i>.  Returns the number of frames to keep: all, or those before
 * the torn tail; or a fault. */
static int judge_hole(struct scan *s, const struct scan_options *o, size_t i, uint64_t expected, bool *ret_cut, struct err *err)
{
	const struct scan_frame *before = i > 0 ? &s->frames[i - 1] : NULL;
	uint64_t segno = before ? s->segments[before->segment].segno : s->manifest.first_segment;
	uint64_t offset = before ? before->at + frame_room(before->frame.payload_len) : FRAME_BLOCK;
	uint64_t revision = before ? before->frame.base_revision + before->frame.records : s->manifest.revision;

	*ret_cut = expected > s->proven;
	if (*ret_cut)
		return 0;
	s->lost_revision = i < s->frame_count ? s->frames[i].frame.base_revision : UINT64_MAX;
	return lose(s, o->salvage, err,
		    "journal segment %016llx, offset %llu: frame %llu is damaged or missing, yet frames up to %llu were "
		    "acknowledged (revisions above %llu)",
		    (unsigned long long)segno, (unsigned long long)offset, (unsigned long long)expected,
		    (unsigned long long)s->proven, (unsigned long long)revision);
}

static int judge(struct scan *s, const struct scan_options *o, struct err *err)
{
	uint64_t expected = s->manifest.checkpointed_seq + 1;
	bool cut = false;
	size_t i;
	int r = 0;

	for (i = 0; i < s->frame_count && r == 0 && !cut; i++) {
		uint64_t seq = s->frames[i].frame.seq;

		if (seq != expected)
			r = judge_hole(s, o, i, expected, &cut, err);
		expected = seq + 1;
	}
	if (r < 0)
		return r;
	if (cut) {
		s->frame_count = i - 1;
		s->torn = true;
		s->clean = false;
	} else if (expected <= s->proven) {
		r = judge_hole(s, o, s->frame_count, expected, &cut, err);
	}
	return r;
}

/* ---- a root that was never finished ---- */

static int refuse_frames(struct scan *s, struct err *err)
{
	auto_buf struct buf b = BUF(CAP_SEGMENT);
	bool garbage;
	int r = 0;

	for (size_t i = 0; i < s->segment_count && r == 0; i++) {
		s->segments[i].damaged = true; /* whatever its header says */
		r = read_segment(s, i, &b);
		if (r == 0)
			r = scan_bytes(s, i, (const uint8_t *)b.at, b.len, &garbage);
		s->segments[i].leftover = true;
	}
	if (r < 0)
		return err_set(err, r, "read journal/");
	if (s->frame_count > 0)
		return err_say(err, DISK_E_FORMAT, "VERSION is missing, but the journal holds changes: the root is not whole");
	*s = (struct scan){ .files = s->files, .dir = s->dir, .segments = s->segments, .segment_count = s->segment_count,
			    .last_segno = s->last_segno };
	return 0;
}

/* ---- */

static int scan_all(struct scan *s, const struct scan_options *o, struct err *err)
{
	int r = list_segments(s, err);

	if (r == 0 && !o->store_id)
		return refuse_frames(s, err);
	if (r == 0)
		r = read_manifest(s, o, err);
	if (r < 0)
		return r;
	if (s->has_manifest && s->last_segno < s->manifest.last_segment)
		s->last_segno = s->manifest.last_segment; /* its number is not given again */
	s->proven = s->manifest.durable_seq;
	s->revision = s->manifest.revision;
	r = read_headers(s, o, err);
	if (r == 0)
		r = check_range(s, o, err);
	/* Rebuilt: what lies before the oldest segment that can be read is not asked for. */
	for (size_t i = 0; i < s->segment_count && !s->has_manifest && s->manifest.checkpointed_seq == 0; i++)
		if (!s->segments[i].damaged)
			s->manifest.checkpointed_seq = s->segments[i].base_seq - 1;
	if (r == 0)
		r = scan_segments(s, o, err);
	return r == 0 ? judge(s, o, err) : r;
}

int scan_journal(const struct scan_options *o, struct scan *ret, struct err *err)
{
	struct scan s = { .files = o->files, .dir = o->dir, .lost_revision = UINT64_MAX };
	int r;

	if (o->dir >= 0)
		r = scan_all(&s, o, err);
	else
		r = o->store_id ? lose(&s, o->salvage, err, "the directory journal/ is missing") : 0;
	if (r < 0)
		scan_free(&s);
	else
		*ret = s;
	return r;
}

void scan_free(struct scan *s)
{
	free(s->segments);
	free(s->frames);
	s->segments = NULL;
	s->frames = NULL;
	s->segment_count = s->frame_count = 0;
}

int scan_payload(const struct scan *s, const struct scan_frame *f, struct buf *room, struct slice *ret, struct err *err)
{
	size_t len = frame_room(f->frame.payload_len);
	char name[SEGMENT_NAME + 1];
	struct frame again;
	int fd, r;

	segment_name(s->segments[f->segment].segno, name);
	buf_reset(room);
	r = buf_reserve(room, len);
	fd = r < 0 ? r : fsx_open(s->files, s->dir, name, O_RDONLY, 0);
	if (fd < 0)
		return err_set(err, fd, "open journal segment %s", name);
	r = fsx_pread_all(s->files, fd, room->at, len, (off_t)f->at);
	(void)fsx_close(s->files, fd);
	if (r == 0 && frame_decode((const uint8_t *)room->at, len, &again) < 0)
		r = -EIO; /* it was right a moment ago */
	if (r < 0)
		return err_set(err, r, "read journal segment %s", name);
	*ret = (struct slice){ room->at + FRAME_HEADER, f->frame.payload_len };
	return 0;
}
