#include "fault/lives.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

enum { START_TRIES = 2 };

struct step {
	int id;
	enum world_step what;
};

/* Everything that can become of a container, and more frames than a segment holds. */
static const struct step first[] = {
	{ 0, WORLD_NEXT }, { 1, WORLD_NEXT }, { 2, WORLD_NEXT }, { 3, WORLD_RELAXED }, { 0, WORLD_NEXT }, { 1, WORLD_RELAXED },
	{ 1, WORLD_RELAXED }, { 2, WORLD_NEXT }, { 0, WORLD_NEXT }, { 0, WORLD_NEXT }, { 2, WORLD_NEXT }, { 2, WORLD_FLAG },
	{ 3, WORLD_DELETE }, { 3, WORLD_NEXT }, { 4, WORLD_NEXT }, { 4, WORLD_DELETE },
}, second[] = {
	{ 5, WORLD_NEXT }, { 0, WORLD_NEXT }, { 1, WORLD_DELETE }, { 3, WORLD_NEXT }, { 0, WORLD_RELAXED }, { 2, WORLD_NEXT },
}, last[] = {
	{ 0, WORLD_RELAXED }, { 5, WORLD_RELAXED },
}, third[] = {
	{ 1, WORLD_NEXT }, { 0, WORLD_NEXT }, { 3, WORLD_RELAXED }, { 3, WORLD_DELETE }, { 5, WORLD_NEXT }, { 2, WORLD_NEXT },
	{ 0, WORLD_RELAXED },
};

static void walk(struct world *w, const struct step *steps, size_t n)
{
	for (size_t i = 0; i < n; i++)
		(void)world_step(w, steps[i].id, steps[i].what);
}

/* A start that a fault makes impossible says so, and may be tried again. */
static bool open_somehow(struct world *w)
{
	struct err err = { 0 };
	int r = -1;

	for (int i = 0; i < START_TRIES && r < 0; i++)
		r = world_open(w, &err);
	return r == 0;
}

static void open_surely(const struct lives *l)
{
	struct err err = { 0 };

	if (open_somehow(l->world))
		return;
	l->lift();
	if (world_open(l->world, &err) < 0)
		world_wrong(l->world, "the fault is gone, and the start is still refused: %s", err.text);
}

/* What was answered as sync=false cannot be kept by a journal that cannot be written until the end. */
static void note_losses(struct world *w)
{
	if (store_read_only(w->store))
		world_allow_losses(w);
}

/* In a process of its own, which ends without a word. */
static void live_and_die(const struct lives *l)
{
	if (open_somehow(l->world)) {
		walk(l->world, first, COUNT(first));
		world_settle(l->world);
		walk(l->world, second, COUNT(second));
		/* A power cut comes right behind a durable answer; a kill takes nothing that was answered. */
		if (!l->cut_power)
			walk(l->world, last, COUNT(last));
		note_losses(l->world);
		if (l->cut_power)
			l->cut_power();
	}
	_exit(0);
}

static void first_life(const struct lives *l)
{
	pid_t child = fork();
	int status = 0;

	if (child == 0)
		live_and_die(l);
	while (child > 0 && waitpid(child, &status, 0) < 0)
		if (errno != EINTR)
			break;
	if (child < 0 || status != 0)
		world_wrong(l->world, "the first life ended with status %x", (unsigned)status);
	if (l->cut_power)
		world_allow_losses(l->world);
}

static void close_clean(struct world *w)
{
	note_losses(w);
	world_close(w);
}

static size_t count_descriptors(void)
{
	DIR *dir = opendir("/proc/self/fd");
	size_t n = 0;

	if (!dir)
		abort();
	while (readdir(dir))
		n++;
	(void)closedir(dir);
	return n;
}

void lives_run(const struct lives *l)
{
	struct world *w = l->world;
	size_t before = count_descriptors(), after;

	first_life(l);
	open_surely(l);
	walk(w, third, COUNT(third));
	world_settle(w);
	close_clean(w);
	open_surely(l);
	(void)world_step(w, 2, WORLD_NEXT);
	l->lift();
	world_expect_healing(w);
	close_clean(w);
	open_surely(l);
	world_close(w);
	if (l->settle)
		l->settle();
	after = count_descriptors();
	if (after != before)
		world_wrong(w, "there were %zu descriptors, and %zu are left", before, after);
}
