#include "api/admit.h"

#include <string.h>
#include <strings.h>

#include "api/negotiate.h"
#include "api/problem.h"
#include "api/router.h"

static bool refuse_and_close(struct reply *a)
{
	a->close = true;
	return false;
}

/* The client has done nothing wrong; what it asked cannot be known. */
static bool refuse_for_memory(struct request *q, struct reply *a)
{
	problem(a, q, PROBLEM_INTERNAL, "out of memory; nothing was changed");
	return refuse_and_close(a);
}

/* Sizes, version, framing, target: whoever gets these wrong may mean something else with the bytes that follow. */
static bool admit_framing(struct request *q, struct reply *a)
{
	const char *why;

	if (q->no_memory)
		return refuse_for_memory(q, a);
	if (!q->target) {
		problem(a, q, PROBLEM_URI_TOO_LONG, "a request target may have at most %d bytes", CAP_TARGET);
		return refuse_and_close(a);
	}
	if (q->header_count > CAP_HEADER_COUNT || q->header_bytes > CAP_HEADERS) {
		problem(a, q, PROBLEM_HEADERS_TOO_LARGE, "there are %zu header fields of %zu bytes; at most %d of %d bytes are taken",
			q->header_count, q->header_bytes, CAP_HEADER_COUNT, CAP_HEADERS);
		return refuse_and_close(a);
	}
	if (strcmp(q->version, "HTTP/1.1") != 0 && strcmp(q->version, "HTTP/1.0") != 0) {
		problem(a, q, PROBLEM_HTTP_VERSION_NOT_SUPPORTED, "%.16s is not spoken here; HTTP/1.1 is", q->version);
		return refuse_and_close(a);
	}
	why = request_check_framing(q);
	if (!why)
		why = request_read_target(q);
	if (q->no_memory)
		return refuse_for_memory(q, a);
	if (why) {
		problem(a, q, PROBLEM_BAD_REQUEST, "%s", why);
		return refuse_and_close(a);
	}
	return true;
}

/* ---- route ---- */

static bool answer_options(struct request *q, struct reply *a, unsigned allowed)
{
	reply_empty(a, 204);
	reply_header(a, "Allow", router_allow(q->is_asterisk ? 2 * METHOD_OPTIONS - 1 : allowed, &q->arena));
	if (allowed & METHOD_PATCH)
		reply_header(a, "Accept-Patch", "application/merge-patch+json, application/json");
	return true;
}

static bool admit_route(struct request *q, struct reply *a)
{
	unsigned allowed = 0;

	if (!q->method) {
		problem(a, q, PROBLEM_NOT_IMPLEMENTED, "the method %.32s is not known", q->method_text);
		return false;
	}
	if (q->is_asterisk)
		return answer_options(q, a, 0);
	q->route = router_find(q, &allowed);
	if (!allowed) {
		problem(a, q, PROBLEM_NOT_FOUND, "there is nothing at %.200s; /openapi.yaml lists what there is", q->path);
		return false;
	}
	if (q->method == METHOD_OPTIONS)
		return answer_options(q, a, allowed);
	if (q->route)
		return true;
	problem(a, q, PROBLEM_METHOD_NOT_ALLOWED, "%s is not possible here; possible are %s", q->method_text,
		router_allow(allowed, &q->arena));
	reply_header(a, "Allow", router_allow(allowed, &q->arena));
	return false;
}

/* ---- parameters ---- */

static bool knows_parameter(const struct route *route, const char *name)
{
	for (const char *const *p = route->parameters; *p; p++)
		if (!strcmp(*p, name))
			return true;
	return false;
}

/* "a, b, c": what may be given here. */
static const char *known_parameters(struct request *q)
{
	auto_buf struct buf b = BUF(1024);

	for (const char *const *p = q->route->parameters; *p; p++)
		(void)buf_addf(&b, "%s%s", b.len ? ", " : "", *p);
	return b.len ? arena_copy(&q->arena, b.at, b.len) : "none";
}

static const char *near_parameter(const struct route *route, const char *name)
{
	for (const char *const *p = route->parameters; *p; p++)
		if (!strncasecmp(*p, name, 3))
			return *p;
	return NULL;
}

static bool admit_parameter(struct request *q, struct reply *a, size_t i)
{
	const char *name = q->parameter[i].name, *near, *known;

	for (size_t j = 0; j < i; j++)
		if (!strcmp(q->parameter[j].name, name)) {
			problem(a, q, PROBLEM_INVALID_PARAMETER, "the parameter %.64s was given twice; give it once", name);
			return false;
		}
	if (knows_parameter(q->route, name))
		return true;
	near = near_parameter(q->route, name);
	known = known_parameters(q);
	if (near)
		problem(a, q, PROBLEM_INVALID_PARAMETER, "there is no parameter %.64s; did you mean %s? (known here: %s)", name, near,
			known ? known : "");
	else
		problem(a, q, PROBLEM_INVALID_PARAMETER, "there is no parameter %.64s (known here: %s)", name, known ? known : "");
	return false;
}

static bool admit_parameters(struct request *q, struct reply *a)
{
	for (size_t i = 0; i < q->parameter_count; i++)
		if (!admit_parameter(q, a, i))
			return false;
	return true;
}

/* ---- media ---- */

static bool admit_accept(struct request *q, struct reply *a)
{
	auto_buf struct buf types = BUF(512);

	q->media = negotiate_media(q->header[HEADER_ACCEPT], q->route->produces);
	/* A deletion has no body to be unacceptable. */
	if (q->media || q->method == METHOD_DELETE)
		return true;
	for (unsigned m = 1; m <= q->route->produces; m <<= 1)
		if (q->route->produces & m)
			(void)buf_addf(&types, "%s%s", types.len ? ", " : "", media_type((enum media)m));
	problem(a, q, PROBLEM_NOT_ACCEPTABLE, "this path can send %.*s", (int)types.len, types.at ? types.at : "");
	return false;
}

static bool admit_content(struct request *q, struct reply *a)
{
	const char *type = q->header[HEADER_CONTENT_TYPE];
	unsigned consumes = q->route->consumes;

	if (!consumes)
		return true;
	if (q->header[HEADER_CONTENT_ENCODING] && strcasecmp(q->header[HEADER_CONTENT_ENCODING], "identity") != 0) {
		problem(a, q, PROBLEM_UNSUPPORTED_MEDIA_TYPE, "a body must not be encoded; leave Content-Encoding out");
		return false;
	}
	if (type && (((consumes & CONSUMES_JSON) && content_type_is(type, "application/json")) ||
		     ((consumes & CONSUMES_MERGE_PATCH) && content_type_is(type, "application/merge-patch+json"))))
		return true;
	problem(a, q, PROBLEM_UNSUPPORTED_MEDIA_TYPE, "Content-Type must be application/json%s, not %.80s",
		consumes & CONSUMES_MERGE_PATCH ? " or application/merge-patch+json" : "", type ? type : "missing");
	if (consumes & CONSUMES_MERGE_PATCH)
		reply_header(a, "Accept-Patch", "application/merge-patch+json, application/json");
	return false;
}

static bool admit_expectation(struct request *q, struct reply *a)
{
	const char *expect = q->header[HEADER_EXPECT];

	if (!expect || !strcasecmp(expect, "100-continue"))
		return true;
	problem(a, q, PROBLEM_EXPECTATION_FAILED, "the only expectation known is 100-continue, not %.80s", expect);
	return false;
}

static bool admit_length(struct request *q, struct reply *a)
{
	int most = q->route->consumes ? CAP_BODY : CAP_DRAIN; /* what nobody reads is passed over as far as that */

	if (q->content_length <= (uint64_t)most)
		return true;
	problem(a, q, PROBLEM_BODY_TOO_LARGE, "the body has %llu bytes; at most %d are taken here",
		(unsigned long long)q->content_length, most);
	return false;
}

/* ---- conditions ---- */

static bool admit_condition(struct request *q, struct reply *a, const char *name, const char *value)
{
	if (!value || etag_list_is_wellformed(value))
		return true;
	problem(a, q, PROBLEM_INVALID_PARAMETER, "%s must be * or entity tags in quotes such as \"1042\", not %.80s", name, value);
	return false;
}

static bool admit_conditions(struct app *app, struct request *q, struct reply *a)
{
	bool changes = (q->method & (METHOD_PUT | METHOD_PATCH)) && q->segment_count == 3; /* .../status */

	if (!admit_condition(q, a, "If-Match", q->header[HEADER_IF_MATCH]) ||
	    !admit_condition(q, a, "If-None-Match", q->header[HEADER_IF_NONE_MATCH]))
		return false;
	if (!app->require_if_match || !changes || q->header[HEADER_IF_MATCH])
		return true;
	problem(a, q, PROBLEM_PRECONDITION_REQUIRED, "this server wants If-Match with every change of a status");
	return false;
}

static bool admit_now(struct app *app, struct request *q, struct reply *a)
{
	if (!q->route->finish || !atomic_load(&app->draining))
		return true;
	problem(a, q, PROBLEM_SHUTTING_DOWN, "the service is shutting down and takes no more changes");
	return false;
}

bool admit(struct app *app, struct request *q, struct reply *a)
{
	if (!admit_framing(q, a) || !admit_route(q, a))
		return false;
	if (a->status)
		return true;
	q->minimal = prefer_has(q->header[HEADER_PREFER], "return", "minimal");
	return admit_parameters(q, a) && admit_expectation(q, a) && admit_accept(q, a) && admit_content(q, a) &&
	       admit_length(q, a) && admit_conditions(app, q, a) && admit_now(app, q, a);
}
