/* Query parameters of a list: each line is a name and a value with a '=' between.  Whatever the filter, its order is one. */
#include "fuzz.h"

#include <string.h>

#include "container/filter.h"

static const struct label labels[] = { { "app", "web" }, { "cpu", "2" } };

static const struct {
	const char *id, *name;
	struct status status;
} population[] = {
	{ "a", "web", { .created_at = 1, .reason = "", .message = "" } },
	{ "b", "web", { .created_at = 1, .started_at = 2, .pid = 7, .reason = "", .message = "" } },
	{ "c", "", { .created_at = 1, .started_at = 2, .finished_at = 3, .reason = "", .message = "" } },
	{ "d", "a,b=c", { .created_at = -1, .finished_at = 3, .exit_code = 137, .reason = "OOMKilled", .message = "" } },
	{ "e", "", { .exit_code = 255, .reason = "CheckpointDamaged", .message = "", .unknown = true } },
};
enum { POPULATION = COUNT(population) };

static struct container *make(size_t i)
{
	struct metadata_value v = METADATA_ZERO;
	struct container *c;
	struct metadata *m;

	v.id = population[i].id;
	v.name = population[i].name;
	if (i % 2) {
		v.labels = labels;
		v.label_count = COUNT(labels);
	}
	m = metadata_new(&v, i + 1);
	must(m);
	c = container_new(m, &population[i].status, i + 1);
	must(c);
	metadata_unref(m);
	return c;
}

static int sign(int n)
{
	return (n > 0) - (n < 0);
}

static void check_order(struct filter *f, struct container *const all[])
{
	for (size_t i = 0; i < POPULATION; i++)
		for (size_t j = 0; j < POPULATION; j++) {
			int one = sign(filter_compare(&all[i], &all[j], f)), other = sign(filter_compare(&all[j], &all[i], f));

			must(one == -other);
			must((one == 0) == (i == j));
			for (size_t k = 0; k < POPULATION; k++)
				if (one < 0 && filter_compare(&all[j], &all[k], f) < 0)
					must(filter_compare(&all[i], &all[k], f) < 0);
		}
}

static const char *known_name(const char *name)
{
	for (size_t i = 0; filter_parameters[i]; i++)
		if (!strcmp(filter_parameters[i], name))
			return filter_parameters[i];
	return NULL;
}

/* 0, or 1 when it was refused. */
static int add_line(struct filter *f, char *line)
{
	char *equals = strchr(line, '=');
	const char *name, *detail = NULL;
	int r;

	if (!equals)
		return 0;
	*equals = '\0';
	name = known_name(line);
	if (!name)
		return 0;
	r = filter_add(f, name, equals + 1, &detail);
	must(r == 0 || r == 1);
	if (r == 1)
		must(!strncmp(detail, name, strlen(name)));
	return r;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct container *all[POPULATION];
	struct arena arena = ARENA;
	struct filter *f = filter_new(&arena);
	char *rest = arena_copy(&arena, (const char *)data, size), *line;
	int refused = 0;

	must(f && rest);
	for (size_t i = 0; i < POPULATION; i++)
		all[i] = make(i);
	while (!refused && (line = strtok_r(rest, "\n", &rest)))
		refused = add_line(f, line);
	if (!refused) {
		check_order(f, all);
		for (size_t i = 0; i < POPULATION; i++)
			if (filter_matches(f, all[i]))
				must(!strncmp(population[i].id, filter_id_prefix(f), strlen(filter_id_prefix(f))));
	}
	for (size_t i = 0; i < POPULATION; i++)
		container_unref(all[i]);
	arena_free(&arena);
	return 0;
}
