#include "container/codec.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <zlib.h>

#include "container/id.h"
#include "container/json_text.h"

/* ---- the tables ---- */

/* A status as bodies carry it.  The status comes first, so that the rows serve a bare struct status too. */
struct status_body {
	struct status status;
	const char *state; /* the shorthand */
};

/* The order is that of the replies and of the files, and row i is the bit 1 << i of status_patch.given. */
static const struct field status_fields[] = {
	FIELD(U32,    struct status_body, status.pid,         "pid",        "Pid",        0),
	FIELD(TIME,   struct status_body, status.created_at,  "createdAt",  "CreatedAt",  0),
	FIELD(TIME,   struct status_body, status.started_at,  "startedAt",  "StartedAt",  0),
	FIELD(TIME,   struct status_body, status.finished_at, "finishedAt", "FinishedAt", 0),
	FIELD(I32,    struct status_body, status.exit_code,   "exitCode",   "ExitCode",   0),
	FIELD(TEXT,   struct status_body, status.reason,      "reason",     "Reason",     CAP_REASON),
	FIELD(TEXT,   struct status_body, status.message,     "message",    "Message",    CAP_MESSAGE),
	FIELD(BOOL,   struct status_body, status.removing,    "removing",   NULL,         0),
	FIELD(OBJECT, struct status_body, status.resources,   "resources",  "Resources",  CAP_RESOURCES),
	/* Rows from here on are read, never written by the table. */
	FIELD(TEXT,     struct status_body, state, "state",    NULL, 64),
	FIELD(READONLY, struct status_body, state, "revision", NULL, 0),
};
enum { STATUS_WRITTEN = 9 };
_Static_assert(GIVEN_RESOURCES == 1 << (STATUS_WRITTEN - 1) && GIVEN_STATE == 1 << STATUS_WRITTEN,
	       "rows and bits of a status patch go together");

static const struct field metadata_fields[] = {
	FIELD(TEXT,   struct metadata_value, id,            "id",        "ID",           0),
	FIELD(TEXT,   struct metadata_value, name,          "name",      "Name",         CAP_NAME),
	FIELD(TEXT,   struct metadata_value, sandbox_id,    "sandboxId", "SandboxID",    CAP_NAME),
	FIELD(OBJECT, struct metadata_value, config,        NULL,        "Config",       0),
	FIELD(TEXT,   struct metadata_value, image_ref,     "imageRef",  "ImageRef",     CAP_NAME),
	FIELD(TEXT,   struct metadata_value, log_path,      "logPath",   "LogPath",      CAP_LOG_PATH),
	FIELD(TEXT,   struct metadata_value, stop_signal,   NULL,        "StopSignal",   0),
	FIELD(TEXT,   struct metadata_value, process_label, NULL,        "ProcessLabel", 0),
	/* On the wire the config, which may be long, stands behind what people look for. */
	FIELD(OBJECT,   struct metadata_value, config, "config",   NULL, CAP_CONFIG),
	FIELD(READONLY, struct metadata_value, config, "status",   NULL, 0),
	FIELD(READONLY, struct metadata_value, config, "revision", NULL, 0),
};

/* ---- wire: replies ---- */

int codec_metadata_wire(struct buf *b, const struct metadata_value *v)
{
	(void)buf_add_byte(b, '{');
	return fields_encode(b, metadata_fields, COUNT(metadata_fields), WIRE, v);
}

int codec_status_wire(struct buf *b, const struct status *s, uint64_t revision)
{
	struct status shown = *s;

	shown.reason = status_shown_reason(s);
	(void)buf_add_text(b, "{\"state\":\"");
	(void)buf_add_text(b, state_name(status_state(s)));
	(void)buf_add_text(b, "\",");
	(void)fields_encode(b, status_fields, STATUS_WRITTEN, WIRE, &shown);
	(void)buf_add_text(b, ",\"revision\":\"");
	(void)buf_add_u64(b, revision);
	(void)buf_add_text(b, "\"}");
	return b->failed;
}

/* ---- wire: requests ---- */

static int parse_object(struct slice body, json_t **ret, struct field_errors *errors)
{
	json_error_t e;
	json_t *j;

	if (body.len == 0) {
		field_error(errors, "", "the body is empty; a JSON object is needed");
		return CODEC_E_MALFORMED;
	}
	j = json_loadb(body.at, body.len, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &e);
	if (!j && json_error_code(&e) == json_error_out_of_memory)
		return -ENOMEM;
	if (!j) {
		field_error(errors, "", "line %d, column %d: %s", e.line, e.column, e.text);
		return CODEC_E_MALFORMED;
	}
	if (!json_is_object(j)) {
		json_decref(j);
		field_error(errors, "", "must be a JSON object");
		return CODEC_E_INVALID;
	}
	*ret = j;
	return CODEC_OK;
}

/* The labels of a config: members of "labels" that are strings, in their order. */
static int read_labels(const json_t *config, struct arena *arena, struct metadata_value *v)
{
	json_t *labels = json_object_get(config, "labels"), *value;
	struct label *at;
	const char *key;

	v->labels = NULL;
	v->label_count = 0;
	if (json_object_size(labels) == 0)
		return 0;
	at = arena_alloc(arena, json_object_size(labels) * sizeof *at);
	if (!at)
		return -ENOMEM;
	v->labels = at;
	json_object_foreach(labels, key, value) {
		if (!json_is_string(value))
			continue;
		at->key = arena_copy(arena, key, strlen(key));
		at->value = arena_copy(arena, json_string_value(value), strlen(json_string_value(value)));
		if (!at->key || !at->value)
			return -ENOMEM;
		at++;
		v->label_count++;
	}
	return 0;
}

static void check_state(struct status_patch *patch, const char *name, const char *at, struct field_errors *errors)
{
	int state = state_from_name(name);

	if (!(patch->given & GIVEN_STATE))
		return;
	if (state < 0)
		field_error(errors, *at ? "/status/state" : "/state",
			    "must be CONTAINER_CREATED, CONTAINER_RUNNING, CONTAINER_EXITED or CONTAINER_UNKNOWN");
	else
		patch->state = (enum container_state)state;
}

static int read_status(const json_t *j, const char *at, struct status_patch *patch, struct field_errors *errors)
{
	struct status_body body = { .status = STATUS_ZERO, .state = "" };
	uint64_t given;
	int r = fields_from_wire(j, status_fields, COUNT(status_fields), at, &body, &given, errors);

	if (r < 0)
		return r;
	patch->value = body.status;
	patch->given = (unsigned)given & (2 * GIVEN_STATE - 1);
	check_state(patch, body.state, at, errors);
	return 0;
}

static void check_id(const json_t *j, const struct change *change, struct field_errors *errors)
{
	const json_t *given = json_object_get(j, "id");
	const char *id = change->metadata.id;

	if (!given || json_is_null(given) || !json_is_string(given))
		return; /* the server makes one; another type is refused already */
	if (!id_is_valid(id, strlen(id)))
		field_error(errors, "/id", "must match ^[A-Za-z0-9][A-Za-z0-9_.-]{0,127}$");
	else if (change->kind == CHANGE_PUT && strcmp(id, change->id) != 0)
		field_error(errors, "/id", "must be the id in the path, \"%s\"", change->id);
}

static int read_first_status(const json_t *j, struct change *change, struct field_errors *errors)
{
	const json_t *status = json_object_get(j, "status");

	change->patch = (struct status_patch)STATUS_PATCH_NONE;
	if (change->kind == CHANGE_CREATE && json_object_get(j, "revision"))
		field_error(errors, "/revision", "is given by the server");
	if (!status || json_is_null(status))
		return 0;
	if (!json_is_object(status)) {
		field_error(errors, "/status", "must be an object");
		return 0;
	}
	if (change->kind == CHANGE_CREATE && json_object_get(status, "revision"))
		field_error(errors, "/status/revision", "is given by the server");
	return read_status(status, "/status", &change->patch, errors);
}

static int read_create(const json_t *j, struct change *change, struct field_errors *errors)
{
	uint64_t given;
	int r;

	change->metadata = (struct metadata_value)METADATA_ZERO;
	r = fields_from_wire(j, metadata_fields, COUNT(metadata_fields), "", &change->metadata, &given, errors);
	if (r < 0)
		return r;
	check_id(j, change, errors);
	if (change->kind == CHANGE_PUT)
		change->metadata.id = change->id;
	r = read_labels(json_object_get(j, "config"), errors->arena, &change->metadata);
	return r < 0 ? r : read_first_status(j, change, errors);
}

int codec_create_from_wire(struct slice body, struct change *change, struct field_errors *errors)
{
	json_t *j = NULL;
	int r = parse_object(body, &j, errors);

	if (r != CODEC_OK)
		return r;
	r = read_create(j, change, errors);
	json_decref(j);
	if (r < 0)
		return r;
	return errors->count ? CODEC_E_INVALID : CODEC_OK;
}

int codec_status_from_wire(struct slice body, struct change *change, struct field_errors *errors)
{
	json_t *j = NULL;
	int r = parse_object(body, &j, errors);

	if (r != CODEC_OK)
		return r;
	r = read_status(j, "", &change->patch, errors);
	json_decref(j);
	if (r < 0)
		return r;
	return errors->count ? CODEC_E_INVALID : CODEC_OK;
}

int codec_same_json(const char *a, const char *b)
{
	json_t *x, *y;
	int r = -ENOMEM;

	if (!a || !b)
		return a == b;
	if (!strcmp(a, b))
		return 1;
	x = json_loads(a, 0, NULL);
	y = json_loads(b, 0, NULL);
	if (x && y)
		r = json_equal(x, y);
	json_decref(x);
	json_decref(y);
	return r;
}

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
	(void)fields_encode(b, status_fields, STATUS_WRITTEN, DISK, s);
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
	(void)fields_encode(b, metadata_fields, COUNT(metadata_fields), DISK, v);
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

static int load_file(struct slice file, json_t **ret, struct err *err)
{
	json_error_t e;
	json_t *j = json_loadb(file.at, file.len, JSON_ALLOW_NUL, &e);

	if (!j && json_error_code(&e) == json_error_out_of_memory)
		return err_set(err, -ENOMEM, "read JSON");
	if (!j)
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

int codec_status_from_disk(struct slice file, struct arena *arena, struct status *ret_status, struct stamp *ret_stamp,
			   struct err *err)
{
	struct status_file f = { .status = STATUS_ZERO, .version = "", .id = "", .crc = "" };
	int sealed = check_line(file, err), r;
	json_t *j = NULL;

	if (sealed < 0)
		return sealed;
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
	r = fields_from_disk(j, metadata_fields, COUNT(metadata_fields), v, arena, carry, &carrier, err);
	if (r == 0 && carrier.text.len > 0)
		v->carried = arena_copy(arena, carrier.text.at, carrier.text.len);
	buf_free(&carrier.text);
	if (r < 0)
		return r;
	if (!v->carried || read_labels(find_config(j), arena, v) < 0)
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

int codec_metadata_from_disk(struct slice file, struct arena *arena, struct metadata_value *ret_value,
			     struct stamp *ret_stamp, struct err *err)
{
	struct metadata_value v = METADATA_ZERO;
	struct metadata_file f = { .version = "", .crc = "" };
	int sealed = check_line(file, err), r;
	json_t *j = NULL;

	if (sealed < 0)
		return sealed;
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
