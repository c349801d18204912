/* The figures for Prometheus: the text format, the names, and that they count what happens. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/expect.h"
#include "support/shared.h"
#include "support/suite.h"
#include "support/text.h"

/* Families that operators and rules build on. */
static const char *const families[] = {
	"tallyd_http_requests_total", "tallyd_http_request_duration_seconds",
		"tallyd_http_connections_rejected_total",
	"tallyd_containers", "tallyd_container_transitions_total", "tallyd_commits_total", "tallyd_commit_seconds",
	"tallyd_commit_changes", "tallyd_journal_fsync_seconds", "tallyd_journal_bytes",
		"tallyd_journal_torn_tail_total",
	"tallyd_checkpoint_lag_seconds", "tallyd_recovery_records", "tallyd_recovery_duration_seconds",
		"tallyd_store_readonly",
	"process_cpu_seconds_total", "process_resident_memory_bytes", "process_open_fds",
		"process_start_time_seconds",
};

static const char *metrics(void)
{
	const struct reply *r = http_get(shared_http(), "/metrics");

	expect_status(r, 200);
	expect_all(r, "@Content-Type*=text/plain;^version=0.0.4 @Cache-Control=no-store");
	return r->body;
}

/* The sum of all samples whose line begins with <name>, then '{' or a blank, and contains <label> (NULL: any). */
static double sum_of(const char *all, const char *name, const char *label)
{
	size_t len = strlen(name);
	double sum = 0;

	for (const char *line = all; line && *line; line = strchr(line, '\n'), line = line ? line + 1 : NULL) {
		char *one = text_copy(line, strcspn(line, "\n"));

		if (strncmp(one, name, len) != 0 || (one[len] != '{' && one[len] != ' ') ||
			(label && !strstr(one, label)))
			continue;
		sum += strtod(strrchr(one, ' ') + 1, NULL);
	}
	return sum;
}

START_TEST(promtool_finds_nothing)
{
	const char *file = text("%s/metrics", suite_directory());
	char line[512] = "";
	FILE *p;
	int code;

	if (system("command -v promtool >/dev/null 2>&1") != 0) {
		suite_skip("promtool check metrics", "promtool is not installed (package prometheus)");
		return;
	}
	ck_assert_int_eq(text_to_file(file, metrics()), 0);
	p = popen(text("promtool check metrics <%s 2>&1", file), "re");
	ck_assert_ptr_nonnull(p);
	(void)!fgets(line, sizeof line, p);
	code = pclose(p);
	ck_assert_msg(code == 0 && *line == '\0', "exit code %d, says: %s", code, line);
}
END_TEST

START_TEST(families_are_there)
{
	const char *all = metrics(), *name = families[_i];

	ck_assert_msg(strstr(all, text("# HELP %s ", name)), "no help for %s", name);
	ck_assert_msg(strstr(all, text("# TYPE %s ", name)), "no type for %s", name);
	ck_assert_msg(strstr(all, text("\n%s", name)), "no sample of %s", name);
}
END_TEST

START_TEST(names_are_ours)
{
	for (const char *line = metrics(); line && *line; line = strchr(line, '\n'), line = line ? line + 1 : NULL)
		ck_assert_msg(*line == '#' || !strncmp(line, "tallyd_", 7) || !strncmp(line, "process_", 8), "%.80s",
			line);
}
END_TEST

START_TEST(they_count)
{
	const char *before = metrics(), *after;
	double requests, containers;

	for (int i = 0; i < 3; i++)
		(void)shared_create(text("m%d", i), "");
	expect_status(http_ask(shared_http(), "PATCH", "/containers/m0/status", NULL, "{\"startedAt\":1}"), 200);
	expect_status(http_ask(shared_http(), "PATCH", "/containers/m1/status", NULL, "{\"pid\":1}"), 422);
	after = metrics();
	requests = sum_of(after, "tallyd_http_requests_total", NULL) - sum_of(before, "tallyd_http_requests_total",
		NULL);
	ck_assert_msg(requests >= 5, "only %g requests more", requests);
	ck_assert_msg(sum_of(after, "tallyd_http_requests_total", "422") - sum_of(before,
		"tallyd_http_requests_total",
		"422") >= 1, "%s", after);
	containers = sum_of(after, "tallyd_containers", NULL) - sum_of(before, "tallyd_containers", NULL);
	ck_assert_msg(containers > 2.5 && containers < 3.5, "%g containers more", containers);
	ck_assert_msg(sum_of(after, "tallyd_containers", "running") - sum_of(before, "tallyd_containers",
		"running") > 0.5, "%s", after);
	ck_assert_msg(sum_of(after, "tallyd_container_transitions_total", NULL) > sum_of(before,
		"tallyd_container_transitions_total",
		NULL), "%s", after);
	ck_assert_msg(sum_of(after, "tallyd_commits_total", NULL) > sum_of(before, "tallyd_commits_total", NULL),
		"%s", after);
}
END_TEST

/* A client cannot make series: what it puts into a path or a method is no label. */
START_TEST(paths_make_no_series)
{
	const char *all;

	(void)http_get(shared_http(), "/containers/series-of-my-own");
	(void)http_get(shared_http(), "/series-of-my-own");
	(void)http_ask(shared_http(), "SERIESOFMYOWN", "/containers", NULL, NULL);
	all = metrics();
	ck_assert_ptr_null(strstr(all, "series-of-my-own"));
	ck_assert_ptr_null(strstr(all, "SERIESOFMYOWN"));
}
END_TEST

int main(void)
{
	static const char *const memory[] = { "--backend", "memory", NULL };
	Suite *s = suite_create("metrics");
	TCase *c = shared_case(s, "disk", NULL), *m = shared_case(s, "memory", memory);

	tcase_add_test(c, promtool_finds_nothing);
	tcase_add_test(m, promtool_finds_nothing);
	tcase_add_loop_test(c, families_are_there, 0, COUNT(families));
	tcase_add_test(c, names_are_ours);
	tcase_add_test(c, they_count);
	tcase_add_test(c, paths_make_no_series);
	return suite_main(s);
}
