#include "api/handlers.h"

#define PARAMETERS(...) (const char *const[]){ __VA_ARGS__ __VA_OPT__(,) NULL }
#define LIST_PARAMETERS                                                                                            \
	PARAMETERS("state", "labelSelector", "fieldSelector", "sandboxId", "imageRef", "name", "idPrefix", "exitCode", \
		   "createdAfter", "finishedAfter", "sort", "limit", "continue")

enum { JSON_ONLY = MEDIA_JSON, LISTS = MEDIA_JSON | MEDIA_NDJSON | MEDIA_TEXT, PATCHES = CONSUMES_JSON | CONSUMES_MERGE_PATCH };

/* In the order of openapi.yaml. */
const struct route routes[] = {
	{ METHOD_GET,    "/containers",              "list_containers",  list_containers,  NULL,              LISTS,          0,             RESOURCE,  LIST_PARAMETERS },
	{ METHOD_POST,   "/containers",              "create_container", create_container, created_container, JSON_ONLY,      CONSUMES_JSON, RESOURCE,  PARAMETERS("dryRun", "sync") },
	{ METHOD_GET,    "/containers/*",            "get_container",    get_container,    NULL,              JSON_ONLY,      0,             RESOURCE,  PARAMETERS() },
	{ METHOD_PUT,    "/containers/*",            "put_container",    put_container,    finished_put,      JSON_ONLY,      CONSUMES_JSON, RESOURCE,  PARAMETERS("dryRun", "sync") },
	{ METHOD_DELETE, "/containers/*",            "delete_container", delete_container, deleted_container, JSON_ONLY,      0,             RESOURCE,  PARAMETERS("dryRun", "sync", "force") },
	{ METHOD_GET,    "/containers/*/status",     "get_status",       get_status,       NULL,              JSON_ONLY,      0,             RESOURCE,  PARAMETERS() },
	{ METHOD_PUT,    "/containers/*/status",     "put_status",       put_status,       changed_status,    JSON_ONLY,      CONSUMES_JSON, RESOURCE,  PARAMETERS("dryRun", "sync") },
	{ METHOD_PATCH,  "/containers/*/status",     "patch_status",     patch_status,     changed_status,    JSON_ONLY,      PATCHES,       RESOURCE,  PARAMETERS("dryRun", "sync") },
	{ METHOD_GET,    "/containers/*/checkpoint", "get_checkpoint",   get_checkpoint,   NULL,              JSON_ONLY,      0,             RESOURCE,  PARAMETERS() },
	{ METHOD_GET,    "/livez",                   "get_livez",        get_livez,        NULL,              MEDIA_TEXT,     0,             MOMENTARY, PARAMETERS("verbose") },
	{ METHOD_GET,    "/readyz",                  "get_readyz",       get_readyz,       NULL,              MEDIA_TEXT,     0,             MOMENTARY, PARAMETERS("verbose") },
	{ METHOD_GET,    "/metrics",                 "get_metrics",      get_metrics,      NULL,              MEDIA_METRICS,  0,             MOMENTARY, PARAMETERS() },
	{ METHOD_GET,    "/version",                 "get_version",      get_version,      NULL,              JSON_ONLY,      0,             DOCUMENT,  PARAMETERS() },
	{ METHOD_GET,    "/openapi.yaml",            "get_openapi_yaml", get_openapi_yaml, NULL,              MEDIA_YAML,     0,             DOCUMENT,  PARAMETERS() },
	{ METHOD_GET,    "/openapi.json",            "get_openapi_json", get_openapi_json, NULL,              JSON_ONLY,      0,             DOCUMENT,  PARAMETERS() },
	{ METHOD_GET,    "/problems/*",              "get_problem",      get_problem,      NULL,              MEDIA_TEXT,     0,             DOCUMENT,  PARAMETERS() },
};
const size_t route_count = COUNT(routes);
_Static_assert(COUNT(routes) < TRAFFIC_ROUTES_MAX, "every route is counted on its own");
