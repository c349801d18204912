/* Bodies of requests. */
#include <errno.h>
#include <jansson.h>
#include <string.h>

#include "container/codec_internal.h"
#include "container/id.h"
#include "container/json_value.h"

static int parse_object(struct slice body, json_t **ret, struct field_errors *errors)
{
	json_error_t e;
	json_t *j;
	int r;

	if (body.len == 0) {
		field_error(errors, "", "the body is empty; a JSON object is needed");
		return CODEC_E_MALFORMED;
	}
	if (memchr(body.at, '\0', body.len)) { /* jansson 2.14 passes over one behind a number or a literal */
		field_error(errors, "", "there is a NUL byte in the body");
		return CODEC_E_MALFORMED;
	}
	r = json_read(body.at, body.len, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &j, &e);
	if (r == -ENOMEM)
		return r;
	if (r < 0) {
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
	int r = fields_from_wire(j, codec_status_fields, STATUS_FIELDS, at, &body, &given, errors);

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
	r = fields_from_wire(j, codec_metadata_fields, METADATA_FIELDS, "", &change->metadata, &given, errors);
	if (r < 0)
		return r;
	check_id(j, change, errors);
	if (change->kind == CHANGE_PUT)
		change->metadata.id = change->id;
	r = codec_read_labels(json_object_get(j, "config"), errors->arena, &change->metadata);
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
