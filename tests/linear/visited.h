/* visited.h - which operations are linearized now, and which such sets were met before with which state.
 *
 * Operations are numbered in the order of their calls: [0, required) must have a place; the optional ones follow.  The set is
 * kept as what differs from "everything up to here", so that remembering costs the concurrency, not the length. */
#ifndef LINEAR_VISITED_H
#define LINEAR_VISITED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The register of wgl.h. */
struct state {
	uint64_t value;    /* 0: absent */
	uint64_t revision; /* of the value; 0: nobody has told yet */
	uint64_t floor;    /* highest revision of the states before */
};

struct visited {
	size_t required, count; /* count: pairs remembered */
	uint64_t *set, *optional;
	size_t base, top; /* words of the set below base are full, those above top are empty */
	size_t optional_words, room, chunk_used;
	struct seen_pair **table;
	struct chunk *chunks;
};

void visited_init(struct visited *, size_t required, size_t optional);
void visited_done(struct visited *);

void visited_add(struct visited *, uint32_t op);
void visited_take(struct visited *, uint32_t op);
bool visited_has(const struct visited *, size_t op); /* of an optional one */

/* Remember the set as it is, with this state; false when the pair was met before. */
bool visited_remember(struct visited *, const struct state *);

/* calloc that ends the process when memory runs out. */
void *visited_need(size_t count, size_t size);

#endif
