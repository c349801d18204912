/* A disk without a free byte, and one without a free inode: writes get 507, reads and deletions go on, a start finds all
 * that was acknowledged, and what is freed is noticed without another start. */
#include <check.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <unistd.h>

#include "support/expect.h"
#include "support/server.h"
#include "support/suite.h"
#include "support/text.h"

/* What is known of the containers that were written: by number, those below <count> but for the <deleted> first ones. */
struct written {
	unsigned count, deleted;
};

static const char *const small[] = { "--segment-bytes", "1M", NULL };

/* A small disk at <directory>, in a mount namespace of this test's own: it goes with the last process in it. */
static bool mount_small(const char *directory, const char *options)
{
	return unshare(CLONE_NEWNS) == 0 && mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
	       mount("tallyd-test", directory, "tmpfs", 0, options) == 0;
}

/* To the last byte. */
static void fill_bytes(const char *directory)
{
	static char zeros[65536];
	FILE *f = fopen(text("%s/filler", directory), "we");
	size_t piece = sizeof zeros;

	ck_assert_ptr_nonnull(f);
	(void)setvbuf(f, NULL, _IONBF, 0);
	while (piece > 0)
		if (fwrite(zeros, 1, piece, f) != piece)
			piece /= 2;
	(void)fclose(f);
}

/* To the last inode: empty files, until none can be made. */
static void fill_inodes(const char *directory)
{
	FILE *f;

	ck_assert_int_eq(access(directory, W_OK), 0);
	for (unsigned n = 0; (f = fopen(text("%s/filler-%u", directory, n), "we")); n++)
		(void)fclose(f);
}

static void free_bytes(const char *directory)
{
	ck_assert_int_eq(unlink(text("%s/filler", directory)), 0);
}

static void free_inodes(const char *directory)
{
	for (unsigned n = 0; unlink(text("%s/filler-%u", directory, n)) == 0; n++)
		ck_assert_uint_lt(n, 100000);
}

static const struct {
	const char *mount;
	void (*fill)(const char *directory), (*free)(const char *directory);
} kinds[] = {
	{ "size=32m", fill_bytes, free_bytes },
	{ "size=64m,nr_inodes=200", fill_inodes, free_inodes },
};

/* ---- writing and reading ---- */

static const char *path_of(unsigned n)
{
	return text("/containers/full-%u.", n);
}

/* Write until 507, at most as much as would fill all that is set aside. */
static void write_until_full(struct http *http, struct written *w)
{
	const char *message = text_repeat("f", 16000);

	for (unsigned end = w->count + 20000; w->count < end; w->count++) {
		const struct reply *r = http_ask(http, "PUT", path_of(w->count), NULL,
						 text("{\"status\":{\"startedAt\":%u,\"message\":\"%s\"}}", w->count + 1, message));

		if (r->status == 507) {
			expect_problem(r, 507, "insufficient-storage");
			return;
		}
		expect_status(r, 201);
		http_forget(http);
	}
	ck_abort_msg("the full disk was never noticed");
}

static void check_readable(struct http *http, const struct written *w)
{
	for (unsigned n = 0; n < w->count; n++) {
		const struct reply *r = http_get(http, path_of(n));

		if (n < w->deleted)
			expect_problem(r, 404, "container-not-found");
		else
			expect_all(r, text("/status/state=CONTAINER_RUNNING /status/startedAt=1970-01-01T00:00:00.%09uZ", n + 1));
		http_forget(http);
	}
	expect_problem(http_get(http, path_of(w->count)), 404, "container-not-found");
	expect_status(http_get(http, "/readyz"), 200);
}

/* Space for deletions is kept.  Where even that is used up by an earlier life, the refusal is as clean as any. */
static void delete_one(struct http *http, struct written *w, bool must)
{
	const struct reply *r = http_ask(http, "DELETE", text("%s?force=true", path_of(w->deleted)), NULL, NULL);

	if (must || r->status == 204)
		expect_status(r, 204);
	else
		ck_assert_msg(r->status == 503 || r->status == 507, "a deletion on the full disk got %d", (int)r->status);
	w->deleted += r->status == 204;
}

/* Freed space is noticed without a restart. */
static void wait_for_writes(struct http *http, struct written *w)
{
	double limit = suite_now() + SUITE_WAIT_SECONDS;
	const char *body = text("{\"status\":{\"startedAt\":%u}}", w->count + 1);
	const struct reply *r;

	while ((r = http_ask(http, "PUT", path_of(w->count), NULL, body))->status != 201 && suite_now() < limit)
		suite_pause_ms(50);
	expect_status(r, 201);
	w->count++;
}

/* ---- the test ---- */

static struct http *start_again(struct server *s, struct http *http, bool killed)
{
	http_free(http);
	if (killed)
		server_kill(s);
	else
		server_stop(s);
	server_restart(s, small);
	return http_new(server_address(s, 0));
}

/* Full, ended in this way and started while full, freed. */
static struct http *fill_and_free(struct server *s, struct http *http, struct written *w, const char *disk, int kind, bool killed)
{
	kinds[kind].fill(disk);
	write_until_full(http, w);
	check_readable(http, w);
	delete_one(http, w, true);
	check_readable(http, w);
	http = start_again(s, http, killed);
	check_readable(http, w);
	delete_one(http, w, false);
	http = start_again(s, http, true);
	check_readable(http, w);
	kinds[kind].free(disk);
	wait_for_writes(http, w);
	check_readable(http, w);
	return http;
}

START_TEST(full_disk)
{
	const char *disk = suite_directory();
	struct written w = { 0 };
	struct server *s;
	struct http *http;

	if (!mount_small(disk, kinds[_i].mount)) {
		suite_skip("full disk", "a tmpfs cannot be mounted (needs CAP_SYS_ADMIN)");
		return;
	}
	s = server_start_at(text("%s/root", disk), small);
	http = http_new(server_address(s, 0));
	wait_for_writes(http, &w);
	http = fill_and_free(s, http, &w, disk, _i, true);
	http = fill_and_free(s, http, &w, disk, _i, false);
	http = start_again(s, http, false);
	check_readable(http, &w);
	http_free(http);
	server_end(s);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("full disk");

	tcase_add_loop_test(suite_case(s, "full disk", NULL, NULL), full_disk, 0, COUNT(kinds));
	return suite_main(s);
}
