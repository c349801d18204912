#include <inttypes.h>
#include <string.h>

#include "api/handlers.h"
#include "api/list.h"
#include "api/problem.h"
#include "api/server.h"
#include "container/json_value.h"

#ifndef TALLYD_VERSION
#define TALLYD_VERSION "unknown"
#define TALLYD_COMMIT "unknown"
#endif

const char *server_version(void)
{
	return TALLYD_VERSION;
}

const char *server_commit(void)
{
	return TALLYD_COMMIT;
}

/* ---- health ---- */

static bool wants_lines(struct request *q, struct reply *a, bool *ret)
{
	const char *verbose = request_parameter(q, "verbose");

	*ret = verbose && strcmp(verbose, "false") != 0;
	if (!verbose || !verbose[0] || !strcmp(verbose, "true") || !strcmp(verbose, "false"))
		return true;
	problem(a, q, PROBLEM_INVALID_PARAMETER, "verbose must be true or false, or stand alone, not %.32s", verbose);
	return false;
}

void get_livez(struct app *app, struct request *q, struct reply *a)
{
	bool lines;

	(void)app;
	if (!wants_lines(q, a, &lines))
		return;
	/* That this is being answered is the proof: a loop that hangs answers nothing. */
	(void)buf_add_text(&a->bytes, lines ? "[+] loop: answers\nok\n" : "ok\n");
	reply_bytes(a, 200, MEDIA_TEXT);
}

static void add_checks(struct app *app, struct buf *b)
{
	const char *read_only = store_read_only(app->store);
	struct store_figures f;

	store_figures(app->store, &f);
	(void)buf_addf(b, "[+] reads: %" PRIu64 " containers at revision %" PRIu64 "\n",
		       f.containers[CONTAINER_CREATED] + f.containers[CONTAINER_RUNNING] + f.containers[CONTAINER_EXITED] +
			       f.containers[CONTAINER_UNKNOWN], f.revision);
	if (read_only)
		(void)buf_addf(b, "[-] writes: %s\n", read_only);
	else
		(void)buf_addf(b, "[+] writes: %s\n", f.backend_name ? f.backend_name : "stopped");
	for (size_t i = 0; i < COUNT(f.backend.warnings) && f.backend.warnings[i]; i++)
		(void)buf_addf(b, "[!] %s\n", f.backend.warnings[i]);
}

/* Ready means reads.  That writes are not possible is told, not failed: taking the reads away would help nobody. */
void get_readyz(struct app *app, struct request *q, struct reply *a)
{
	bool lines, draining = atomic_load(&app->draining);

	if (!wants_lines(q, a, &lines))
		return;
	if (lines)
		add_checks(app, &a->bytes);
	(void)buf_add_text(&a->bytes, draining ? "shutting down\n" : "ok\n");
	if (draining)
		reply_header(a, "Retry-After", "1");
	reply_bytes(a, draining ? 503 : 200, MEDIA_TEXT);
}

/* ---- what this is ---- */

void get_version(struct app *app, struct request *q, struct reply *a)
{
	(void)app;
	(void)q;
	(void)buf_addf(&a->bytes,
		       "{\"name\":\"tallyd\",\"version\":\"%s\",\"commit\":\"%s\",\"api\":\"v1\",\"libraries\":"
		       "{\"libmicrohttpd\":\"%s\",\"jansson\":\"%s\",\"zlib\":\"%s\"}}\n",
		       server_version(), server_commit(), server_library(), json_library(), compress_library());
	reply_bytes(a, 200, MEDIA_JSON);
}

extern const char contract_yaml[], contract_yaml_end[], contract_json[], contract_json_end[];

void get_openapi_yaml(struct app *app, struct request *q, struct reply *a)
{
	(void)app;
	(void)q;
	reply_static(a, 200, MEDIA_YAML, (struct slice){ contract_yaml, (size_t)(contract_yaml_end - contract_yaml) });
}

void get_openapi_json(struct app *app, struct request *q, struct reply *a)
{
	(void)app;
	(void)q;
	reply_static(a, 200, MEDIA_JSON, (struct slice){ contract_json, (size_t)(contract_json_end - contract_json) });
}

void get_problem(struct app *app, struct request *q, struct reply *a)
{
	int p = problem_from_slug(q->segment[1]);

	(void)app;
	if (p < 0) {
		problem(a, q, PROBLEM_NOT_FOUND, "there is no problem %.64s", q->segment[1]);
		return;
	}
	(void)buf_addf(&a->bytes, "%s\n%s, status %u\n\n%s\n", problem_title((enum problem)p), problem_slug((enum problem)p),
		       problem_status((enum problem)p), problem_help((enum problem)p));
	reply_bytes(a, 200, MEDIA_TEXT);
}
