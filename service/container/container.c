#include "container/container.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "container/codec.h"

/* Both structs are followed by their texts in the same allocation: one malloc to make, one free to drop. */

struct metadata {
	atomic_uint refs;
	uint64_t created;
	struct metadata_value value; /* points behind this struct */
	struct slice wire;           /* the same */
	char texts[];
};

struct container {
	atomic_uint refs;
	uint32_t json_len, status_at, status_len;
	uint64_t revision;
	const char *id;            /* the metadata's: looked at by every search */
	struct metadata *metadata; /* owned reference */
	struct status status;      /* points behind this struct */
	char etag[24];
	char texts[];              /* the JSON, then the status's texts */
};

enum { CAP_JSON = 2 * 1024 * 1024 }; /* a config and a message at their caps, every byte escaped */

static const char *put(char **at, const char *text, size_t len)
{
	char *copy = *at;

	memcpy(copy, text, len);
	copy[len] = '\0';
	*at += len + 1;
	return copy;
}

static const char *put_text(char **at, const char *text)
{
	return text ? put(at, text, strlen(text)) : NULL;
}

static size_t room_of(const char *text)
{
	return text ? strlen(text) + 1 : 0;
}

/* The texts of a value, so that counting and copying cannot disagree. */
#define METADATA_TEXTS(X) \
	X(id) X(name) X(sandbox_id) X(image_ref) X(log_path) X(config) X(stop_signal) X(process_label) X(carried)

static size_t metadata_room(const struct metadata_value *v, size_t wire_len)
{
	size_t n = wire_len + 1 + v->label_count * sizeof(struct label) + _Alignof(struct label);

#define X(member_) n += room_of(v->member_);
	METADATA_TEXTS(X)
#undef X
	for (size_t i = 0; i < v->label_count; i++)
		n += room_of(v->labels[i].key) + room_of(v->labels[i].value);
	return n;
}

static void copy_labels(struct metadata *m, const struct metadata_value *v, char **at)
{
	size_t skew = (uintptr_t)*at % _Alignof(struct label);
	struct label *labels = (struct label *)(void *)(*at + (skew ? _Alignof(struct label) - skew : 0));

	*at = (char *)(labels + v->label_count);
	for (size_t i = 0; i < v->label_count; i++) {
		labels[i].key = put_text(at, v->labels[i].key);
		labels[i].value = put_text(at, v->labels[i].value);
	}
	m->value.labels = labels;
}

struct metadata *metadata_new(const struct metadata_value *v, uint64_t created)
{
	auto_buf struct buf wire = BUF(CAP_JSON);
	struct metadata *m;
	char *at;

	if (codec_metadata_wire(&wire, v) < 0)
		return NULL;
	m = malloc(sizeof *m + metadata_room(v, wire.len));
	if (!m)
		return NULL;
	atomic_init(&m->refs, 1);
	m->created = created;
	m->value = *v;
	at = m->texts;
	copy_labels(m, v, &at);
#define X(member_) m->value.member_ = put_text(&at, v->member_);
	METADATA_TEXTS(X)
#undef X
	m->wire.len = wire.len;
	m->wire.at = put(&at, wire.at, wire.len);
	return m;
}

struct metadata *metadata_ref(struct metadata *m)
{
	atomic_fetch_add_explicit(&m->refs, 1, memory_order_relaxed);
	return m;
}

void metadata_unref(struct metadata *m)
{
	if (m && atomic_fetch_sub_explicit(&m->refs, 1, memory_order_acq_rel) == 1)
		free(m);
}

const struct metadata_value *metadata_value(const struct metadata *m)
{
	return &m->value;
}

uint64_t metadata_created(const struct metadata *m)
{
	return m->created;
}

struct slice metadata_wire(const struct metadata *m)
{
	return m->wire;
}

const char *metadata_label(const struct metadata *m, const char *key)
{
	for (size_t i = 0; i < m->value.label_count; i++)
		if (!strcmp(m->value.labels[i].key, key))
			return m->value.labels[i].value;
	return NULL;
}

/* `{"id":...,"config":...,"status":{...},"revision":"7"}`; the place of the status is told. */
static int encode(struct buf *b, const struct metadata *m, const struct status *s, uint64_t revision, struct container *ret_at)
{
	(void)buf_add(b, m->wire.at, m->wire.len);
	(void)buf_add_text(b, ",\"status\":");
	ret_at->status_at = (uint32_t)b->len;
	(void)codec_status_wire(b, s, revision);
	ret_at->status_len = (uint32_t)b->len - ret_at->status_at;
	(void)buf_add_text(b, ",\"revision\":\"");
	(void)buf_add_u64(b, revision);
	(void)buf_add_text(b, "\"}");
	ret_at->json_len = (uint32_t)b->len;
	return b->failed;
}

struct container *container_new(struct metadata *m, const struct status *s, uint64_t revision)
{
	struct container head = { .revision = revision, .id = m->value.id, .metadata = m, .status = *s }, *c;
	auto_buf struct buf json = BUF(CAP_JSON);
	char *at;

	if (encode(&json, m, s, revision, &head) < 0)
		return NULL;
	c = malloc(sizeof *c + json.len + 1 + room_of(s->reason) + room_of(s->message) + room_of(s->resources));
	if (!c)
		return NULL;
	(void)snprintf(head.etag, sizeof head.etag, "\"%" PRIu64 "\"", revision);
	memcpy(c, &head, sizeof head);
	atomic_init(&c->refs, 1);
	(void)metadata_ref(m);
	at = c->texts;
	(void)put(&at, json.at, json.len);
	c->status.reason = put_text(&at, s->reason);
	c->status.message = put_text(&at, s->message);
	c->status.resources = put_text(&at, s->resources);
	return c;
}

struct container *container_ref(struct container *c)
{
	atomic_fetch_add_explicit(&c->refs, 1, memory_order_relaxed);
	return c;
}

void container_unref(struct container *c)
{
	if (!c || atomic_fetch_sub_explicit(&c->refs, 1, memory_order_acq_rel) != 1)
		return;
	metadata_unref(c->metadata);
	free(c);
}

const char *container_id(const struct container *c)
{
	return c->id;
}

struct metadata *container_metadata(const struct container *c)
{
	return c->metadata;
}

const struct status *container_status(const struct container *c)
{
	return &c->status;
}

enum container_state container_state(const struct container *c)
{
	return status_state(&c->status);
}

uint64_t container_revision(const struct container *c)
{
	return c->revision;
}

const char *container_etag(const struct container *c)
{
	return c->etag;
}

struct slice container_json(const struct container *c)
{
	return (struct slice){ c->texts, c->json_len };
}

struct slice container_status_json(const struct container *c)
{
	return (struct slice){ c->texts + c->status_at, c->status_len };
}
