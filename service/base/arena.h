/* arena.h - memory that is taken piece by piece and given back at once.
 *
 * For what lives exactly as long as one request or one decode.  One thread.  Nothing is freed singly. */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include <stddef.h>

#include "base/compiler.h"

struct arena_block;

struct arena {
	struct arena_block *newest; /* owned */
};
#define ARENA { 0 }

/* <n> bytes aligned for any object, not cleared; NULL when memory runs out. */
must_check void *arena_alloc(struct arena *, size_t n);

/* A terminated copy of <n> bytes; NULL when memory runs out. */
must_check char *arena_copy(struct arena *, const char *bytes, size_t n);

printf_like(2, 3) must_check char *arena_printf(struct arena *, const char *fmt, ...);

/* Give everything back; the arena can be used again. */
void arena_free(struct arena *);

/* Forget everything but keep one block for the next use: cheap between the items of a long loop. */
void arena_reset(struct arena *);

static inline void arena_free_p(struct arena *a)
{
	arena_free(a);
}
#define auto_arena cleanup(arena_free_p)

#endif
