/* Label selectors: the first line is the selector, each other line a label's key and value with a '=' between. */
#include "fuzz.h"

#include <string.h>

#include "container/selector.h"

enum { MOST_LABELS = 32 };

static void read_labels(char *rest, struct metadata_value *v, struct label *labels)
{
	char *line;

	while (v->label_count < MOST_LABELS && (line = strtok_r(rest, "\n", &rest))) {
		char *equals = strchr(line, '=');

		if (!equals)
			continue;
		*equals = '\0';
		labels[v->label_count++] = (struct label){ line, equals + 1 };
	}
	v->labels = labels;
}

/* A refusal points into the text, or just behind it. */
static void check_refusal(const char *text, const char *detail)
{
	unsigned long position = 0;

	must(sscanf(detail, "position %lu: ", &position) == 1);
	must(position >= 1 && position <= strlen(text) + 1);
}

/* Asking for the same things twice asks for the same. */
static void check_twice(struct arena *arena, const char *text, const struct metadata *m, bool matches)
{
	const char *twice = arena_printf(arena, "%s,%s", text, text);
	struct selector *s;
	const char *detail;

	must(twice);
	if (selector_parse(arena, twice, &s, &detail) == 0)
		must(selector_matches(s, m) == matches);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena arena = ARENA;
	struct metadata_value v = METADATA_ZERO;
	struct label labels[MOST_LABELS];
	char *text = arena_copy(&arena, (const char *)data, size), *rest;
	struct selector *s;
	struct metadata *m;
	const char *detail = NULL;
	int r;

	must(text);
	rest = text + strcspn(text, "\n");
	if (*rest)
		*rest++ = '\0';
	read_labels(rest, &v, labels);
	m = metadata_new(&v, 1);
	must(m);
	r = selector_parse(&arena, text, &s, &detail);
	must(r == 0 || r == 1);
	if (r == 1)
		check_refusal(text, detail);
	else
		check_twice(&arena, text, m, selector_matches(s, m));
	metadata_unref(m);
	arena_free(&arena);
	return 0;
}
