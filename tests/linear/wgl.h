/* wgl.h - could a single register have shown its clients what they saw of one container?
 *
 * The history of a container is a set of operations, each with the moments of its call and its return and with what was
 * answered.  It is linearizable when there is an order of all operations that keeps to real time (what returned before
 * another was called comes first) and in which every answer is the one that the register would have given:
 *
 *   state    absent, or a value with its revision
 *   READ     DONE: this value under this revision (value 0: the revision alone was told)
 *            ABSENT: there is none.  REFUSED: there is one, not at the expected revision (If-Match on a read)
 *   CREATE   DONE: there was none, now there is this value.  REFUSED: there is one already
 *   WRITE    DONE: there was one, at the expected revision if one was expected; now there is this value
 *            ABSENT: there was none.  REFUSED: there was one, not at the expected revision
 *   DELETE   DONE: there is none now; with an expected revision there was one, at this revision
 *            ABSENT: one was expected, but there was none.  REFUSED: as for WRITE
 *
 * UNKNOWN is the end of an operation whose answer never came: it takes effect at any later moment, or never.  What was
 * certainly not done (503, 507) is left out of a history; should it have been done, somebody reads a value that nobody wrote.
 *
 * Revisions (entity tags) are judged, never trusted: a state has one revision, two states never share one, and in the order
 * found each state's revision is higher than all before, over deletions and re-creations.  A revision that an answer
 * does not tell is bound by the first operation that does.  What concerns several containers is in tags.h.
 *
 * Every value is written by one operation at most: the caller sees to that.  Times may be equal: then the operations overlap.
 *
 * The algorithm is that of J. Wing and C. Gong (Testing and verifying concurrent objects, JPDC 17, 1993): a search in depth for
 * the order, taking back a choice when some operation's return is met before its place was found.  As G. Lowe has it
 * (Testing for linearizability, CCPE 29, 2017), a pair of linearized set and state met before is not searched again.  Sets are
 * kept as what differs from "everything up to here", so a step costs the concurrency, not the length.  For n operations
 * of which c overlap it takes n log n and, when the order is found at once, n steps; at worst n * 2^c.
 *
 * Two things keep the search short with many clients on one container.  An operation that only looks, and sees what is there,
 * takes the next place at once: no order is lost by it.  And since revisions only grow, a change is not tried as long as
 * something without a place tells of a lower revision.
 *
 * Operations without an end would make c grow with every crash.  So: one whose value was seen has happened, at the latest
 * when it was first seen; a change that nobody saw can be left out, as long as no revision is unexplained; unseen
 * deletions (creations) are alike, so only the oldest is ever tried, and that only when nothing else helps. */
#ifndef LINEAR_WGL_H
#define LINEAR_WGL_H

#include <stddef.h>
#include <stdint.h>

enum wgl_kind { WGL_READ, WGL_CREATE, WGL_WRITE, WGL_DELETE };
enum wgl_end { WGL_DONE, WGL_ABSENT, WGL_REFUSED, WGL_UNKNOWN };

struct wgl_op {
	enum wgl_kind kind;
	enum wgl_end end;
	int64_t call_ns, return_ns; /* monotonic; the return of an UNKNOWN one means nothing */
	uint64_t value;    /* written or read; 0 = none, or not told */
	uint64_t revision; /* DONE: of the value; REFUSED: of what refused it; 0 = not told */
	uint64_t expected; /* If-Match; 0 = none */
	/* For tags.h and for people: */
	uint64_t digest;   /* of the bytes that were read under <revision>; 0 = none were */
	uint32_t container, client;
};

enum wgl_answer {
	WGL_LINEARIZABLE,
	WGL_E_VIOLATION,
	WGL_E_GAVE_UP, /* neither found within a number of steps that right histories never come near: to be counted as a failure */
};
enum { WGL_STEPS = 2 * 1000 * 1000, WGL_STEPS_EACH = 20 }; /* that number: the former, and the latter for each operation */

struct wgl_result {
	size_t stuck;   /* VIOLATION, GAVE_UP: place of the operation whose return no order got past */
	uint64_t steps; /* pairs of set and state looked at */
};

/* Check the history of one container, in any order.  Ends the process when memory runs out. */
enum wgl_answer wgl_check(const struct wgl_op *, size_t n, struct wgl_result *ret);

/* One line for people, times in ms since <zero_ns>; at most <size> bytes. */
void wgl_show(const struct wgl_op *, int64_t zero_ns, char *ret, size_t size);

#endif
