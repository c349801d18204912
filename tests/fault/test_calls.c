/* Every file call in turn fails, in every way it can, once and from then on: what was answered stays, what was refused
 * is absent, memory and disk agree, reads go on, and nothing is written to a file whose sync or write failed.
 *
 *   test_calls                     all of them
 *   test_calls -once               those that fail once
 *   test_calls fsync-EIO-once 12   the 12th fsync fails, once */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/compiler.h"
#include "fault/cases.h"
#include "fault/fast_clock.h"
#include "fault/lives.h"
#include "fault/medium.h"
#include "unit/faulty.h"
#include "unit/unit.h"

/* ---- which call can fail how ---- */

enum way {
	WAY_EIO = 1 << 0, WAY_ENOSPC = 1 << 1, WAY_EDQUOT = 1 << 2, WAY_EMFILE = 1 << 3, WAY_ENOMEM = 1 << 4,
	WAY_EINTR = 1 << 5, WAY_ONE_BYTE = 1 << 6, WAY_HALF = 1 << 7, WAY_TORN = 1 << 8,
	WAYS_SPACE = WAY_EIO | WAY_ENOSPC | WAY_EDQUOT,
};

static const struct {
	enum way way;
	const char *name;
	int error;
	enum faulty_cut cut;
	bool torn;
	bool invisible; /* whoever is told of it has a bug */
} ways[] = {
	{ WAY_EIO, "EIO", EIO, CUT_NONE, false, false },
	{ WAY_ENOSPC, "ENOSPC", ENOSPC, CUT_NONE, false, false },
	{ WAY_EDQUOT, "EDQUOT", EDQUOT, CUT_NONE, false, false },
	{ WAY_EMFILE, "EMFILE", EMFILE, CUT_NONE, false, false },
	{ WAY_ENOMEM, "ENOMEM", ENOMEM, CUT_NONE, false, false },
	{ WAY_EINTR, "EINTR", EINTR, CUT_NONE, false, true },
	{ WAY_ONE_BYTE, "one-byte", 0, CUT_ONE_BYTE, false, true },
	{ WAY_HALF, "half", 0, CUT_HALF, false, true },
	{ WAY_TORN, "torn", EIO, CUT_NONE, true, false },
};

static const struct {
	unsigned call;
	const char *name;
	unsigned ways;
} calls[] = {
	{ CALL_OPEN, "openat", WAYS_SPACE | WAY_EMFILE | WAY_EINTR },
	{ CALL_CLOSE, "close", WAYS_SPACE | WAY_EINTR },
	{ CALL_PREAD, "pread", WAY_EIO | WAY_EINTR | WAY_ONE_BYTE | WAY_HALF },
	{ CALL_PWRITE, "pwrite", WAYS_SPACE | WAY_EINTR | WAY_ONE_BYTE | WAY_HALF | WAY_TORN },
	{ CALL_FSYNC, "fsync", WAYS_SPACE | WAY_EINTR },
	{ CALL_FDATASYNC, "fdatasync", WAYS_SPACE | WAY_EINTR },
	{ CALL_FSTAT, "fstat", WAY_EIO },
	{ CALL_FSTATAT, "fstatat", WAY_EIO },
	{ CALL_FCHMOD, "fchmod", WAY_EIO },
	{ CALL_FCHMODAT, "fchmodat", WAY_EIO },
	{ CALL_MKDIR, "mkdirat", WAYS_SPACE },
	{ CALL_UNLINK, "unlinkat", WAY_EIO },
	{ CALL_RENAME, "renameat2", WAYS_SPACE },
	{ CALL_FLOCK, "flock", WAY_EIO | WAY_EINTR },
	{ CALL_FDOPENDIR, "fdopendir", WAY_ENOMEM },
	{ CALL_READDIR, "readdir", WAY_EIO },
	{ CALL_CLOSEDIR, "closedir", WAY_EIO },
};

struct series {
	size_t call, way;
	bool for_ever;
};
static struct series all[COUNT(calls) * COUNT(ways) * 2];
static size_t all_count;

static void list_series(void)
{
	for (size_t call = 0; call < COUNT(calls); call++)
		for (size_t way = 0; way < COUNT(ways); way++)
			for (int for_ever = 0; for_ever < 2 && (calls[call].ways & ways[way].way); for_ever++)
				all[all_count++] = (struct series){ call, way, for_ever };
}

static const char *name_of(size_t series, char room[80])
{
	const struct series *s = &all[series];

	(void)snprintf(room, 80, "%s-%s-%s", calls[s->call].name, ways[s->way].name, s->for_ever ? "ever" : "once");
	return room;
}

/* ---- one case ---- */

static struct world world = { .files = &files_medium, .lists = true };

static struct faulty_rule rule_of(const struct series *s, int n)
{
	return (struct faulty_rule){
		.calls = calls[s->call].call,
		.where = "",
		.error = ways[s->way].error,
		.pass = n - 1,
		.count = s->for_ever ? -1 : 1,
		.torn = ways[s->way].torn,
		.cut = ways[s->way].cut,
		.alternates = ways[s->way].invisible, /* without end it would never get on */
		.hides_types = calls[s->call].call == CALL_FSTATAT, /* or nobody asks */
	};
}

/* A fault that is dealt with on the spot is seen by nobody. */
static bool may_be_seen(const struct series *s)
{
	return !ways[s->way].invisible;
}

static bool struck;

static void lift(void)
{
	struck = struck || faulty_failed() > 0;
	faulty_disarm();
	world.reads_may_fail = false;
}

static void run(size_t series, int n, struct case_note *note)
{
	const struct series *s = &all[series];
	/* Both ends of a first life for each kind of fault; what nobody may see shows in a power cut, if anywhere. */
	const struct lives lives = {
		.world = &world,
		.lift = lift,
		.cut_power = n % 2 || !may_be_seen(s) ? medium_cut_power : NULL,
		.settle = medium_settle,
	};
	char *root = case_directory();

	/* In this process, so that its lives share what they must and no other case sees it. */
	faulty_share();
	medium_begin(&files_faulty);
	world_begin(&world, root);
	world.wrong = note->wrong;
	world.wrong_room = sizeof note->wrong;
	world.reads_may_fail = may_be_seen(s) && (calls[s->call].call & (CALL_OPEN | CALL_PREAD));
	faulty_arm(rule_of(s, n));
	lives_run(&lives);
	if (!may_be_seen(s) && world.model->refused + world.model->unknown + world.model->refused_starts > 0)
		world_wrong(&world, "%s was not dealt with on the spot: a change or a start was refused", ways[s->way].name);
	if (medium_complaint()[0])
		world_wrong(&world, "%s", medium_complaint());
	note->struck = struck;
	unit_remove(root);
	free(root);
}

int main(int argc, char **argv)
{
	struct cases cases = { .name = name_of, .run = run, .seconds = 20 };

	fast_clock_begin();
	list_series();
	cases.series_count = all_count;
	return cases_main(&cases, argc, argv);
}
