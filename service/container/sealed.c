#include "container/sealed.h"

#include <string.h>

#include "container/canonical.h"
#include "container/codec_internal.h"

/* ---- rows ---- */

static bool read_number(struct canonical *r, const struct field *f, void *place)
{
	const bool is_signed = f->kind == FIELD_I32;
	int64_t n;

	switch (f->kind) {
	case FIELD_U32:
	case FIELD_I32:
		if (!canonical_integer(r, is_signed ? INT32_MIN : 0, is_signed ? INT32_MAX : UINT32_MAX, &n))
			return false;
		*(uint32_t *)place = (uint32_t)n;
		return true;
	default:
		/* An unsigned number above INT64_MAX the tree cannot hold: it says what is to be said. */
		if (!canonical_integer(r, f->kind == FIELD_TIME ? INT64_MIN : 0, INT64_MAX, &n))
			return false;
		*(uint64_t *)place = (uint64_t)n;
		return true;
	}
}

static bool read_bool(struct canonical *r, bool *ret)
{
	*ret = canonical_accept(r, "true");
	return *ret || canonical_accept(r, "false");
}

static bool read_value(struct canonical *r, const struct field *f, void *into)
{
	void *place = (char *)into + f->at;

	switch (f->kind) {
	case FIELD_U32:
	case FIELD_I32:
	case FIELD_U64:
	case FIELD_TIME:
		return read_number(r, f, place);
	case FIELD_TEXT:
		return canonical_text(r, place);
	case FIELD_OBJECT:
		return canonical_object(r, place);
	case FIELD_BOOL:
		return read_bool(r, place);
	case FIELD_READONLY:
		break;
	}
	return false;
}

/* `"Name":value,...` in the order of the table, as fields_encode writes it. */
static bool read_rows(struct canonical *r, const struct field *table, size_t n, void *into)
{
	const char *before = "\"";

	for (size_t i = 0; i < n; i++) {
		const struct field *f = &table[i];

		if (!f->name[DISK] || f->kind == FIELD_READONLY)
			continue;
		if (!canonical_accept(r, before) || !canonical_accept(r, f->name[DISK]) || !canonical_accept(r, "\":"))
			return false;
		if (!read_value(r, f, into))
			return false;
		before = ",\"";
	}
	return true;
}

/* ---- labels ---- */

/* Those of the config that was read.  A value that is no string is for the tree to pass over. */
static bool read_labels(struct canonical *r, struct metadata_value *v)
{
	struct label found[CANONICAL_KEYS], *kept;
	size_t n = 0;

	r->at = r->labels;
	if (!r->labels || !canonical_accept(r, "{") || canonical_accept(r, "}"))
		return true; /* none, or no object: whatever it is was read as a value already */
	do {
		if (n == COUNT(found) || !canonical_text(r, &found[n].key) || !canonical_accept(r, ":") ||
		    !canonical_text(r, &found[n].value))
			return false;
		n++;
	} while (canonical_accept(r, ","));
	kept = arena_alloc(r->arena, n * sizeof *kept);
	if (!kept)
		return false;
	memcpy(kept, found, n * sizeof *kept);
	v->labels = kept;
	v->label_count = n;
	return true;
}

/* ---- documents ---- */

static const struct field stamp_fields[] = {
	FIELD(TEXT, struct stamp, id,       NULL, "Id",       0),
	FIELD(U64,  struct stamp, revision, NULL, "Revision", 0),
	FIELD(U64,  struct stamp, created,  NULL, "Created",  0),
};

static enum status_restore read_restore(struct canonical *r)
{
	if (canonical_accept(r, ",\"Restore\":true"))
		return RESTORE_TRUE;
	return canonical_accept(r, ",\"Restore\":false") ? RESTORE_FALSE : RESTORE_ABSENT;
}

bool sealed_status(struct slice body, struct arena *arena, struct status *ret_status, struct stamp *ret_stamp)
{
	struct canonical r = { .at = body.at, .end = body.at + body.len, .arena = arena };
	struct stamp stamp = { .present = true };
	struct status s = STATUS_ZERO;

	if (!canonical_accept(&r, "{\"Version\":\"v1\",") || !read_rows(&r, codec_status_fields, STATUS_WRITTEN, &s))
		return false;
	s.restore = read_restore(&r);
	if (!canonical_accept(&r, ",") || !read_rows(&r, stamp_fields, COUNT(stamp_fields), &stamp))
		return false;
	stamp.transient = canonical_accept(&r, ",\"Transient\":true");
	if (r.at != r.end)
		return false;
	*ret_status = s;
	*ret_stamp = stamp;
	return true;
}

bool sealed_metadata(struct slice body, struct arena *arena, struct metadata_value *ret_value, struct stamp *ret_stamp)
{
	struct canonical r = { .at = body.at, .end = body.at + body.len, .arena = arena };
	struct metadata_value v = METADATA_ZERO;
	int64_t created;

	if (!canonical_accept(&r, "{\"Version\":\"v1\",\"Metadata\":{") ||
	    !read_rows(&r, codec_metadata_fields, METADATA_FIELDS, &v))
		return false;
	if (!canonical_accept(&r, "},\"Revision\":") || !canonical_integer(&r, 0, INT64_MAX, &created))
		return false;
	v.adopted = canonical_accept(&r, ",\"Adopted\":true");
	if (r.at != r.end || v.id[0] == '\0' || !read_labels(&r, &v))
		return false;
	*ret_value = v;
	*ret_stamp = (struct stamp){ .present = true, .id = v.id, .revision = (uint64_t)created };
	return true;
}
