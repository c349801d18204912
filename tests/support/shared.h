/* shared.h - one server for a whole test case, and a client for each of its tests.
 *
 * The fixtures of check take no argument, so the one file-scope variable they need is kept here once, not in every
 * suite.  Tests that share a server keep apart by the ids they use: shared_id gives each its own. */
#ifndef SUPPORT_SHARED_H
#define SUPPORT_SHARED_H

#include <check.h>

#include "support/http.h"
#include "support/server.h"

/* A test case whose tests share a server started with <options> (ended by NULL; NULL for none).  The array must
 * live as long as the suite. */
TCase *shared_case(Suite *, const char *name, const char *const *options);

struct server *shared_server(void);
/* This test's client, made at the first call. */
struct http *shared_http(void);
/* A second one, on a connection of its own. */
struct http *shared_http_new(void);
/* "<name>-<pid>": nobody else's in this case. */
const char *shared_id(const char *name);

/* Create a container, failing the test when that fails.  <members> is what stands between the braces. */
const struct reply *shared_create(const char *id, const char *members);

#endif
