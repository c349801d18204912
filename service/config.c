#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stddef.h>
#include <string.h>

#include "base/buf.h"
#include "base/fsx.h"

enum kind { KIND_TEXT, KIND_CHOICE, KIND_LIST, KIND_NUMBER, KIND_BYTES, KIND_FLAG, KIND_ACTION };

struct option {
	const char *name; /* --name, TALLYD_NAME, name = value */
	enum kind kind;
	size_t at;
	const char *value_name, *standard; /* as help shows them; NULL: none */
	uint64_t min, max;                 /* numbers and bytes; actions: min is the action */
	const char *const *choices;
	const char *help;
};

#define CHOICES(...) (const char *const[]){ __VA_ARGS__, NULL }
#define AT(member_) offsetof(struct config, member_)
#define MIB UINT64_C(1048576)

static const struct option options[] = {
	{ "root", KIND_TEXT, AT(root), "DIR", "./data", 0, 0, NULL, "directory that holds the journal and the checkpoints; made when missing" },
	{ "listen", KIND_LIST, AT(listen), "ADDRESS", "127.0.0.1:8080", 0, 0, NULL, "HOST:PORT, [IPV6]:PORT or unix:/PATH; up to 8 times; port 0 takes a free one" },
	{ "backend", KIND_CHOICE, AT(backend), "NAME", "disk", 0, 0, CHOICES("disk", "memory"), "disk, or memory: nothing is kept" },
	{ "insecure", KIND_FLAG, AT(insecure), NULL, NULL, 0, 0, NULL, "listen beyond loopback although nothing asks who comes in" },
	{ "require-if-match", KIND_FLAG, AT(require_if_match), NULL, NULL, 0, 0, NULL, "refuse changes of a status without If-Match (428)" },
	{ "loops", KIND_NUMBER, AT(loops), "N", "0", 0, 64, NULL, "threads that serve HTTP; 0: one per processor" },
	{ "max-connections", KIND_NUMBER, AT(max_connections), "N", "4096", 1, 1000000, NULL, "open connections in all; more wait in the backlog" },
	{ "max-connections-per-ip", KIND_NUMBER, AT(max_connections_per_ip), "N", "512", 0, 1000000, NULL, "of one address, loopback exempt; 0: no limit" },
	{ "idle-timeout", KIND_NUMBER, AT(idle_timeout), "SECONDS", "30", 1, 3600, NULL, "a connection on which nothing happens is closed" },
	{ "body-budget", KIND_BYTES, AT(body_budget), "BYTES", "256M", MIB, 1024 * 1024 * MIB, NULL, "memory for all request bodies together" },
	{ "segment-bytes", KIND_BYTES, AT(segment_bytes), "BYTES", "16M", 65536, 1024 * MIB, NULL, "size of a journal segment" },
	{ "journal-cap", KIND_BYTES, AT(journal_cap), "BYTES", "256M", MIB, 1024 * 1024 * MIB, NULL, "journal not yet covered by checkpoints; beyond it changes get 503" },
	{ "recover", KIND_CHOICE, AT(recover), "HOW", "strict", 0, 0, CHOICES("strict", "salvage"), "strict: refuse to start over lost changes; salvage: set the damage aside" },
	{ "log-level", KIND_CHOICE, AT(log_level), "LEVEL", "info", 0, 0, CHOICES("debug", "info", "warn", "error"), "least important lines that are logged" },
	{ "config", KIND_TEXT, AT(file), "FILE", NULL, 0, 0, NULL, "read lines `name = value`; # begins a comment" },
	{ "check-config", KIND_ACTION, AT(action), NULL, NULL, ACTION_CHECK_CONFIG, 0, NULL, "say what is configured, or what is wrong with it, and exit" },
	{ "check-root", KIND_ACTION, AT(action), NULL, NULL, ACTION_CHECK_ROOT, 0, NULL, "load the root, change nothing, say what was found, and exit" },
	{ "check-health", KIND_ACTION, AT(action), NULL, NULL, ACTION_CHECK_HEALTH, 0, NULL, "ask /readyz of the first listen address; exit 0 when ready" },
	{ "json", KIND_FLAG, AT(json), NULL, NULL, 0, 0, NULL, "with --check-root: one JSON object" },
	{ "batch", KIND_FLAG, AT(batch), NULL, NULL, 0, 0, NULL, "with --check-root: directories from standard input, one verdict a line" },
	{ "help", KIND_ACTION, AT(action), NULL, NULL, ACTION_HELP, 0, NULL, "this text" },
	{ "version", KIND_ACTION, AT(action), NULL, NULL, ACTION_VERSION, 0, NULL, "name, version and commit" },
};

static const struct option *find_option(const char *name, size_t len)
{
	for (size_t i = 0; i < COUNT(options); i++)
		if (strlen(options[i].name) == len && !memcmp(options[i].name, name, len))
			return &options[i];
	return NULL;
}

static void *place(struct config *c, const struct option *o)
{
	return (char *)c + o->at;
}

/* ---- one value ---- */

static int set_number(const struct option *o, const char *text, uint64_t *ret, const char *from, struct err *err)
{
	static const struct {
		char letter;
		uint64_t factor;
	} units[] = { { 'K', 1024 }, { 'M', MIB }, { 'G', 1024 * MIB } };
	size_t digits = strspn(text, "0123456789");
	uint64_t n = 0, factor = 1;

	for (size_t i = 0; i < digits && n <= UINT64_MAX / 16; i++)
		n = 10 * n + (uint64_t)(text[i] - '0');
	for (size_t i = 0; o->kind == KIND_BYTES && i < COUNT(units); i++)
		if (text[digits] == units[i].letter && text[digits + 1] == '\0')
			factor = units[i].factor;
	if (digits == 0 || digits > 18 || (text[digits] != '\0' && factor == 1) || n > o->max / factor || n * factor < o->min)
		return err_say(err, -EINVAL, "%s%s must be a number from %" PRIu64 " to %" PRIu64 "%s, not \"%.64s\"", from, o->name, o->min,
			       o->max, o->kind == KIND_BYTES ? " (K, M or G may follow)" : "", text);
	*ret = n * factor;
	return 0;
}

static int set_choice(const struct option *o, const char *text, const char **ret, const char *from, struct err *err)
{
	char known[128] = "";

	for (const char *const *choice = o->choices; *choice; choice++) {
		size_t len = strlen(known);

		if (!strcmp(*choice, text)) {
			*ret = *choice;
			return 0;
		}
		(void)snprintf(known + len, sizeof known - len, "%s%s", len ? ", " : "", *choice);
	}
	return err_say(err, -EINVAL, "%s%s must be one of %s, not \"%.64s\"", from, o->name, known, text);
}

static int set_flag(const struct option *o, const char *text, bool *ret, const char *from, struct err *err)
{
	if (strcmp(text, "true") != 0 && strcmp(text, "false") != 0)
		return err_say(err, -EINVAL, "%s%s must be true or false, not \"%.64s\"", from, o->name, text);
	*ret = text[0] == 't';
	return 0;
}

static int add_to_list(struct config *c, const struct option *o, const char *text, struct err *err)
{
	if (c->listen_count == CONFIG_LISTEN_MAX)
		return err_say(err, -EINVAL, "%s may be given at most %d times", o->name, CONFIG_LISTEN_MAX);
	c->listen[c->listen_count++] = text;
	return 0;
}

/* <from> is "--", "TALLYD variable " or "FILE:LINE: ": where the person has to look. */
static int set_value(struct config *c, const struct option *o, const char *text, const char *from, struct err *err)
{
	const char *copy = arena_copy(&c->arena, text, strlen(text));

	if (!copy)
		return err_set(err, -ENOMEM, "read the options");
	switch (o->kind) {
	case KIND_TEXT:
		if (!copy[0])
			return err_say(err, -EINVAL, "%s%s must not be empty", from, o->name);
		*(const char **)place(c, o) = copy;
		return 0;
	case KIND_CHOICE:
		return set_choice(o, copy, place(c, o), from, err);
	case KIND_LIST:
		return add_to_list(c, o, copy, err);
	case KIND_NUMBER:
	case KIND_BYTES:
		return set_number(o, copy, place(c, o), from, err);
	case KIND_FLAG:
		return set_flag(o, copy, place(c, o), from, err);
	case KIND_ACTION:
		break;
	}
	return err_say(err, -EINVAL, "%s%s is only known as a flag", from, o->name);
}

/* ---- the three sources ---- */

/* Set from a stronger source already: a bit per row. */
struct reading {
	struct config *config;
	uint32_t given;
	struct err *err;
};
_Static_assert(COUNT(options) <= 32, "a bit for every option");

static uint32_t bit_of(const struct option *o)
{
	return UINT32_C(1) << (o - options);
}

static int read_flag(struct reading *r, int argc, char **argv, int *i)
{
	const char *word = argv[*i], *equals = strchr(word, '=');
	size_t len = equals ? (size_t)(equals - word) : strlen(word);
	const struct option *o = strncmp(word, "--", 2) ? NULL : find_option(word + 2, len - 2);

	if (!o)
		return err_say(r->err, -EINVAL, "unknown option %.80s; --help lists the options", word);
	if (o->kind != KIND_LIST && (r->given & bit_of(o)) && o->kind != KIND_ACTION)
		return err_say(r->err, -EINVAL, "--%s was given twice", o->name);
	r->given |= bit_of(o);
	if (o->kind == KIND_ACTION) {
		r->config->action = (enum config_action)o->min;
		return equals ? err_say(r->err, -EINVAL, "--%s takes no value", o->name) : 0;
	}
	if (o->kind == KIND_FLAG)
		return set_value(r->config, o, equals ? equals + 1 : "true", "--", r->err);
	if (equals)
		return set_value(r->config, o, equals + 1, "--", r->err);
	if (*i + 1 == argc)
		return err_say(r->err, -EINVAL, "--%s needs a value: --%s %s", o->name, o->name, o->value_name);
	return set_value(r->config, o, argv[++*i], "--", r->err);
}

/* TALLYD_MAX_CONNECTIONS for max-connections. */
static bool is_variable_of(const struct option *o, const char *variable, size_t len)
{
	if (len != strlen(o->name))
		return false;
	for (size_t i = 0; i < len; i++) {
		char c = o->name[i] == '-' ? '_' : (char)(o->name[i] - 'a' + 'A');

		if (variable[i] != c)
			return false;
	}
	return true;
}

/* A list in one variable or line is separated by commas. */
static int set_from_text(struct reading *r, const struct option *o, char *text, const char *from)
{
	char *rest = text, *one;
	int e = 0;

	if (r->given & bit_of(o))
		return 0;
	r->given |= bit_of(o);
	if (o->kind != KIND_LIST)
		return set_value(r->config, o, text, from, r->err);
	while (e == 0 && (one = strsep(&rest, ",")))
		e = set_value(r->config, o, one + strspn(one, " "), from, r->err);
	return e;
}

/* Kubernetes sets these for every service of that name; they are not ours. */
static bool is_service_link(const char *name)
{
	return !strncmp(name, "PORT", 4) || !strncmp(name, "SERVICE_", 8);
}

static int read_variable(struct reading *r, const char *variable)
{
	static const char prefix[] = "TALLYD_";
	const char *equals = strchr(variable, '='), *name = variable + sizeof prefix - 1;
	char *value;

	if (strncmp(variable, prefix, sizeof prefix - 1) != 0 || !equals || is_service_link(name))
		return 0;
	for (size_t i = 0; i < COUNT(options); i++) {
		if (options[i].kind == KIND_ACTION || !is_variable_of(&options[i], name, (size_t)(equals - name)))
			continue;
		value = arena_copy(&r->config->arena, equals + 1, strlen(equals + 1));
		if (!value)
			return err_set(r->err, -ENOMEM, "read the environment");
		return set_from_text(r, &options[i], value, "environment variable for ");
	}
	return err_say(r->err, -EINVAL, "unknown environment variable %.*s; --help lists the options", (int)(equals - variable), variable);
}

static char *trim(char *text)
{
	size_t len;

	text += strspn(text, " \t\r");
	for (len = strlen(text); len > 0 && strchr(" \t\r", text[len - 1]); len--)
		text[len - 1] = '\0';
	return text;
}

static int read_line(struct reading *r, char *line, const char *file, unsigned number)
{
	const struct option *o;
	char from[256], *equals;

	line = trim(line);
	if (line[0] == '\0' || line[0] == '#')
		return 0;
	(void)snprintf(from, sizeof from, "%.200s:%u: ", file, number);
	equals = strchr(line, '=');
	if (!equals)
		return err_say(r->err, -EINVAL, "%sa line must be `name = value`", from);
	*equals = '\0';
	line = trim(line);
	o = find_option(line, strlen(line));
	if (!o || o->kind == KIND_ACTION || !strcmp(o->name, "config"))
		return err_say(r->err, -EINVAL, "%sunknown option %.64s; --help lists the options", from, line);
	return set_from_text(r, o, trim(equals + 1), from);
}

static int read_file(struct reading *r, const char *file)
{
	auto_buf struct buf bytes = BUF(64 * 1024);
	char *rest, *line;
	unsigned number = 1;
	int e = fsx_read_file(&files_system, AT_FDCWD, file, &bytes);

	if (e < 0)
		return err_set(r->err, e, "read the configuration file %.200s", file);
	rest = arena_copy(&r->config->arena, bytes.at ? bytes.at : "", bytes.len);
	if (!rest)
		return err_set(r->err, -ENOMEM, "read the configuration file");
	for (; e == 0 && (line = strsep(&rest, "\n")); number++)
		e = read_line(r, line, file, number);
	return e;
}

static int read_defaults(struct reading *r)
{
	int e = 0;

	for (size_t i = 0; i < COUNT(options) && e == 0; i++)
		if (!(r->given & bit_of(&options[i])) && options[i].standard)
			e = set_value(r->config, &options[i], options[i].standard, "", r->err);
	return e;
}

int config_read(int argc, char **argv, char **environment, struct config *ret, struct err *err)
{
	struct config c = { 0 };
	struct reading r = { .config = &c, .err = err };
	int e = 0;

	for (int i = 1; i < argc && e == 0; i++)
		e = read_flag(&r, argc, argv, &i);
	for (char **variable = environment; *variable && e == 0; variable++)
		e = read_variable(&r, *variable);
	if (e == 0 && c.file)
		e = read_file(&r, c.file);
	if (e == 0)
		e = read_defaults(&r);
	if (e == 0 && (c.json || c.batch) && c.action != ACTION_CHECK_ROOT)
		e = err_say(err, -EINVAL, "--json and --batch say how --check-root answers; without it they mean nothing");
	if (e < 0) {
		config_free(&c);
		return e;
	}
	*ret = c;
	return 0;
}

void config_free(struct config *c)
{
	arena_free(&c->arena);
}

/* ---- for people ---- */

void config_help(FILE *out)
{
	(void)fputs("tallyd - keeps what is known of every container, durably, and answers over HTTP from memory\n\n"
		    "usage: tallyd [--root DIR] [--listen ADDRESS]... [OPTION]...\n\n", out);
	for (size_t i = 0; i < COUNT(options); i++) {
		const struct option *o = &options[i];
		char head[48];

		(void)snprintf(head, sizeof head, "--%s%s%s", o->name, o->value_name ? " " : "", o->value_name ? o->value_name : "");
		(void)fprintf(out, "  %-32s %s%s%s%s\n", head, o->help, o->standard ? " (default: " : "", o->standard ? o->standard : "",
			      o->standard ? ")" : "");
	}
	(void)fputs("\nEach option is also read from TALLYD_<NAME> in the environment (TALLYD_MAX_CONNECTIONS=100) and from the file of\n"
		    "--config (max-connections = 100). A flag counts before a variable, a variable before the file.\n\n"
		    "Try it:  curl -s --json '{\"name\":\"web\"}' http://127.0.0.1:8080/containers\n\n"
		    "Exit status: 0 stopped as asked, 1 could not run, 2 wrong options, 3 acknowledged changes cannot be read\n"
		    "(--recover salvage goes on without them), 4 the root has a format this version does not know.\n", out);
}

static void print_value(const struct config *c, const struct option *o, FILE *out)
{
	const void *at = (const char *)c + o->at;

	switch (o->kind) {
	case KIND_TEXT:
	case KIND_CHOICE:
		if (*(const char *const *)at)
			(void)fprintf(out, "%s = %s\n", o->name, *(const char *const *)at);
		break;
	case KIND_NUMBER:
	case KIND_BYTES:
		(void)fprintf(out, "%s = %" PRIu64 "\n", o->name, *(const uint64_t *)at);
		break;
	case KIND_FLAG:
		(void)fprintf(out, "%s = %s\n", o->name, *(const bool *)at ? "true" : "false");
		break;
	case KIND_LIST:
		(void)fprintf(out, "%s = ", o->name);
		for (size_t i = 0; i < c->listen_count; i++)
			(void)fprintf(out, "%s%s", i ? "," : "", c->listen[i]);
		(void)fputc('\n', out);
		break;
	case KIND_ACTION:
		break;
	}
}

void config_print(const struct config *c, FILE *out)
{
	for (size_t i = 0; i < COUNT(options); i++)
		print_value(c, &options[i], out);
}
