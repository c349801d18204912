/* app.h - what handlers may use: the closure that takes the place of global state. */
#ifndef API_APP_H
#define API_APP_H

#include <stdatomic.h>
#include <stdbool.h>

#include "api/traffic.h"
#include "api/walk.h"
#include "base/clock.h"
#include "store/store.h"

struct app {
	struct store *store;       /* outlives us */
	const struct clock *clock; /* outlives us */
	struct walks *walks;       /* owned by main */
	struct traffic *traffic;   /* owned by the server */
	bool require_if_match;     /* 428 for a change without */
	atomic_bool draining;      /* no new writes; every answer ends its connection */
	int64_t started_ns;        /* real time, for process_start_time_seconds */
};

#endif
