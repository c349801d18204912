/* outcome.h - what became of a change, told as an answer: shared by all handlers that write. */
#ifndef API_OUTCOME_H
#define API_OUTCOME_H

#include "api/app.h"
#include "api/problem.h"
#include "api/reply.h"
#include "api/request.h"
#include "container/codec.h"

/* Begin a change from the path's id and the parameters dryRun, sync and force.  False: the reply holds the refusal. */
bool outcome_begin(struct request *, struct reply *, enum change_kind);

/* Tell what the decoder refused (a codec_answer other than CODEC_OK, or negative). */
void outcome_undecodable(struct request *, struct reply *, int answer, const struct field_errors *);

/* Answer a change that was made with what it made: <body> of the container, or nothing when the client wants little. */
void outcome_made(struct request *, struct reply *, unsigned status, struct slice (*body)(const struct container *));

/* Tell why the change of the request's ticket was refused. */
void outcome_refused(struct app *, struct request *, struct reply *);

/* Conditional reading (RFC 9110 13.2.2).  True: the reply holds 304 or 412. */
bool outcome_precondition(struct request *, struct reply *, uint64_t revision);

/* Tell why a reference led to no container. */
void outcome_not_found(struct request *, struct reply *, enum store_find, const char *ref, struct candidates *takes);

#endif
