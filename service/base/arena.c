#include "base/arena.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

enum { BLOCK_ROOM = 4096 - 64, ALIGNMENT = 16 };

struct arena_block {
	struct arena_block *older; /* owned */
	size_t used, room;
	_Alignas(16) char bytes[];
};

static struct arena_block *add_block(struct arena *a, size_t n)
{
	size_t room = n > BLOCK_ROOM ? n : BLOCK_ROOM;
	struct arena_block *b = malloc(sizeof *b + room);

	if (!b)
		return NULL;
	b->older = a->newest;
	b->used = 0;
	b->room = room;
	a->newest = b;
	return b;
}

void *arena_alloc(struct arena *a, size_t n)
{
	struct arena_block *b = a->newest;
	void *at;

	if (n > SIZE_MAX / 2)
		return NULL;
	n = (n + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1);
	if (!b || b->room - b->used < n)
		b = add_block(a, n);
	if (!b)
		return NULL;
	at = b->bytes + b->used;
	b->used += n;
	return at;
}

char *arena_copy(struct arena *a, const char *bytes, size_t n)
{
	char *copy = arena_alloc(a, n + 1);

	if (!copy)
		return NULL;
	if (n > 0)
		memcpy(copy, bytes, n);
	copy[n] = '\0';
	return copy;
}

char *arena_printf(struct arena *a, const char *fmt, ...)
{
	va_list args;
	char *text;
	int n;

	va_start(args, fmt);
	n = vsnprintf(NULL, 0, fmt, args);
	va_end(args);
	if (n < 0)
		return NULL;
	text = arena_alloc(a, (size_t)n + 1);
	if (!text)
		return NULL;
	va_start(args, fmt);
	(void)vsnprintf(text, (size_t)n + 1, fmt, args);
	va_end(args);
	return text;
}

void arena_free(struct arena *a)
{
	while (a->newest) {
		struct arena_block *b = a->newest;

		a->newest = b->older;
		free(b);
	}
}

void arena_reset(struct arena *a)
{
	struct arena_block *keep = a->newest;

	if (!keep || keep->room != BLOCK_ROOM) {
		arena_free(a);
		return;
	}
	a->newest = keep->older;
	arena_free(a);
	keep->older = NULL;
	keep->used = 0;
	a->newest = keep;
}
