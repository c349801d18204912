/* admit.h - what can be decided from the head of a request, before its body is read. */
#ifndef API_ADMIT_H
#define API_ADMIT_H

#include "api/app.h"
#include "api/reply.h"
#include "api/request.h"

/* Route the request and check what its head shows: sizes, framing, method, path, parameters, media types, expectations,
 * the announced length.  True: go on (request->route is set), or an OPTIONS that is answered already.  False: the reply
 * holds the refusal; its close flag says that the framing is in doubt and nothing more is to be read. */
bool admit(struct app *, struct request *, struct reply *);

#endif
