/* tallyd: read the options, do what they ask for. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "api/listener.h"
#include "api/server.h"
#include "base/log.h"
#include "config.h"
#include "inspect.h"
#include "lifecycle.h"

static int check_config(const struct config *c)
{
	struct err err = { 0 };

	for (size_t i = 0; i < c->listen_count; i++) {
		int public = listener_is_public(c->listen[i], &err);

		if (public > 0 && !c->insecure)
			(void)err_say(&err, -EACCES, "listen: %s can be reached from other machines; say --insecure if that is meant",
				      c->listen[i]);
		if (err.code) {
			(void)fprintf(stderr, "tallyd: %s\n", err.text);
			return EXIT_OPTIONS;
		}
	}
	config_print(c, stdout);
	return EXIT_RAN;
}

static int run(const struct config *c)
{
	switch (c->action) {
	case ACTION_SERVE:
		return lifecycle_serve(c);
	case ACTION_HELP:
		config_help(stdout);
		return EXIT_RAN;
	case ACTION_VERSION:
		(void)printf("tallyd %s (%s)\n", server_version(), server_commit());
		return EXIT_RAN;
	case ACTION_CHECK_CONFIG:
		return check_config(c);
	case ACTION_CHECK_ROOT:
		return c->batch ? inspect_roots(c) : inspect_root(c);
	case ACTION_CHECK_HEALTH:
		return inspect_health(c);
	}
	return EXIT_FAILED;
}

int main(int argc, char **argv)
{
	struct config c;
	struct err err = { 0 };
	int status;

	if (config_read(argc, argv, environ, &c, &err) < 0) {
		(void)fprintf(stderr, "tallyd: %s\n", err.text);
		return EXIT_OPTIONS;
	}
	log_set_level((enum log_level)log_level_parse(c.log_level));
	status = run(&c);
	config_free(&c);
	return status;
}
