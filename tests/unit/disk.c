#include "disk.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "unit.h"

static void take_report(void *cls, const struct err *err)
{
	struct disk *d = cls;

	__atomic_add_fetch(&d->reports, 1, __ATOMIC_SEQ_CST);
	(void)err;
}

struct disk *disk_new(void)
{
	struct disk *d = calloc(1, sizeof *d);

	ck_assert_ptr_nonnull(d);
	d->root = unit_directory();
	d->options = (struct disk_options){
		.root = d->root,
		.files = &files_system,
		.clock = &clock_system,
		.segment_bytes = 64 * 1024,
		.report = take_report,
		.report_cls = d,
	};
	return d;
}

void disk_forget(struct disk *d)
{
	for (int i = 0; i < DISK_IDS; i++) {
		container_unref(d->boxes[i].container);
		d->boxes[i] = (struct disk_box){ 0 };
	}
}

void disk_free(struct disk *d)
{
	disk_stop(d);
	disk_forget(d);
	unit_remove(d->root);
	free(d->root);
	free(d);
}

const char *disk_id(int number, char ret_id[32])
{
	(void)snprintf(ret_id, 32, "box-%d", number);
	return ret_id;
}

char *disk_path(const struct disk *d, const char *fmt, ...)
{
	char name[300], *path = NULL;
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(name, sizeof name, fmt, args);
	va_end(args);
	ck_assert_int_gt(asprintf(&path, "%s/%s", d->root, name), 0);
	return path;
}

/* ---- starting ---- */

static int number_of(const char *id)
{
	int number = -1;

	return sscanf(id, "box-%d", &number) == 1 && number >= 0 && number < DISK_IDS ? number : -1;
}

static void found(void *cls, struct container *c, unsigned flags)
{
	struct disk *d = cls;
	int number = number_of(container_id(c));

	ck_assert_msg(number >= 0, "loaded %s", container_id(c));
	ck_assert_ptr_null(d->boxes[number].container);
	ck_assert_uint_gt(container_revision(c), 0);
	d->boxes[number] = (struct disk_box){ c, flags };
}

int disk_load(struct disk *d)
{
	const struct backend_loader loader = { found, NULL, d };
	int r;

	disk_forget(d);
	ck_assert_ptr_null(d->backend);
	r = disk_backend_new(&d->options, &d->backend, &d->err);
	if (r < 0)
		return r;
	r = d->backend->ops->load(d->backend, &loader, &d->loaded, &d->err);
	if (r < 0)
		disk_stop(d);
	else
		d->proposed = d->loaded.revision;
	for (int i = 0; r == 0 && i < DISK_IDS; i++)
		if (d->boxes[i].container)
			ck_assert_uint_le(container_revision(d->boxes[i].container), d->loaded.revision);
	return r;
}

static int settle_found(struct disk *d, int number)
{
	struct disk_box *box = &d->boxes[number];
	struct metadata *m = container_metadata(box->container);
	enum backend_kind kind = box->flags & FOUND_DAMAGED ? BACKEND_DAMAGE : BACKEND_STATUS;
	struct container *next;
	int r;

	if (box->flags & FOUND_ADOPTED) {
		kind = BACKEND_ADOPT;
		m = metadata_new(metadata_value(m), d->proposed + 1);
		ck_assert_ptr_nonnull(m);
	}
	next = container_new(m, container_status(box->container), d->proposed + 1);
	ck_assert_ptr_nonnull(next);
	if (box->flags & FOUND_ADOPTED)
		metadata_unref(m);
	r = disk_change(d, kind, number, next, true);
	return r;
}

int disk_start(struct disk *d)
{
	int r = disk_load(d);

	if (r == 0)
		r = d->backend->ops->open(d->backend, &d->err);
	for (int i = 0; r == 0 && i < DISK_IDS; i++)
		if (d->boxes[i].flags)
			r = settle_found(d, i);
	if (r < 0)
		disk_stop(d);
	return r;
}

void disk_stop(struct disk *d)
{
	if (d->backend)
		d->backend->ops->close(d->backend);
	d->backend = NULL;
}

/* ---- changing ---- */

struct status disk_status(int number, int n, char room[64])
{
	struct status s = STATUS_ZERO;

	(void)snprintf(room, 64, "box %d, change %d", number, n);
	s.created_at = 1 + number;
	s.started_at = n ? 1000 + n : 0;
	s.pid = (uint32_t)n;
	s.message = room;
	return s;
}

int disk_change(struct disk *d, enum backend_kind kind, int number, struct container *next, bool durable)
{
	struct disk_box *box = &d->boxes[number];
	struct backend_change change = { kind, box->container, next, container_revision(next), BACKEND_DONE };
	int r;

	d->err = (struct err){ 0 };
	r = d->backend->ops->commit(d->backend, &change, 1, durable, &d->err);
	d->proposed = container_revision(next);
	if (r == 0 && change.result == BACKEND_DONE) {
		container_unref(box->container);
		box->container = kind == BACKEND_DELETE ? NULL : container_ref(next);
		box->flags = 0;
	}
	container_unref(next);
	return r < 0 ? r : change.result == BACKEND_UNKNOWN;
}

int disk_create(struct disk *d, int number, int n, bool durable)
{
	struct metadata_value v = METADATA_ZERO;
	struct status s;
	char id[32], room[64];

	v.id = disk_id(number, id);
	v.name = "name";
	v.config = "{\"labels\":{\"a\":\"b\"}}";
	s = disk_status(number, n, room);
	return disk_change(d, BACKEND_CREATE, number, unit_container(&v, &s, d->proposed + 1), durable);
}

static struct container *next_of(struct disk *d, int number, const struct status *s)
{
	struct container *c = container_new(container_metadata(d->boxes[number].container), s, d->proposed + 1);

	ck_assert_ptr_nonnull(c);
	return c;
}

int disk_update(struct disk *d, int number, int n, bool durable)
{
	char room[64];
	struct status s = disk_status(number, n, room);

	return disk_change(d, BACKEND_STATUS, number, next_of(d, number, &s), durable);
}

int disk_delete(struct disk *d, int number)
{
	return disk_change(d, BACKEND_DELETE, number, next_of(d, number, container_status(d->boxes[number].container)), true);
}

/* ---- comparing ---- */

static void expect_box(int number, const struct disk_box *box, const struct disk_box *again)
{
	struct status was, is;

	ck_assert_msg(!box->container == !again->container, "box-%d: %s", number, again->container ? "came back" : "is lost");
	if (!box->container)
		return;
	was = *container_status(box->container);
	is = *container_status(again->container);
	was.unknown = is.unknown = was.removing = is.removing = false;
	unit_expect_status("after another load", &is, was);
	ck_assert_uint_ge(container_revision(again->container), container_revision(box->container));
	ck_assert_str_eq(metadata_value(container_metadata(again->container))->name,
			 metadata_value(container_metadata(box->container))->name);
}

void disk_expect_same(struct disk *d)
{
	struct disk again = { .root = d->root, .options = d->options };

	disk_stop(d);
	again.options.report_cls = &again;
	again.options.files = &files_system;
	ck_assert_msg(disk_load(&again) == 0, "%s", again.err.text);
	for (int i = 0; i < DISK_IDS; i++)
		expect_box(i, &d->boxes[i], &again.boxes[i]);
	disk_stop(&again);
	disk_forget(&again);
}

static void nap(void)
{
	const struct timespec ms = { .tv_nsec = 1000 * 1000 };

	(void)nanosleep(&ms, NULL);
}

void disk_settle(struct disk *d)
{
	struct backend_figures f;

	d->backend->ops->figures(d->backend, &f);
	while (f.checkpoints_waiting > 0) {
		nap();
		d->backend->ops->figures(d->backend, &f);
	}
}

void disk_upkeep(struct disk *d)
{
	int64_t next = 0;

	while (next != INT64_MAX) {
		int64_t now = clock_mono(&clock_system);

		next = d->backend->ops->upkeep(d->backend, now);
		if (next != INT64_MAX && next > now)
			nap();
	}
}
