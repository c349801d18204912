/* Checkpoints, and the small files of our own. */
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <zlib.h>

#include "container/codec_internal.h"
#include "container/json_text.h"
#include "container/json_value.h"
#include "container/sealed.h"

/* ---- disk: encoding ---- */

static const char crc_key[] = ",\"Crc32\":\"";
enum { CRC_KEY_LEN = sizeof crc_key - 1, CRC_TAIL_LEN = CRC_KEY_LEN + 8 + 3 }; /* key, digits, `"}` and newline */

static uint32_t crc_of(const char *at, size_t len)
{
	return (uint32_t)crc32_z(0, (const unsigned char *)at, len);
}

/* Close the line that began at <start>: checksum, brace, newline. */
static int close_line(struct buf *b, size_t start)
{
	if (b->failed)
		return b->failed;
	return buf_addf(b, "%s%08x\"}\n", crc_key, crc_of(b->at + start, b->len - start));
}

int codec_status_to_disk(struct buf *b, const struct status *s, const struct stamp *stamp)
{
	size_t start = b->len;

	(void)buf_add_text(b, "{\"Version\":\"v1\",");
	(void)fields_encode(b, codec_status_fields, STATUS_WRITTEN, DISK, s);
	if (s->restore != RESTORE_ABSENT)
		(void)buf_add_text(b, s->restore == RESTORE_TRUE ? ",\"Restore\":true" : ",\"Restore\":false");
	(void)buf_add_text(b, ",\"Id\":\"");
	(void)buf_add_text(b, stamp->id); /* its pattern needs no escaping */
	(void)buf_add_text(b, "\",\"Revision\":");
	(void)buf_add_u64(b, stamp->revision);
	(void)buf_add_text(b, ",\"Created\":");
	(void)buf_add_u64(b, stamp->created);
	if (stamp->transient)
		(void)buf_add_text(b, ",\"Transient\":true");
	return close_line(b, start);
}

int codec_metadata_to_disk(struct buf *b, const struct metadata_value *v, uint64_t created)
{
	size_t start = b->len;

	(void)buf_add_text(b, "{\"Version\":\"v1\",\"Metadata\":{");
	(void)fields_encode(b, codec_metadata_fields, METADATA_FIELDS, DISK, v);
	if (v->carried[0] != '\0') {
		(void)buf_add_byte(b, ',');
		(void)buf_add_text(b, v->carried);
	}
	(void)buf_add_text(b, "},\"Revision\":");
	(void)buf_add_u64(b, created);
	if (v->adopted)
		(void)buf_add_text(b, ",\"Adopted\":true");
	return close_line(b, start);
}

struct stamp codec_stamp(const struct container *c)
{
	return (struct stamp){
		.present = true,
		.id = container_id(c),
		.revision = container_revision(c),
		.created = metadata_created(container_metadata(c)),
		.transient = container_status(c)->removing,
	};
}

int codec_checkpoint(struct buf *b, const struct container *c)
{
	struct stamp stamp = codec_stamp(c);

	return codec_status_to_disk(b, container_status(c), &stamp);
}

/* ---- disk: decoding ---- */

/* 1: the line ends in its checksum, which is right; 0: it has none; -EBADMSG: it is wrong. */
static int check_line(struct slice file, struct err *err)
{
	const char *tail;
	char digits[9];

	if (file.len < CRC_TAIL_LEN)
		return 0;
	tail = file.at + file.len - CRC_TAIL_LEN;
	if (memcmp(tail, crc_key, CRC_KEY_LEN) != 0 || memcmp(tail + CRC_KEY_LEN + 8, "\"}\n", 3) != 0)
		return 0;
	(void)snprintf(digits, sizeof digits, "%08x", crc_of(file.at, file.len - CRC_TAIL_LEN));
	if (memcmp(tail + CRC_KEY_LEN, digits, 8) != 0)
		return err_say(err, -EBADMSG, "checksum %.8s does not match the bytes (%s)", tail + CRC_KEY_LEN, digits);
	return 1;
}

/* What a line says of itself is in front of its checksum. */
static struct slice body_of(struct slice line)
{
	return (struct slice){ line.at, line.len - CRC_TAIL_LEN };
}

static int load_file(struct slice file, json_t **ret, struct err *err)
{
	json_error_t e;
	json_t *j;
	int r;

	if (file.len && memchr(file.at, '\0', file.len)) /* jansson 2.14 passes over one behind a number or a literal */
		return err_say(err, -EBADMSG, "there is a NUL byte in the file");
	r = json_read(file.at, file.len, JSON_ALLOW_NUL, &j, &e);
	if (r == -ENOMEM)
		return err_set(err, r, "read JSON");
	if (r < 0)
		return err_say(err, -EBADMSG, "byte %d: %s", e.position, e.text);
	if (!json_is_object(j)) {
		json_decref(j);
		return err_say(err, -EBADMSG, "is no JSON object");
	}
	*ret = j;
	return 0;
}

static int check_version(const char *version, struct err *err)
{
	return strcmp(version, "v1") ? err_say(err, -EBADMSG, "unsupported version \"%.40s\"", version) : 0;
}

struct status_file {
	struct status status;
	const char *version, *id, *crc;
	uint64_t revision, created;
	bool transient;
};

static const struct field status_file_fields[] = {
	FIELD(TEXT,   struct status_file, version,            NULL, "Version",    0),
	FIELD(U32,    struct status_file, status.pid,         NULL, "Pid",        0),
	FIELD(TIME,   struct status_file, status.created_at,  NULL, "CreatedAt",  0),
	FIELD(TIME,   struct status_file, status.started_at,  NULL, "StartedAt",  0),
	FIELD(TIME,   struct status_file, status.finished_at, NULL, "FinishedAt", 0),
	FIELD(I32,    struct status_file, status.exit_code,   NULL, "ExitCode",   0),
	FIELD(TEXT,   struct status_file, status.reason,      NULL, "Reason",     0),
	FIELD(TEXT,   struct status_file, status.message,     NULL, "Message",    0),
	FIELD(OBJECT, struct status_file, status.resources,   NULL, "Resources",  0),
	FIELD(TEXT,   struct status_file, id,                 NULL, "Id",         0),
	FIELD(U64,    struct status_file, revision,           NULL, "Revision",   0),
	FIELD(U64,    struct status_file, created,            NULL, "Created",    0),
	FIELD(BOOL,   struct status_file, transient,          NULL, "Transient",  0),
	FIELD(TEXT,   struct status_file, crc,                NULL, "Crc32",      0),
};

/* "Restore" has three values, which no row can say. */
static int take_restore(void *cls, const char *key, const json_t *value)
{
	struct status *s = cls;

	if (strcasecmp(key, "Restore") != 0 || json_is_null(value))
		return 0;
	if (!json_is_boolean(value))
		return -EBADMSG;
	s->restore = json_is_true(value) ? RESTORE_TRUE : RESTORE_FALSE;
	return 0;
}

int codec_status_from_tree(struct slice file, bool sealed, struct arena *arena, struct status *ret_status,
			   struct stamp *ret_stamp, struct err *err)
{
	struct status_file f = { .status = STATUS_ZERO, .version = "", .id = "", .crc = "" };
	json_t *j = NULL;
	int r;

	r = load_file(file, &j, err);
	if (r < 0)
		return r;
	r = fields_from_disk(j, status_file_fields, COUNT(status_file_fields), &f, arena, take_restore, &f.status, err);
	json_decref(j);
	if (r < 0)
		return r;
	r = check_version(f.version, err);
	if (r < 0)
		return r;
	if (!sealed && (f.id[0] || f.revision || f.created || f.crc[0]))
		return err_say(err, -EBADMSG, "the checksum at the end is missing");
	*ret_status = f.status;
	*ret_stamp = (struct stamp){ sealed, f.id, f.revision, f.created, f.transient };
	return 0;
}

int codec_status_from_disk(struct slice file, struct arena *arena, struct status *ret_status, struct stamp *ret_stamp,
			   struct err *err)
{
	int sealed = check_line(file, err);

	if (sealed < 0)
		return sealed;
	if (sealed && sealed_status(body_of(file), arena, ret_status, ret_stamp))
		return 0;
	return codec_status_from_tree(file, sealed, arena, ret_status, ret_stamp, err);
}

struct metadata_file {
	const char *version, *crc;
	uint64_t revision;
	bool adopted;
};

static const struct field metadata_file_fields[] = {
	FIELD(TEXT, struct metadata_file, version,  NULL, "Version",  0),
	FIELD(U64,  struct metadata_file, revision, NULL, "Revision", 0),
	FIELD(BOOL, struct metadata_file, adopted,  NULL, "Adopted",  0),
	FIELD(TEXT, struct metadata_file, crc,      NULL, "Crc32",    0),
};

static int take_metadata(void *cls, const char *key, const json_t *value)
{
	if (!strcasecmp(key, "Metadata"))
		*(const json_t **)cls = value;
	return 0;
}

/* What containerd or a later version keeps there comes back as it was. */
struct carrier {
	struct buf text;
	struct arena *arena;
	const json_t *config;
};

static int carry(void *cls, const char *key, const json_t *value)
{
	struct carrier *carrier = cls;
	const char *text = json_compact(value, carrier->arena, NULL);

	if (!text)
		return -ENOMEM;
	if (carrier->text.len > 0)
		(void)buf_add_byte(&carrier->text, ',');
	(void)json_text_add(&carrier->text, key);
	(void)buf_add_byte(&carrier->text, ':');
	return buf_add_text(&carrier->text, text);
}

static const json_t *find_config(const json_t *metadata)
{
	const json_t *found = NULL;
	const char *key;
	json_t *value;

	json_object_foreach((json_t *)(uintptr_t)metadata, key, value)
		if (!strcasecmp(key, "Config"))
			found = value;
	return found;
}

static int read_metadata(const json_t *j, struct arena *arena, struct metadata_value *v, struct err *err)
{
	struct carrier carrier = { .text = BUF(CAP_METADATA_FILE), .arena = arena };
	int r;

	if (!json_is_object(j))
		return err_say(err, -EBADMSG, "member Metadata is missing or no object");
	r = fields_from_disk(j, codec_metadata_fields, METADATA_FIELDS, v, arena, carry, &carrier, err);
	if (r == 0 && carrier.text.len > 0)
		v->carried = arena_copy(arena, carrier.text.at, carrier.text.len);
	buf_free(&carrier.text);
	if (r < 0)
		return r;
	if (!v->carried || codec_read_labels(find_config(j), arena, v) < 0)
		return err_set(err, -ENOMEM, "read metadata");
	if (v->id[0] == '\0')
		return err_say(err, -EBADMSG, "member Metadata.ID is missing or empty");
	return 0;
}

static int read_metadata_file(const json_t *j, struct arena *arena, struct metadata_value *v, struct metadata_file *f,
			      struct err *err)
{
	const json_t *inner = NULL;
	int r = fields_from_disk(j, metadata_file_fields, COUNT(metadata_file_fields), f, arena, take_metadata,
				 (void *)&inner, err);

	if (r == 0)
		r = check_version(f->version, err);
	if (r == 0)
		r = read_metadata(inner, arena, v, err);
	v->adopted = f->adopted;
	return r;
}

int codec_metadata_from_tree(struct slice file, bool sealed, struct arena *arena, struct metadata_value *ret_value,
			     struct stamp *ret_stamp, struct err *err)
{
	struct metadata_value v = METADATA_ZERO;
	struct metadata_file f = { .version = "", .crc = "" };
	json_t *j = NULL;
	int r;

	r = load_file(file, &j, err);
	if (r < 0)
		return r;
	r = read_metadata_file(j, arena, &v, &f, err);
	json_decref(j);
	if (r < 0)
		return r;
	if (!sealed && (f.revision || f.crc[0]))
		return err_say(err, -EBADMSG, "the checksum at the end is missing");
	*ret_value = v;
	*ret_stamp = (struct stamp){ .present = sealed, .id = v.id, .revision = f.revision };
	return 0;
}

int codec_metadata_from_disk(struct slice file, struct arena *arena, struct metadata_value *ret_value,
			     struct stamp *ret_stamp, struct err *err)
{
	int sealed = check_line(file, err);

	if (sealed < 0)
		return sealed;
	if (sealed && sealed_metadata(body_of(file), arena, ret_value, ret_stamp))
		return 0;
	return codec_metadata_from_tree(file, sealed, arena, ret_value, ret_stamp, err);
}

/* ---- flat records ---- */

int codec_flat_to_disk(struct buf *b, const struct field *table, size_t n, const void *from)
{
	size_t start = b->len;

	(void)buf_add_byte(b, '{');
	(void)fields_encode(b, table, n, DISK, from);
	return close_line(b, start);
}

int codec_flat_from_disk(struct slice file, struct arena *arena, const struct field *table, size_t n, void *into, struct err *err)
{
	int sealed = check_line(file, err), r;
	json_t *j = NULL;

	if (sealed < 0)
		return sealed;
	if (!sealed)
		return err_say(err, -EBADMSG, "the checksum at the end is missing");
	r = load_file(file, &j, err);
	if (r < 0)
		return r;
	r = fields_from_disk(j, table, n, into, arena, NULL, NULL, err);
	json_decref(j);
	return r;
}
