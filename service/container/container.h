/* container.h - metadata and snapshots, immutable and shared by reference.
 *
 * A snapshot is one container at one revision: the metadata it was created with, a status, and the JSON that readers
 * are sent, encoded once when it was made.  It never changes; any thread may hold references, and the last one to let
 * go frees it.  Many snapshots of a container share one metadata object. */
#ifndef CONTAINER_CONTAINER_H
#define CONTAINER_CONTAINER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "container/status.h"

enum {
	CAP_NAME = 1024,      /* name, sandboxId, imageRef */
	CAP_LOG_PATH = 4096,
	CAP_CONFIG = 256 * 1024,
};

struct label {
	const char *key, *value;
};

/* Bytes that belong to somebody else. */
struct slice {
	const char *at;
	size_t len;
};

/* The metadata as a plain value; texts are borrowed and never NULL unless said. */
struct metadata_value {
	const char *id, *name, *sandbox_id, *image_ref, *log_path;
	const char *config; /* compact JSON object, CRI's ContainerConfig; NULL = none */
	/* What containerd keeps here and tallyd only carries. */
	const char *stop_signal, *process_label;
	const char *carried; /* further members as `"Name":value,...`; "" = none */
	const struct label *labels; /* of config.labels: those that are strings */
	size_t label_count;
	bool adopted; /* its directory came from containerd: the status file is not ours yet */
};
#define METADATA_ZERO                                                                                                  \
	{ .id = "", .name = "", .sandbox_id = "", .image_ref = "", .log_path = "", .stop_signal = "", .process_label = "", .carried = "" }

struct metadata;
struct container;

/* A copy of <value>, created at revision <created>; one reference, the caller's.  NULL when memory runs out. */
must_check struct metadata *metadata_new(const struct metadata_value *value, uint64_t created);
struct metadata *metadata_ref(struct metadata *);
void metadata_unref(struct metadata *); /* accepts NULL */

const struct metadata_value *metadata_value(const struct metadata *);
uint64_t metadata_created(const struct metadata *); /* revision of the creation */
struct slice metadata_wire(const struct metadata *); /* `{"id":...,"config":...` : the container's JSON up to its status */

/* The value of a label, or NULL. */
const char *metadata_label(const struct metadata *, const char *key);

/* A snapshot; takes a reference of its own to <metadata> and copies the status.  One reference, the caller's.  NULL
 * when memory runs out. */
must_check struct container *container_new(struct metadata *, const struct status *, uint64_t revision);
struct container *container_ref(struct container *);
void container_unref(struct container *); /* accepts NULL */

const char *container_id(const struct container *);
struct metadata *container_metadata(const struct container *); /* borrowed */
const struct status *container_status(const struct container *);
enum container_state container_state(const struct container *);
uint64_t container_revision(const struct container *);

/* The strong entity tag, `"<revision>"`, as text. */
const char *container_etag(const struct container *);

/* The ready bodies: the container, and its status alone (a part of the former). */
struct slice container_json(const struct container *);
struct slice container_status_json(const struct container *);

static inline void container_unref_p(struct container **c)
{
	container_unref(*c);
}
#define auto_container cleanup(container_unref_p)

#endif
