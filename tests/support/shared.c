#include "support/shared.h"

#include <stdlib.h>
#include <unistd.h>

#include "support/expect.h"
#include "support/suite.h"
#include "support/text.h"

/* The cases of a suite run one after the other, in the order in which they were added. */
enum { CASES_MAX = 16 };

static struct {
	const char *const *options[CASES_MAX];
	size_t added, next;
	struct server *server;
	struct http *http; /* made in the test's own process, never in the runner */
} shared;

static void start(void)
{
	shared.server = server_start(shared.options[shared.next++]);
}

/* What a sanitizer found shows itself in the exit code.  No test runs any more that could fail of it. */
static void stop(void)
{
	const char *why = server_finish(shared.server);

	if (why)
		suite_fail(why);
	server_end(shared.server);
	shared.server = NULL;
}

static void drop_client(void)
{
	http_free(shared.http);
	shared.http = NULL;
}

TCase *shared_case(Suite *suite, const char *name, const char *const *options)
{
	TCase *c = suite_case(suite, name, start, stop);

	if (shared.added == CASES_MAX)
		abort();
	shared.options[shared.added++] = options;
	tcase_add_checked_fixture(c, NULL, drop_client);
	return c;
}

struct server *shared_server(void)
{
	return shared.server;
}

struct http *shared_http_new(void)
{
	return http_new(server_address(shared.server, 0));
}

struct http *shared_http(void)
{
	if (!shared.http)
		shared.http = shared_http_new();
	return shared.http;
}

const char *shared_id(const char *name)
{
	return text("%s-%d", name, (int)getpid());
}

const struct reply *shared_create(const char *id, const char *members)
{
	const struct reply *r = http_ask(shared_http(), "PUT", text("/containers/%s", id), NULL,
					 text("{%s}", members));

	expect_status(r, 201);
	return r;
}
