/* The tables of a container's two documents, and what both directions and both casings share. */
#include <errno.h>
#include <jansson.h>
#include <string.h>

#include "container/codec_internal.h"
#include "container/json_value.h"

/* ---- the tables ---- */

/* The order is that of the replies and of the files, and row i is the bit 1 << i of status_patch.given. */
const struct field codec_status_fields[] = {
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
_Static_assert(COUNT(codec_status_fields) == STATUS_FIELDS, "the number that others see");
_Static_assert(GIVEN_RESOURCES == 1 << (STATUS_WRITTEN - 1) && GIVEN_STATE == 1 << STATUS_WRITTEN,
	       "rows and bits of a status patch go together");

const struct field codec_metadata_fields[] = {
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

_Static_assert(COUNT(codec_metadata_fields) == METADATA_FIELDS, "the number that others see");

/* ---- wire: replies ---- */

int codec_metadata_wire(struct buf *b, const struct metadata_value *v)
{
	(void)buf_add_byte(b, '{');
	return fields_encode(b, codec_metadata_fields, METADATA_FIELDS, WIRE, v);
}

int codec_status_wire(struct buf *b, const struct status *s, uint64_t revision)
{
	struct status shown = *s;

	shown.reason = status_shown_reason(s);
	(void)buf_add_text(b, "{\"state\":\"");
	(void)buf_add_text(b, state_name(status_state(s)));
	(void)buf_add_text(b, "\",");
	(void)fields_encode(b, codec_status_fields, STATUS_WRITTEN, WIRE, &shown);
	(void)buf_add_text(b, ",\"revision\":\"");
	(void)buf_add_u64(b, revision);
	(void)buf_add_text(b, "\"}");
	return b->failed;
}

/* ---- JSON values ---- */

int codec_read_labels(const json_t *config, struct arena *arena, struct metadata_value *v)
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

int codec_same_json(const char *a, const char *b)
{
	json_t *x = NULL, *y = NULL;
	json_error_t e;
	int r = -ENOMEM;

	if (!a || !b)
		return a == b;
	if (!strcmp(a, b))
		return 1;
	if (json_read(a, strlen(a), 0, &x, &e) == 0 && json_read(b, strlen(b), 0, &y, &e) == 0)
		r = json_equal(x, y);
	json_decref(x);
	json_decref(y);
	return r;
}

/* Bounded by the depth that bodies are refused beyond.  NULL when memory runs out. */
static json_t *merge(json_t *target, json_t *patch)
{
	json_t *merged, *value;
	const char *key;

	if (!json_is_object(patch))
		return json_incref(patch);
	merged = json_is_object(target) ? json_copy(target) : json_object();
	json_object_foreach(patch, key, value) {
		if (json_is_null(value))
			(void)json_object_del(merged, key); /* was perhaps not there: then it is as asked */
		else if (json_object_set_new(merged, key, merge(json_object_get(merged, key), value)) < 0) {
			json_decref(merged);
			return NULL;
		}
	}
	return merged;
}

int codec_merge(const char *target, const char *patch, struct arena *arena, const char **ret)
{
	json_t *t = NULL, *p = NULL, *merged = NULL;
	const char *text = NULL;
	json_error_t e;

	if ((!target || json_read(target, strlen(target), 0, &t, &e) == 0) && json_read(patch, strlen(patch), 0, &p, &e) == 0)
		merged = merge(t, p);
	if (merged && !json_ran_out())
		text = json_compact(merged, arena, NULL);
	json_decref(t);
	json_decref(p);
	json_decref(merged);
	if (!text)
		return -ENOMEM;
	*ret = text;
	return 0;
}
