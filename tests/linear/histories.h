/* histories.h - histories made by hand, for test_wgl.c alone: right ones, and such with a planted error. */
#ifndef LINEAR_HISTORIES_H
#define LINEAR_HISTORIES_H

#include "linear/tags.h"
#include "linear/wgl.h"

enum { OPS_MAX = 10 };

#define OP(kind_, end_, call_, return_, ...) \
	{ .kind = WGL_##kind_, .end = WGL_##end_, .call_ns = (call_), .return_ns = (return_), ##__VA_ARGS__ }
#define LOST(kind_, call_, ...) OP(kind_, UNKNOWN, call_, 0, ##__VA_ARGS__)
#define V(value_, revision_) .value = (value_), .revision = (revision_)
#define MATCH(revision_) .expected = (revision_)
#define TOLD(revision_) .revision = (revision_)

struct history {
	const char *name;
	struct wgl_op ops[OPS_MAX]; /* ended by call_ns 0 */
};

/* ---- right ones ---- */

static const struct history right[] = {
	{ "nothing at all", { { 0 } } },
	{ "one after the other", {
		OP(READ, ABSENT, 1, 2),
		OP(CREATE, DONE, 3, 4, V(7, 10)),
		OP(READ, DONE, 5, 6, V(7, 10)),
		OP(WRITE, DONE, 7, 8, V(8, 11), MATCH(10)),
		OP(WRITE, REFUSED, 9, 10, .value = 9, TOLD(11), MATCH(10)),
		OP(DELETE, DONE, 11, 12, MATCH(11)),
		OP(READ, ABSENT, 13, 14),
		OP(DELETE, DONE, 15, 16),
		OP(CREATE, DONE, 17, 18, V(10, 13)),
	} },
	{ "two overlapping writes, read in the order opposite to their calls", {
		OP(CREATE, DONE, 1, 2, V(1, 10)),
		OP(WRITE, DONE, 3, 9, V(2, 12)),
		OP(WRITE, DONE, 4, 8, V(3, 11)),
		OP(READ, DONE, 5, 6, V(3, 11)),
		OP(READ, DONE, 10, 11, V(2, 12)),
	} },
	{ "overlapping reads see before and after", {
		OP(CREATE, DONE, 1, 2, V(1, 10)),
		OP(WRITE, DONE, 3, 9, V(2, 11)),
		OP(READ, DONE, 4, 8, V(2, 11)),
		OP(READ, DONE, 4, 7, V(1, 10)),
	} },
	{ "one of two at one revision wins", {
		OP(CREATE, DONE, 1, 2, V(1, 10)),
		OP(WRITE, DONE, 3, 9, V(2, 11), MATCH(10)),
		OP(WRITE, REFUSED, 3, 9, .value = 3, TOLD(11), MATCH(10)),
	} },
	{ "unknown, and it happened", {
		OP(CREATE, DONE, 1, 2, V(1, 10)),
		LOST(WRITE, 3, .value = 2),
		OP(READ, DONE, 4, 5, V(2, 11)),
		OP(WRITE, DONE, 6, 7, V(3, 12), MATCH(11)),
	} },
	{ "unknown, and it did not happen", {
		OP(CREATE, DONE, 1, 2, V(1, 10)),
		LOST(WRITE, 3, .value = 2),
		LOST(DELETE, 3),
		OP(READ, DONE, 4, 5, V(1, 10)),
		OP(WRITE, DONE, 6, 7, V(3, 11), MATCH(10)),
		OP(READ, DONE, 8, 9, V(3, 11)),
	} },
	{ "unknown, and it happened late", {
		OP(CREATE, DONE, 1, 2, V(1, 10)),
		LOST(WRITE, 3, .value = 2),
		OP(READ, DONE, 4, 5, V(1, 10)),
		OP(WRITE, DONE, 6, 7, V(3, 11)),
		OP(READ, DONE, 8, 9, V(3, 11)),
		OP(READ, DONE, 10, 11, V(2, 12)),
	} },
	{ "an unknown deletion explains an absence, a second one another", {
		OP(CREATE, DONE, 1, 2, V(1, 10)),
		LOST(DELETE, 3),
		LOST(DELETE, 3),
		OP(READ, ABSENT, 4, 5),
		OP(CREATE, DONE, 6, 7, V(2, 12)),
		OP(READ, ABSENT, 8, 9),
	} },
	{ "an unknown creation that nobody read explains a change", {
		LOST(CREATE, 1, .value = 1),
		OP(WRITE, DONE, 2, 3, V(2, 11)),
	} },
	{ "a revision that only refusals told of is that of an unknown change", {
		OP(CREATE, DONE, 1, 2, V(1, 10)),
		LOST(WRITE, 3, .value = 2),
		OP(WRITE, REFUSED, 4, 5, .value = 3, TOLD(11), MATCH(10)),
		OP(READ, DONE, 6, 7, TOLD(11)),
		OP(WRITE, DONE, 8, 9, V(4, 12), MATCH(11)),
	} },
	{ "a deletion at a revision, unknown, after which it was made again", {
		OP(CREATE, DONE, 1, 2, V(1, 10)),
		LOST(DELETE, 3, MATCH(10)),
		OP(CREATE, DONE, 4, 5, V(2, 14)),
		OP(READ, REFUSED, 6, 7, TOLD(14), MATCH(10)),
	} },
};

/* ---- planted errors ---- */

static const struct history wrong[] = {
	{ "stale read", {
		OP(CREATE, DONE, 1, 2, V(1, 10)),
		OP(WRITE, DONE, 3, 4, V(2, 11)),
		OP(READ, DONE, 5, 6, V(1, 10)),
	} },
	{ "lost update", {
		OP(CREATE, DONE, 1, 2, V(1, 10)),
		OP(WRITE, DONE, 3, 4, V(2, 11)),
		OP(READ, DONE, 5, 6, V(2, 11)),
		OP(WRITE, DONE, 7, 8, V(3, 12), MATCH(10)),
	} },
	{ "two winners at one revision", {
		OP(CREATE, DONE, 1, 2, V(1, 10)),
		OP(WRITE, DONE, 3, 9, V(2, 11), MATCH(10)),
		OP(WRITE, DONE, 3, 9, V(3, 12), MATCH(10)),
	} },
	{ "a deletion comes undone", {
		OP(CREATE, DONE, 1, 2, V(1, 10)),
		OP(DELETE, DONE, 3, 4),
		OP(READ, ABSENT, 5, 6),
		OP(READ, DONE, 7, 8, V(1, 10)),
	} },
	{ "a deletion was acknowledged, and yet", {
		OP(CREATE, DONE, 1, 2, V(1, 10)),
		OP(DELETE, DONE, 3, 5),
		OP(READ, DONE, 6, 7, V(1, 10)),
	} },
	{ "a deletion comes undone under a new revision", {
		OP(CREATE, DONE, 1, 2, V(1, 10)),
		OP(DELETE, DONE, 3, 5),
		OP(READ, DONE, 6, 7, V(1, 12)),
	} },
	{ "a value that nobody wrote", {
		OP(CREATE, DONE, 1, 2, V(1, 10)),
		OP(READ, DONE, 3, 4, V(2, 11)),
	} },
	{ "an acknowledged change is missing after a crash", {
		OP(CREATE, DONE, 1, 2, V(1, 10)),
		OP(WRITE, DONE, 3, 4, V(2, 11)),
		LOST(WRITE, 5, .value = 3),
		OP(READ, DONE, 8, 9, V(1, 10)),
	} },
	{ "an acknowledged creation is missing after a crash", {
		OP(CREATE, DONE, 1, 2, V(1, 10)),
		LOST(WRITE, 3, .value = 2),
		OP(READ, ABSENT, 8, 9),
	} },
	{ "shown, then lost by a crash", {
		OP(CREATE, DONE, 1, 2, V(1, 10)),
		LOST(WRITE, 3, .value = 2),
		OP(READ, DONE, 4, 5, V(2, 11)),
		OP(READ, DONE, 8, 9, V(1, 10)),
	} },
	{ "a change seen before it was asked for", {
		OP(CREATE, DONE, 1, 2, V(1, 10)),
		OP(READ, DONE, 3, 4, V(2, 11)),
		LOST(WRITE, 5, .value = 2),
	} },
	{ "one state under two revisions", {
		OP(CREATE, DONE, 1, 2, V(1, 10)),
		OP(READ, DONE, 3, 4, V(1, 10)),
		OP(READ, DONE, 5, 6, V(1, 11)),
	} },
	{ "the revision goes back", {
		OP(CREATE, DONE, 1, 2, V(1, 10)),
		OP(WRITE, DONE, 3, 4, V(2, 9)),
	} },
	{ "the revision goes back over a deletion", {
		OP(CREATE, DONE, 1, 2, V(1, 10)),
		OP(DELETE, DONE, 3, 4),
		OP(CREATE, DONE, 5, 6, V(2, 10)),
	} },
	{ "the revision of an unknown change goes back", {
		OP(CREATE, DONE, 1, 2, V(1, 10)),
		LOST(WRITE, 3, .value = 2),
		OP(READ, DONE, 4, 5, V(2, 9)),
	} },
	{ "a 503 and yet it happened", { /* what certainly did not happen is in no history */
		OP(CREATE, DONE, 1, 2, V(1, 10)),
		OP(READ, DONE, 5, 6, V(2, 11)),
	} },
	{ "a refusal tells of a change that was rolled back", {
		OP(CREATE, DONE, 1, 2, V(1, 10)),
		OP(WRITE, REFUSED, 3, 4, .value = 3, TOLD(11), MATCH(10)),
		OP(READ, DONE, 5, 6, V(1, 10)),
	} },
	{ "created twice", {
		OP(CREATE, DONE, 1, 9, V(1, 10)),
		OP(CREATE, DONE, 1, 9, V(2, 11)),
	} },
	{ "refused although the tag was current all the time", {
		OP(CREATE, DONE, 1, 2, V(1, 10)),
		OP(WRITE, REFUSED, 3, 4, .value = 2, MATCH(10)),
		OP(READ, DONE, 5, 6, V(1, 10)),
	} },
	{ "a creation refused although there was none", {
		OP(READ, ABSENT, 1, 2),
		OP(CREATE, REFUSED, 3, 4, .value = 1),
		OP(READ, ABSENT, 5, 6),
	} },
	{ "changed although there was none", {
		OP(DELETE, DONE, 1, 2),
		OP(WRITE, DONE, 3, 4, V(1, 10)),
	} },
	{ "absent although it was there all the time", {
		OP(CREATE, DONE, 1, 2, V(1, 10)),
		OP(WRITE, ABSENT, 3, 4, .value = 2),
		OP(READ, DONE, 5, 6, V(1, 10)),
	} },
	{ "removed at a revision that had passed", {
		OP(CREATE, DONE, 1, 2, V(1, 10)),
		OP(WRITE, DONE, 3, 4, V(2, 11)),
		OP(DELETE, DONE, 5, 6, MATCH(10)),
	} },
	{ "two overlapping writes, read in both orders", {
		OP(CREATE, DONE, 1, 2, V(1, 10)),
		OP(WRITE, DONE, 3, 20, V(2, 0)),
		OP(WRITE, DONE, 3, 20, V(3, 0)),
		OP(READ, DONE, 4, 5, V(2, 0)),
		OP(READ, DONE, 6, 7, V(3, 0)),
		OP(READ, DONE, 8, 9, V(2, 0)),
	} },
	{ "one unknown deletion cannot explain two absences", {
		OP(CREATE, DONE, 1, 2, V(1, 10)),
		LOST(DELETE, 3),
		OP(READ, ABSENT, 4, 5),
		OP(CREATE, DONE, 6, 7, V(2, 12)),
		OP(READ, ABSENT, 8, 9),
	} },
};

/* Errors that no container alone would show. */
static const struct history wrong_tags[] = {
	{ "one revision in two containers", {
		OP(CREATE, DONE, 1, 4, V(1, 10), .container = 1),
		OP(CREATE, DONE, 1, 4, V(2, 10), .container = 2),
	} },
	{ "a revision that was only told of, in another container", {
		OP(READ, REFUSED, 1, 4, TOLD(10), MATCH(9), .container = 1),
		OP(READ, DONE, 1, 4, V(2, 10), .container = 2),
	} },
	{ "a tag used again for another value", {
		OP(CREATE, DONE, 1, 2, V(1, 10)),
		LOST(WRITE, 3, .value = 2),
		OP(READ, DONE, 4, 5, V(2, 10)),
	} },
	{ "a tag used again for other bytes", {
		OP(CREATE, DONE, 1, 2, V(1, 10), .digest = 77),
		OP(READ, DONE, 3, 4, V(1, 10), .digest = 78),
	} },
	{ "revisions against time", {
		OP(CREATE, DONE, 1, 2, V(1, 10), .container = 1),
		OP(CREATE, DONE, 3, 4, V(2, 9), .container = 2),
	} },
	{ "the revision of a deletion, which a list told of, used again", {
		OP(CREATE, DONE, 1, 2, V(1, 10), .container = 1),
		OP(DELETE, DONE, 3, 4, .container = 1),
		OP(READ, DONE, 5, 6, TOLD(11), .container = TAGS_STORE),
		OP(CREATE, DONE, 7, 8, V(2, 11), .container = 2),
	} },
	{ "a list of a store that lags behind", {
		OP(CREATE, DONE, 1, 2, V(1, 10), .container = 1),
		OP(READ, DONE, 3, 4, TOLD(9), .container = TAGS_STORE),
	} },
};

static const struct history right_tags = { "lists between changes", {
	OP(CREATE, DONE, 1, 2, V(1, 10), .container = 1),
	OP(READ, DONE, 3, 4, TOLD(10), .container = TAGS_STORE),
	OP(READ, DONE, 3, 6, TOLD(11), .container = TAGS_STORE),
	OP(WRITE, DONE, 5, 7, V(2, 12), .container = 1),
	OP(CREATE, DONE, 5, 7, V(3, 11), .container = 2),
} };

#endif
