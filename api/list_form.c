/* The forms of a list that are made in one go: the table for terminals, and gzip. */
#include <stdio.h>
#include <string.h>
#include <zlib.h>

#include "api/list.h"
#include "container/timestamp.h"

/* ---- the table ---- */

enum { COLUMNS = 7, CELL_MAX = 160 };

static const char *const headings[COLUMNS] = { "ID", "NAME", "STATE", "PID", "EXIT", "CREATED", "IMAGE" };

struct row {
	char cell[COLUMNS][CELL_MAX];
};

/* Length of the character at <p>, and whether a terminal can be trusted with it: no controls, no marks that turn the
 * direction of what follows.  The text is valid UTF-8. */
static size_t character(const unsigned char *p, bool *ret_harmless)
{
	size_t len = p[0] < 0x80 ? 1 : p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;
	unsigned code = p[0];

	if (len == 2)
		code = (p[0] & 0x1fu) << 6 | (p[1] & 0x3fu);
	if (len == 3)
		code = (p[0] & 0xfu) << 12 | (p[1] & 0x3fu) << 6 | (p[2] & 0x3fu);
	*ret_harmless = code >= 0x20 && !(code >= 0x7f && code < 0xa0) && !(code >= 0x200b && code <= 0x200f) &&
			!(code >= 0x2028 && code <= 0x202e) && !(code >= 0x2060 && code <= 0x206f) && code != 0xfeff;
	return len;
}

static void put_text(char *cell, const char *text)
{
	const unsigned char *p = (const unsigned char *)text;
	size_t used = 0;

	while (*p && used + 8 < CELL_MAX) {
		bool harmless;
		size_t len = character(p, &harmless);

		if (harmless)
			memcpy(cell + used, p, len);
		else
			cell[used] = '?';
		used += harmless ? len : 1;
		p += len;
	}
	if (*p) {
		memcpy(cell + used, "...", 3);
		used += 3;
	}
	if (used == 0)
		cell[used++] = '-';
	cell[used] = '\0';
}

static void fill_row(struct row *row, const struct container *c)
{
	const struct metadata_value *v = metadata_value(container_metadata(c));
	const struct status *s = container_status(c);
	enum container_state state = container_state(c);
	char created[TIMESTAMP_LEN + 1];

	put_text(row->cell[0], v->id);
	put_text(row->cell[1], v->name);
	put_text(row->cell[2], state_short_name(state));
	(void)snprintf(row->cell[3], CELL_MAX, s->pid ? "%u" : "-", s->pid);
	(void)snprintf(row->cell[4], CELL_MAX, state == CONTAINER_EXITED ? "%d" : "-", s->exit_code);
	timestamp_format(s->created_at, created);
	memcpy(created + 19, "Z", 2);
	put_text(row->cell[5], s->created_at ? created : "");
	put_text(row->cell[6], v->image_ref);
}

/* Characters, not bytes: continuation bytes take no place. */
static size_t width(const char *cell)
{
	size_t n = 0;

	for (; *cell; cell++)
		n += ((unsigned char)*cell & 0xc0) != 0x80;
	return n;
}

static void add_row(struct buf *b, const struct row *row, const size_t *widths)
{
	for (size_t i = 0; i < COLUMNS; i++) {
		size_t pad = i + 1 < COLUMNS ? widths[i] - width(row->cell[i]) + 2 : 0;

		(void)buf_add_text(b, row->cell[i]);
		for (; pad > 0; pad--)
			(void)buf_add_byte(b, ' ');
	}
	(void)buf_add_byte(b, '\n');
}

int list_add_table(struct buf *b, const struct listing *l, size_t from, size_t to)
{
	size_t widths[COLUMNS] = { 0 };
	struct row row;

	for (size_t i = 0; i < COLUMNS; i++)
		widths[i] = strlen(headings[i]);
	for (size_t at = from; at < to; at++) {
		fill_row(&row, listing_at(l, at));
		for (size_t i = 0; i < COLUMNS; i++)
			if (width(row.cell[i]) > widths[i])
				widths[i] = width(row.cell[i]);
	}
	for (size_t i = 0; i < COLUMNS; i++)
		put_text(row.cell[i], headings[i]);
	add_row(b, &row, widths);
	for (size_t at = from; at < to; at++) {
		fill_row(&row, listing_at(l, at));
		add_row(b, &row, widths);
	}
	return b->failed;
}

/* ---- gzip ---- */

enum { GZIP_LEAST = 1024, GZIP_MOST = 1024 * 1024, GZIP_WINDOW = 15 + 16 /* with a gzip header */ };

const char *compress_library(void)
{
	return zlibVersion();
}

/* A larger list is sent as it is: packing it would keep the loop, and everybody on it, waiting. */
bool list_compress(struct reply *a, struct list_body *l)
{
	uint64_t size = list_body_size(l);
	struct list_cursor cursor = { 0 };
	z_stream z = { 0 };
	char *plain;
	bool done;

	if (size < GZIP_LEAST || size > GZIP_MOST)
		return false;
	plain = malloc(size);
	if (!plain || deflateInit2(&z, Z_BEST_SPEED, Z_DEFLATED, GZIP_WINDOW, 8, Z_DEFAULT_STRATEGY) != Z_OK) {
		free(plain);
		return false;
	}
	z.next_in = (unsigned char *)plain;
	z.avail_in = (unsigned)list_body_read(l, &cursor, plain, size);
	done = buf_reserve(&a->bytes, deflateBound(&z, size)) == 0;
	if (done) {
		z.next_out = (unsigned char *)a->bytes.at;
		z.avail_out = (unsigned)a->bytes.room;
		done = deflate(&z, Z_FINISH) == Z_STREAM_END;
		a->bytes.len = done ? z.total_out : 0;
	}
	(void)deflateEnd(&z);
	free(plain);
	if (done)
		list_body_free(l);
	return done;
}
