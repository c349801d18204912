/* id.h - what may name a container.
 *
 * ^[A-Za-z0-9][A-Za-z0-9_.-]{0,127}$, bytewise and case-sensitive.  The pattern is what lets an id be a directory's
 * name as it stands: it cannot be ".", "..", hide behind a dot, hold a slash or NUL, or pass NAME_MAX. */
#ifndef CONTAINER_ID_H
#define CONTAINER_ID_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"

enum { ID_MAX = 128, ID_GENERATED = 64 };

bool id_is_valid(const char *id, size_t len);

/* 64 random hex digits, as container runtimes make them, terminated.  0, or a negative errno when the system has no
 * random bytes to give. */
must_check int id_generate(char ret_id[static ID_GENERATED + 1]);

/* 64-bit FNV-1a of an id: for hash tables, and for the journal's account of which ids live. */
uint64_t id_hash(const char *id);

#endif
