#include "store/memory_backend.h"

#include <errno.h>
#include <sys/random.h>

/* The store is the memory: nothing is kept here. */

static int memory_load(struct backend *b, const struct backend_loader *loader, struct backend_loaded *ret, struct err *err)
{
	(void)b;
	(void)loader;
	ret->revision = ret->shown = 0;
	if (getrandom(ret->token_key, sizeof ret->token_key, 0) != (ssize_t)sizeof ret->token_key)
		return err_set(err, -EIO, "get random bytes for the token key");
	return 0;
}

static int memory_open(struct backend *b, struct err *err)
{
	(void)b;
	(void)err;
	return 0;
}

static int memory_commit(struct backend *b, struct backend_change *changes, size_t n, bool durable, struct err *err)
{
	(void)b;
	(void)durable;
	(void)err;
	for (size_t i = 0; i < n; i++)
		changes[i].result = BACKEND_DONE;
	return 0;
}

static int64_t memory_upkeep(struct backend *b, int64_t mono_ns)
{
	(void)b;
	(void)mono_ns;
	return INT64_MAX;
}

static void memory_figures(struct backend *b, struct backend_figures *ret)
{
	(void)b;
	*ret = (struct backend_figures){ 0 };
}

static void memory_close(struct backend *b)
{
	free(b);
}

struct backend *memory_backend_new(void)
{
	static const struct backend_ops ops = {
		.name = "memory",
		.load = memory_load,
		.open = memory_open,
		.commit = memory_commit,
		.upkeep = memory_upkeep,
		.figures = memory_figures,
		.close = memory_close,
	};
	struct backend *b = malloc(sizeof *b);

	if (b)
		b->ops = &ops;
	return b;
}
