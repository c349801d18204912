/* tree.h - what lies below a rig's root. */
#ifndef UNIT_TREE_H
#define UNIT_TREE_H

#include "store_kit.h"

/* The path of <name> below the root, in the arena. */
const char *tree_path(const struct rig *, const char *name, struct arena *);

/* Kinds, modes, names and contents of all that lies there, but for the lock file; the caller frees it. */
char *tree_text(const struct rig *);

void tree_make_directory(const struct rig *, const char *name);
void tree_write(const struct rig *, const char *name, const char *text);

#endif
