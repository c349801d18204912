/* config.h - the options of the program: one table row each gives flag, environment variable, line of the file, limits and help.
 *
 * Order of precedence: flag, then TALLYD_<NAME> in the environment, then the file of --config, then the default. */
#ifndef CONFIG_H
#define CONFIG_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/arena.h"
#include "base/err.h"

enum { CONFIG_LISTEN_MAX = 8 };

/* What the program is asked to do. */
enum config_action { ACTION_SERVE, ACTION_HELP, ACTION_VERSION, ACTION_CHECK_CONFIG, ACTION_CHECK_ROOT, ACTION_CHECK_HEALTH };

struct config {
	struct arena arena; /* texts */
	enum config_action action;
	const char *root;
	const char *listen[CONFIG_LISTEN_MAX];
	size_t listen_count;
	const char *backend, *log_level, *recover, *file;
	uint64_t loops, max_connections, max_connections_per_ip, idle_timeout, body_budget;
	uint64_t segment_bytes, journal_cap;
	bool require_if_match, insecure, json, batch;
};

/* Read flags, environment and file.  0, or -EINVAL with a text that names the option and what would be right. */
must_check int config_read(int argc, char **argv, char **environment, struct config *ret, struct err *);
void config_free(struct config *);

/* The text of --help. */
void config_help(FILE *);

/* Every option with its value, as lines of a configuration file. */
void config_print(const struct config *, FILE *);

#endif
