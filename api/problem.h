/* problem.h - every refusal there is, as one list (RFC 9457).
 *
 * The row gives the slug (the `type` is /problems/<slug>, a page that is served), the status, the title and what a person
 * should do.  openapi.yaml lists the same, and a test compares both. */
#ifndef API_PROBLEM_H
#define API_PROBLEM_H

#include "api/reply.h"
#include "api/request.h"

/*        id, status, slug, title, what to do */
#define PROBLEMS(X)                                                                                                                        \
	X(BAD_REQUEST, 400, "bad-request", "Bad request",                                                                                  \
	  "The request is not HTTP as it should be, or its framing is in doubt; the connection was closed. Look at the client or the proxy.") \
	X(MALFORMED_JSON, 400, "malformed-json", "Malformed JSON",                                                                         \
	  "The body is no JSON, or has a key twice. The detail names line and column.")                                                    \
	X(INVALID_PARAMETER, 400, "invalid-parameter", "Invalid parameter",                                                                \
	  "A query parameter, a header field or an id in the path is unknown, repeated or out of range. The detail names it and what would be right.") \
	X(CONTAINER_NOT_FOUND, 404, "container-not-found", "Container not found",                                                          \
	  "No container has this id, begins with it, or alone bears it as a name. Writes take full ids only; candidates are then named.")  \
	X(NOT_FOUND, 404, "not-found", "Not found", "There is no such path. /openapi.yaml lists those there are.")                         \
	X(METHOD_NOT_ALLOWED, 405, "method-not-allowed", "Method not allowed", "The field Allow lists the methods of this path.")          \
	X(NOT_ACCEPTABLE, 406, "not-acceptable", "Not acceptable",                                                                         \
	  "The field Accept allows none of the types this path can send. The detail lists them.")                                          \
	X(ALREADY_EXISTS, 409, "already-exists", "Container already exists",                                                               \
	  "The id is taken. When `identical` is true it was most likely your own request, repeated; PUT /containers/{id} is idempotent.")  \
	X(AMBIGUOUS_ID, 409, "ambiguous-id", "Ambiguous container reference",                                                              \
	  "Several containers begin with this. Give more characters; up to ten candidates are listed.")                                    \
	X(FULL_ID_REQUIRED, 409, "full-id-required", "Full id required",                                                                   \
	  "Nobody has this id, but somebody's begins with it. A deletion takes the full id alone.")                                        \
	X(IMMUTABLE_METADATA, 409, "immutable-metadata", "Metadata is immutable",                                                          \
	  "The container exists with other metadata, which never change. Delete it first, or use another id.")                             \
	X(ILLEGAL_TRANSITION, 409, "illegal-transition", "Illegal state transition",                                                       \
	  "A container cannot go from `from` to `to`; `allowed` lists where it can go.")                                                   \
	X(ALREADY_EXITED, 409, "already-exited", "Container has already exited",                                                           \
	  "The first exit of a run wins: its time and code stay. A later run needs a startedAt later than both recorded times.")           \
	X(CONTAINER_RUNNING, 409, "container-running", "Container is running",                                                             \
	  "Report its exit first (PATCH the status), or delete with force=true. A container of unknown state counts as running.")          \
	X(CONTAINER_REMOVING, 409, "container-removing", "Container is being removed",                                                     \
	  "Somebody is about to delete it. Set removing to false to take that back.")                                                      \
	X(ALREADY_REMOVING, 409, "already-removing", "Container is already being removed",                                                 \
	  "Somebody else was first. Set removing to false to take that back.")                                                             \
	X(CONTINUE_EXPIRED, 410, "continue-expired", "Continue token expired",                                                             \
	  "The walk this token belongs to is no longer kept. Begin again without continue.")                                               \
	X(REVISION_MISMATCH, 412, "revision-mismatch", "Revision does not match",                                                          \
	  "The container is not at the revision you named. Read it again and decide anew; `current` is its revision now.")                   \
	X(BODY_TOO_LARGE, 413, "body-too-large", "Body too large", "A body may have at most 1 MiB.")                                       \
	X(URI_TOO_LONG, 414, "uri-too-long", "URI too long", "A request target may have at most 8 KiB.")                                   \
	X(UNSUPPORTED_MEDIA_TYPE, 415, "unsupported-media-type", "Unsupported media type",                                                 \
	  "Send application/json; PATCH takes application/merge-patch+json too. Bodies are not compressed.")                               \
	X(EXPECTATION_FAILED, 417, "expectation-failed", "Expectation failed", "The only expectation known is 100-continue.")              \
	X(VALIDATION_FAILED, 422, "validation-failed", "Validation failed",                                                                \
	  "The body is JSON, but not what is asked for. `errors` names each member and what would be right.")                              \
	X(PRECONDITION_REQUIRED, 428, "precondition-required", "Precondition required",                                                    \
	  "This server wants If-Match with every change of a status. Read the container and send its entity tag.")                                     \
	X(HEADERS_TOO_LARGE, 431, "headers-too-large", "Header fields too large",                                                          \
	  "A request may have at most 100 header fields of 16 KiB together.")                                                              \
	X(INTERNAL, 500, "internal", "Internal error", "Nothing was changed. The log has more under this request id.")                     \
	X(NOT_IMPLEMENTED, 501, "not-implemented", "Method not implemented", "The method is not known. Methods are written in capitals.")  \
	X(CHECKPOINT_FAILED, 503, "checkpoint-failed", "Change could not be made durable",                                                 \
	  "The disk failed and the change was rolled back; with outcome \"unknown\" it may have been kept. Read before you try again.")    \
	X(READ_ONLY, 503, "read-only", "Store is read-only",                                                                               \
	  "The disk cannot be written at the moment; reads go on. The server tries again every second.")                                   \
	X(SHUTTING_DOWN, 503, "shutting-down", "Service is shutting down", "Nothing was changed. Try again when the service is back.")     \
	X(OVERLOADED, 503, "overloaded", "Service is overloaded",                                                                          \
	  "More changes wait than can be written in time. Nothing was changed; try again after Retry-After seconds.")                      \
	X(HTTP_VERSION_NOT_SUPPORTED, 505, "http-version-not-supported", "HTTP version not supported", "Speak HTTP/1.1.")                  \
	X(INSUFFICIENT_STORAGE, 507, "insufficient-storage", "Insufficient storage",                                                       \
	  "The disk is full. Nothing was changed; reads and deletions go on. Writes work again as soon as there is space.")

enum problem {
#define X(id_, status_, slug_, title_, help_) PROBLEM_##id_,
	PROBLEMS(X)
#undef X
	PROBLEM_COUNT
};

unsigned problem_status(enum problem);
const char *problem_slug(enum problem);
const char *problem_title(enum problem);
const char *problem_help(enum problem);
int problem_from_slug(const char *slug); /* -1: none */

/* Answer with a problem.  <detail> says what is wrong with this very request. */
printf_like(4, 5) void problem(struct reply *, struct request *, enum problem, const char *detail, ...);

/* The same in two steps, with members of its own in between: `,"name":value` appended to reply->bytes. */
printf_like(4, 5) void problem_start(struct reply *, struct request *, enum problem, const char *detail, ...);
void problem_end(struct reply *, enum problem);

/* `,"candidates":[{"id","name"},...]`, between start and end. */
void problem_candidates(struct reply *, const struct candidates *);

#endif
