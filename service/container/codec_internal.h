/* codec_internal.h - the field tables, shared by codec.c, codec_wire.c and codec_disk.c. */
#ifndef CONTAINER_CODEC_INTERNAL_H
#define CONTAINER_CODEC_INTERNAL_H

#include "container/codec.h"

/* A status as bodies carry it.  The status comes first, so that the rows serve a bare struct status too. */
struct status_body {
	struct status status;
	const char *state; /* the shorthand */
};

enum {
	STATUS_WRITTEN = 9, /* rows of a status that the table writes; those behind are only read */
	STATUS_FIELDS = 11,
	METADATA_FIELDS = 11,
};
extern const struct field codec_status_fields[STATUS_FIELDS];
extern const struct field codec_metadata_fields[METADATA_FIELDS];

/* The labels of a config: members of "labels" that are strings, in their order.  0 or -ENOMEM. */
must_check int codec_read_labels(const struct json_t *config, struct arena *, struct metadata_value *);

/* Decode by way of jansson's tree: every file that is not one of our own lines to the byte.  As codec_status_from_disk and
 * codec_metadata_from_disk; <sealed> says that a checksum at the end was found right. */
must_check int codec_status_from_tree(struct slice file, bool sealed, struct arena *, struct status *ret_status,
				      struct stamp *ret_stamp, struct err *);
must_check int codec_metadata_from_tree(struct slice file, bool sealed, struct arena *, struct metadata_value *ret_value,
					struct stamp *ret_stamp, struct err *);

#endif
