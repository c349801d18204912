/* err.h - why a fault happened.
 *
 * Functions that can fault return a negative errno and fill the struct err that is their last argument.  Each level
 * may put in front what it was doing; whoever ends the chain logs it, once.  Positive returns are answers, not faults,
 * and leave the struct alone. */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#include "base/compiler.h"

struct err {
	int code;       /* negative errno; 0 = nothing recorded */
	char text[320]; /* outermost context first; always terminated; a cut shows as "..." */
};

/* Record a fault with strerror(-code) behind the text; returns <code>, so that "return err_set(...)" reads as one thought. */
printf_like(3, 4) int err_set(struct err *, int code, const char *fmt, ...);

/* Record a fault whose text says everything: no strerror behind it. */
printf_like(3, 4) int err_say(struct err *, int code, const char *fmt, ...);

/* Put "what we were doing: " in front of what is recorded; returns the recorded code. */
printf_like(2, 3) int err_wrap(struct err *, const char *fmt, ...);

#endif
