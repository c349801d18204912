/* codec.h - containers as bytes: on the wire in camelCase, on disk in containerd's Go casing.
 *
 * Checkpoint files are one line: containerd's bytes, then our own members, which Go's decoder passes over, the last of
 * them "Crc32" over every byte before `,"Crc32"`, the brace, and a newline.  A file without our members (containerd's
 * own) is read as it is. */
#ifndef CONTAINER_CODEC_H
#define CONTAINER_CODEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "container/change.h"
#include "container/container.h"
#include "container/fields.h"

enum {
	CAP_STATUS_FILE = 256 * 1024,    /* the texts at their caps, every byte escaped */
	CAP_METADATA_FILE = 1024 * 1024,
};

/* ---- wire: replies ---- */

/* Append `{"id":...,"config":...`: everything of a container that never changes, without a closing brace. */
int codec_metadata_wire(struct buf *, const struct metadata_value *);

/* Append `{"state":...,"revision":"..."}`. */
int codec_status_wire(struct buf *, const struct status *, uint64_t revision);

/* ---- wire: requests ---- */

enum codec_answer {
	CODEC_OK,
	CODEC_E_MALFORMED, /* not JSON, or duplicate keys: errors->at[0].detail says where (400) */
	CODEC_E_INVALID,   /* JSON, but not what is asked for: errors (422) */
};

/* Body of POST and PUT /containers: fills the change's metadata and first status.  For CHANGE_PUT the change's id
 * must be set, and a member "id" must equal it; for CHANGE_CREATE "revision" is refused.  The texts live in
 * errors->arena.  An answer, or -ENOMEM. */
must_check int codec_create_from_wire(struct slice body, struct change *, struct field_errors *);

/* Body of PATCH (merge patch, RFC 7396) and PUT of a status: fills the change's patch; change->kind says which. */
must_check int codec_status_from_wire(struct slice body, struct change *, struct field_errors *);

/* Both texts are NULL or the same JSON value, the order of members aside.  1, 0, or -ENOMEM. */
must_check int codec_same_json(const char *a, const char *b);

/* The merge patch <patch> (RFC 7396) applied to <target>, both objects as text, <target> NULL for none; the compact text
 * lives in the arena.  0 or -ENOMEM. */
must_check int codec_merge(const char *target, const char *patch, struct arena *, const char **ret);

/* ---- disk ---- */

/* Our own members of a checkpoint. */
struct stamp {
	bool present;      /* false: the file is containerd's own, or old */
	const char *id;
	uint64_t revision; /* of the status; in a metadata file: of the creation */
	uint64_t created;  /* status only: revision of the creation, equal to the metadata's */
	bool transient;    /* status only: a flag that is in no checkpoint was set at this revision */
};

/* Append the file's bytes, newline included.  They depend on the arguments alone. */
int codec_status_to_disk(struct buf *, const struct status *, const struct stamp *);
int codec_metadata_to_disk(struct buf *, const struct metadata_value *, uint64_t created);

/* The stamp a snapshot's checkpoint bears, and its bytes as they are written. */
struct stamp codec_stamp(const struct container *);
int codec_checkpoint(struct buf *, const struct container *);

/* Decode.  The texts live in the arena.  0; -EBADMSG when the bytes are damage (the text says how); -ENOMEM.  On
 * failure nothing is written. */
must_check int codec_status_from_disk(struct slice file, struct arena *, struct status *ret_status, struct stamp *ret_stamp,
				      struct err *);
must_check int codec_metadata_from_disk(struct slice file, struct arena *, struct metadata_value *ret_value,
					struct stamp *ret_stamp, struct err *);

/* ---- flat records: small files of our own (VERSION, MANIFEST) in the same one-line form, CRC included ---- */

int codec_flat_to_disk(struct buf *, const struct field *, size_t n, const void *from);
must_check int codec_flat_from_disk(struct slice file, struct arena *, const struct field *, size_t n, void *into, struct err *);

#endif
