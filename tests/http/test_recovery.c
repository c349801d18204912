/* What lies on the disk between two lives: containerd's own JSON, trees that containerd left, damage that is kept as
 * evidence, and states that outlive a restart. */
#include <check.h>
#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/expect.h"
#include "support/script.h"
#include "support/server.h"
#include "support/suite.h"
#include "support/text.h"

/* Good lines as containerd writes them: made, running with resources, killed. */
#define B1 "{\"Version\":\"v1\",\"Pid\":0,\"CreatedAt\":1500000000000000001,\"StartedAt\":0,\"FinishedAt\":0,\"ExitCode\":0," \
	   "\"Reason\":\"\",\"Message\":\"\",\"Resources\":null}"
#define B2 "{\"Version\":\"v1\",\"Pid\":1234,\"CreatedAt\":1500000000000000001,\"StartedAt\":1500000001000000002,\"FinishedAt\":0," \
	   "\"ExitCode\":0,\"Reason\":\"\",\"Message\":\"\",\"Resources\":{\"linux\":{\"cpu_period\":100000}}}"
#define B3 "{\"Version\":\"v1\",\"Pid\":0,\"CreatedAt\":1500000000000000001,\"StartedAt\":1500000001000000002," \
	   "\"FinishedAt\":1500000002000000003,\"ExitCode\":137,\"Reason\":\"OOMKilled\",\"Message\":\"\"," \
	       "\"Resources\":null}"
#define OLD "{\"Version\":\"v1\",\"Pid\":0,\"CreatedAt\":1,\"StartedAt\":0,\"FinishedAt\":0,\"ExitCode\":0,\"Reason\":\"\"," \
	    "\"Message\":\"\",\"Removing\":true}"

static const char *status_file(const struct server *s, const char *id)
{
	return text("%s/containers/%s/status", server_root(s), id);
}

static void make_file(const char *root, const char *id, const char *name, const char *content)
{
	(void)mkdir(text("%s/containers", root), 0700);
	(void)mkdir(text("%s/containers/%s", root, id), 0700);
	ck_assert_int_eq(text_to_file(text("%s/containers/%s/%s", root, id, name), content), 0);
}

/* Wait until the container's checkpoint on disk is the one that the server would write now. */
static const char *wait_checkpoint(const struct server *s, struct http *http, const char *id)
{
	double limit = suite_now() + SUITE_WAIT_SECONDS;
	const struct reply *r = http_get(http, text("/containers/%s/checkpoint", id));
	const char *on_disk;

	while (!(on_disk = text_of_file(status_file(s, id), NULL)) || strcmp(on_disk, r->body) != 0) {
		ck_assert_msg(suite_now() < limit, "on disk: %s\nshown: %s", on_disk ? on_disk : "nothing", r->body);
		suite_pause_ms(20);
		r = http_get(http, text("/containers/%s/checkpoint", id));
	}
	return on_disk;
}

START_TEST(status_file_is_containerds)
{
	static const char *const begins[] = { "made", B1, "runs", B2, "died", B3 };
	struct server *s = server_start(NULL);
	struct http *http = http_new(server_address(s, 0));
	struct stat st;

	expect_status(http_ask(http, "PUT", "/containers/made", NULL,
		"{\"status\":{\"createdAt\":1500000000000000001}}"), 201);
	expect_status(http_ask(http, "PUT", "/containers/runs", NULL,
			       "{\"status\":{\"createdAt\":1500000000000000001,"
			           "\"startedAt\":1500000001000000002,\"pid\":1234,"
			       "\"resources\":{\"linux\":{\"cpu_period\":100000}}}}"), 201);
	expect_status(http_ask(http, "PUT", "/containers/died", NULL,
			       "{\"status\":{\"createdAt\":1500000000000000001,"
			           "\"startedAt\":1500000001000000002,\"pid\":1}}"), 201);
	expect_status(http_ask(http, "PATCH", "/containers/died/status", NULL,
			       "{\"finishedAt\":1500000002000000003,\"exitCode\":137,\"reason\":\"OOMKilled\"}"),
			           200);
	http_free(http);
	server_stop(s);
	for (size_t i = 0; i < COUNT(begins); i += 2) {
		const char *content = text_of_file(status_file(s, begins[i]), NULL);

		ck_assert_msg(content, "%s: there is no status file", begins[i]);
		/* Ours follow before the last brace; Go's decoder passes them over. */
		ck_assert_msg(!strncmp(content, begins[i + 1], strlen(begins[i + 1]) - 1), "%s", content);
		ck_assert_msg(!strcmp(content + strlen(content) - 2, "}\n") && strstr(content, "\"Crc32\":\""), "%s",
			content);
		ck_assert_int_eq(stat(status_file(s, begins[i]), &st), 0);
		ck_assert_int_eq(st.st_mode & 07777, 0600);
	}
	ck_assert_int_eq(stat(server_root(s), &st), 0);
	ck_assert_int_eq(stat(text("%s/containers/made", server_root(s)), &st), 0);
	ck_assert_int_eq(st.st_mode & 07777, 0700);
	ck_assert_ptr_nonnull(strstr(text_of_file(text("%s/containers/made/metadata", server_root(s)), NULL),
		"\"Metadata\":{\"ID\":\"made\""));
	server_end(s);
}
END_TEST

START_TEST(checkpoints_follow_soon)
{
	struct server *s = server_start(NULL);
	struct http *http = http_new(server_address(s, 0));
	double limit = suite_now() + SUITE_WAIT_SECONDS;

	expect_status(http_ask(http, "PUT", "/containers/c", NULL, "{}"), 201);
	(void)wait_checkpoint(s, http, "c");
	expect_status(http_ask(http, "PATCH", "/containers/c/status", NULL, "{\"startedAt\":5}"), 200);
	ck_assert_ptr_nonnull(strstr(wait_checkpoint(s, http, "c"), "\"StartedAt\":5,"));
	expect_status(http_ask(http, "DELETE", "/containers/c?force=true", NULL, NULL), 204);
	while (access(text("%s/containers/c", server_root(s)), F_OK) == 0 && suite_now() < limit)
		suite_pause_ms(20);
	ck_assert_int_ne(access(text("%s/containers/c", server_root(s)), F_OK), 0);
	http_free(http);
	server_end(s);
}
END_TEST

/* Vectors U12 and U13: a directory that somebody removes from outside is made anew. */
START_TEST(directory_removed_from_outside)
{
	struct server *s = server_start(NULL);
	struct http *http = http_new(server_address(s, 0));

	expect_status(http_ask(http, "PUT", "/containers/u12", NULL, "{}"), 201);
	(void)wait_checkpoint(s, http, "u12");
	suite_remove(text("%s/containers/u12", server_root(s)));
	expect_status(http_ask(http, "PATCH", "/containers/u12/status", NULL, "{\"startedAt\":5}"), 200);
	(void)wait_checkpoint(s, http, "u12");
	ck_assert_int_eq(access(text("%s/containers/u12/metadata", server_root(s)), F_OK), 0);
	suite_remove(text("%s/containers/u12", server_root(s)));
	expect_status(http_ask(http, "DELETE", "/containers/u12?force=true", NULL, NULL), 204);
	http_free(http);
	server_stop(s);
	server_restart(s, NULL);
	http = http_new(server_address(s, 0));
	expect_problem(http_get(http, "/containers/u12"), 404, "container-not-found");
	http_free(http);
	server_end(s);
}
END_TEST

/* Vector U11: where the status file should be lies a directory.  The journal has it all the same. */
START_TEST(directory_in_the_way)
{
	struct server *s = server_start(NULL);
	struct http *http = http_new(server_address(s, 0));

	expect_status(http_ask(http, "PUT", "/containers/u11", NULL, "{}"), 201);
	(void)wait_checkpoint(s, http, "u11");
	ck_assert_int_eq(unlink(status_file(s, "u11")), 0);
	ck_assert_int_eq(mkdir(status_file(s, "u11"), 0700), 0);
	ck_assert_int_eq(text_to_file(text("%s/x", status_file(s, "u11")), "x"), 0);
	expect_status(http_ask(http, "PATCH", "/containers/u11/status", NULL, "{\"startedAt\":5}"), 200);
	http_free(http);
	server_kill(s);
	server_restart(s, NULL);
	http = http_new(server_address(s, 0));
	expect_all(http_get(http, "/containers/u11/status"), "/state=CONTAINER_RUNNING");
	http_free(http);
	server_end(s);
}
END_TEST

/* A tree that holds containerd's status files alone loads as it lies, and its files stay to the byte. */
START_TEST(adopts_containerds_tree)
{
	static const char *const files[][3] = {
		{ "made", B1, "CONTAINER_CREATED" }, { "runs", B2, "CONTAINER_RUNNING" },
			{ "died", B3, "CONTAINER_EXITED" },
		{ "old", OLD, "CONTAINER_CREATED" }, { "cut", "{\"Version\":\"v1\",\"Pid\":", "CONTAINER_UNKNOWN" },
		{ "other", "{\"Version\":\"v2\"}", "CONTAINER_UNKNOWN" }, { "empty", "", "CONTAINER_UNKNOWN" },
	};
	const char *root = suite_directory(), *leftover = text("%s/containers/gone.del-status", root);
	struct server *s;
	struct http *http;

	for (size_t i = 0; i < COUNT(files); i++)
		make_file(root, files[i][0], "status", files[i][1]);
	make_file(root, "made", ".tmp-status123", "half");
	ck_assert_int_eq(text_to_file(leftover, ""), 0);
	ck_assert_int_eq(mkdir(text("%s/containers/.hidden", root), 0700), 0);
	s = server_start_at(root, NULL);
	for (int life = 0; life < 2; life++) {
		http = http_new(server_address(s, 0));
		for (size_t i = 0; i < COUNT(files); i++)
			expect_all(http_get(http, text("/containers/%s", files[i][0])),
				   text("/id=%s /name= /config=null /status/state=%s /status/removing=false",
				       files[i][0], files[i][2]));
		expect_all(http_get(http, "/containers"), "/items/6/id=runs /items/7=(absent)");
		expect_all(http_get(http, "/containers/runs/status"),
			"/pid=1234 /resources={\"linux\":{\"cpu_period\":100000}}");
		expect_status(http_ask(http, "PUT", text("/containers/new-%d", life), NULL, "{}"), 201);
		expect_status(http_ask(http, "DELETE", text("/containers/new-%d", life), NULL, NULL), 204);
		http_free(http);
		server_stop(s);
		for (size_t i = 0; i < 3; i++)
			ck_assert_str_eq(text_of_file(text("%s/containers/%s/status", root, files[i][0]), NULL),
				files[i][1]);
		server_restart(s, NULL);
	}
	server_end(s);
}
END_TEST

/* The first file in <directory> whose name begins so, or NULL. */
static const char *find_file(const char *directory, const char *begins)
{
	DIR *d = opendir(directory);
	const char *found = NULL;

	for (struct dirent *e; d && (e = readdir(d));)
		if (!strncmp(e->d_name, begins, strlen(begins)))
			found = text("%s/%s", directory, e->d_name);
	if (d)
		(void)closedir(d);
	return found;
}

/* Damage without a record in the journal: shown as UNKNOWN, the evidence set aside, and still so after a restart. */
START_TEST(damage_is_kept)
{
	const char *root = suite_directory(), *bad = "{\"Version\":\"v1\",\"Pid\":";
	double limit = suite_now() + SUITE_WAIT_SECONDS;
	const char *aside;
	struct server *s;
	struct http *http;

	make_file(root, "d1", "status", bad);
	s = server_start_at(root, NULL);
	while (!(aside = find_file(text("%s/containers/d1", root), "status.corrupt-")) && suite_now() < limit)
		suite_pause_ms(20);
	ck_assert_msg(aside, "the damaged file was not set aside");
	ck_assert_str_eq(text_of_file(aside, NULL), bad);
	for (int life = 0; life < 2; life++) {
		http = http_new(server_address(s, 0));
		expect_all(http_get(http, "/containers/d1/status"),
			   "/state=CONTAINER_UNKNOWN /exitCode=255 /reason=CheckpointDamaged /pid=0 /createdAt=null");
		http_free(http);
		server_kill(s);
		server_restart(s, NULL);
	}
	http = http_new(server_address(s, 0));
	expect_status(http_ask(http, "PATCH", "/containers/d1/status", NULL, "{\"finishedAt\":9,\"exitCode\":4}"),
		200);
	http_free(http);
	server_stop(s);
	server_restart(s, NULL);
	http = http_new(server_address(s, 0));
	expect_all(http_get(http, "/containers/d1/status"), "/state=CONTAINER_EXITED /exitCode=4");
	http_free(http);
	server_end(s);
}
END_TEST

/* A damaged file whose content the journal still has is written anew, and the damaged one kept. */
START_TEST(damage_is_repaired)
{
	struct server *s = server_start(NULL);
	struct http *http = http_new(server_address(s, 0));

	expect_status(http_ask(http, "PUT", "/containers/fix", NULL,
		"{\"name\":\"n\",\"status\":{\"startedAt\":5,\"pid\":6}}"), 201);
	(void)wait_checkpoint(s, http, "fix");
	http_free(http);
	server_kill(s);
	ck_assert_int_eq(text_to_file(status_file(s, "fix"), "rubbish"), 0);
	server_restart(s, NULL);
	http = http_new(server_address(s, 0));
	expect_all(http_get(http, "/containers/fix"), "/name=n /status/state=CONTAINER_RUNNING /status/pid=6");
	(void)wait_checkpoint(s, http, "fix");
	ck_assert_str_eq(text_of_file(find_file(text("%s/containers/fix", server_root(s)), "status.corrupt-"), NULL),
		"rubbish");
	http_free(http);
	server_end(s);
}
END_TEST

/* Containers keep their states over a restart, and each can go on from there. */
static const struct script before[] = {
	{ "CREATED", { { "PUT", "/containers/{id}", NULL, "{\"status\":{\"createdAt\":1}}", 201, NULL, NULL } } },
	{ "RUNNING", { { "PUT", "/containers/{id}", NULL, "{\"status\":{\"startedAt\":10,\"pid\":7}}", 201, NULL,
		NULL } } },
	{ "EXITED",
		{ { "PUT", "/containers/{id}", NULL,
		"{\"status\":{\"startedAt\":10,\"finishedAt\":20,\"exitCode\":3}}", 201, NULL, NULL } } },
	{ "removing",
	  { { "PUT", "/containers/{id}", NULL, "{}", 201, NULL, NULL },
	    { "PATCH", "/containers/{id}/status", NULL, "{\"removing\":true}", 200, NULL, "/removing=true" } } },
}, after[] = {
	{ "CREATED",
	  { { "GET", "/containers/{id}/status", NULL, NULL, 200, NULL, "/state=CONTAINER_CREATED" },
	    { "PATCH", "/containers/{id}/status", NULL, "{\"startedAt\":10}", 200, NULL,
	        "/state=CONTAINER_RUNNING" } } },
	{ "RUNNING",
	  { { "GET", "/containers/{id}/status", NULL, NULL, 200, NULL, "/state=CONTAINER_RUNNING /pid=7" },
	    { "PATCH", "/containers/{id}/status", NULL, "{\"finishedAt\":20,\"exitCode\":1}", 200, NULL,
	        "/state=CONTAINER_EXITED" } } },
	{ "EXITED",
	  { { "GET", "/containers/{id}/status", NULL, NULL, 200, NULL,
	      "/state=CONTAINER_EXITED /exitCode=3 /reason=Error" },
	    { "PATCH", "/containers/{id}/status", NULL, "{\"startedAt\":30}", 200, NULL,
	        "/state=CONTAINER_RUNNING /exitCode=0" } } },
	{ "removing",
	  { { "GET", "/containers/{id}/status", NULL, NULL, 200, NULL, "/removing=false" },
	    { "PATCH", "/containers/{id}/status", NULL, "{\"startedAt\":30}", 200, NULL,
	        "/state=CONTAINER_RUNNING" } } },
};

START_TEST(states_outlive_a_restart)
{
	struct server *s = server_start(NULL);
	struct http *http = http_new(server_address(s, 0));
	const char *flagged;

	for (size_t i = 0; i < COUNT(before); i++)
		script_run(http, &before[i], text("s%zu", i));
	flagged = text("%s", reply_header(http_get(http, "/containers/s3"), "ETag"));
	http_free(http);
	if (_i)
		server_kill(s);
	else
		server_stop(s);
	server_restart(s, NULL);
	http = http_new(server_address(s, 0));
	/* Once a write is answered the flags are cleared: before, one could still be seen. */
	expect_status(http_ask(http, "PUT", "/containers/other", NULL, "{}"), 201);
	ck_assert_str_ne(flagged, reply_header(http_get(http, "/containers/s3"), "ETag"));
	for (size_t i = 0; i < COUNT(after); i++)
		script_run(http, &after[i], text("s%zu", i));
	for (size_t i = 0; i < COUNT(after); i++)
		expect_status(http_ask(http, "DELETE", text("/containers/s%zu?force=true", i), NULL, NULL), 204);
	http_free(http);
	server_end(s);
}
END_TEST

/* Vectors U18 and U19: deleted is deleted; made again it is another one, over restarts too. */
START_TEST(deleted_and_made_again)
{
	struct server *s = server_start(NULL);
	struct http *http = http_new(server_address(s, 0));
	unsigned long long first;

	first = reply_revision(http_ask(http, "PUT", "/containers/x", NULL,
		"{\"name\":\"one\",\"status\":{\"startedAt\":1}}"));
	expect_status(http_ask(http, "DELETE", "/containers/x?force=true", NULL, NULL), 204);
	expect_problem(http_ask(http, "PATCH", "/containers/x/status", NULL, "{\"reason\":\"r\"}"), 404,
		"container-not-found");
	expect_status(http_ask(http, "PUT", "/containers/x", NULL, "{\"name\":\"two\"}"), 201);
	expect_status(http_ask(http, "PUT", "/containers/y", NULL, "{}"), 201);
	expect_status(http_ask(http, "DELETE", "/containers/y", NULL, NULL), 204);
	for (int life = 0; life < 2; life++) {
		http_free(http);
		if (life)
			server_stop(s);
		else
			server_kill(s);
		server_restart(s, NULL);
		http = http_new(server_address(s, 0));
		expect_all(http_get(http, "/containers"),
			"/items/0/name=two /items/0/status/state=CONTAINER_CREATED /items/1=(absent)");
		ck_assert(reply_revision(http_get(http, "/containers/x")) > first);
	}
	http_free(http);
	server_end(s);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("recovery");
	TCase *c = suite_case(s, "disk", NULL, NULL);

	tcase_add_test(c, status_file_is_containerds);
	tcase_add_test(c, checkpoints_follow_soon);
	tcase_add_test(c, directory_removed_from_outside);
	tcase_add_test(c, directory_in_the_way);
	tcase_add_test(c, adopts_containerds_tree);
	tcase_add_test(c, damage_is_kept);
	tcase_add_test(c, damage_is_repaired);
	tcase_add_loop_test(c, states_outlive_a_restart, 0, 2);
	tcase_add_test(c, deleted_and_made_again);
	return suite_main(s);
}
