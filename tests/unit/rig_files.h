/* rig_files.h - what lies below a rig's root. */
#ifndef UNIT_RIG_FILES_H
#define UNIT_RIG_FILES_H

#include "store_kit.h"

/* The path of <name> below the root, in the arena. */
const char *rig_path(const struct rig *, const char *name, struct arena *);

/* Kinds, modes, names and contents of all that lies there, but for the lock file; the caller frees it. */
char *rig_tree(const struct rig *);

void rig_make_directory(const struct rig *, const char *name);
void rig_write(const struct rig *, const char *name, const char *text);

#endif
