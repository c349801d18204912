/* Connections and their ways to end: bodies in pieces, pipelines, clients that leave in the middle, and many at once. */
#include <check.h>
#include <dirent.h>
#include <string.h>

#include "support/expect.h"
#include "support/raw.h"
#include "support/shared.h"
#include "support/suite.h"
#include "support/text.h"

#define H "Host: localhost\r\n"
#define GET "GET /containers/raw HTTP/1.1\r\n" H
#define LIVEZ "GET /livez HTTP/1.1\r\n" H "\r\n"
#define POST "POST /containers?dryRun=true HTTP/1.1\r\n" H "Content-Type: application/json\r\n"

static const char *address(void)
{
	return server_address(shared_server(), 0);
}

static void make_raw(void)
{
	if (http_get(shared_http(), "/containers/raw")->status != 200)
		(void)shared_create("raw", "");
}

START_TEST(long_chunked_body)
{
	struct raw *raw = raw_open(address());
	struct raw_reply r;
	const char *chunk = text("10000\r\n%s\r\n", text_repeat(" ", 0x10000));

	ck_assert(raw_say(raw, POST "Transfer-Encoding: chunked\r\n\r\n"));
	for (int i = 0; i < 17; i++)
		if (!raw_say(raw, chunk))
			break;
	(void)raw_say(raw, "2\r\n{}\r\n0\r\n\r\n");
	r = raw_read(raw);
	ck_assert_msg(r.status == 413, "%d %s", r.status, r.head);
	ck_assert_msg(strstr(r.body, "/problems/body-too-large"), "%s", r.body);
	ck_assert(r.close);
	raw_close(raw);
}
END_TEST

/* An announced length beyond the limit is refused at once, before a byte of the body came. */
START_TEST(announced_too_large)
{
	struct raw *raw = raw_open(address());
	struct raw_reply r;

	ck_assert(raw_say(raw, POST "Content-Length: 1048577\r\n\r\n"));
	r = raw_read(raw);
	ck_assert_msg(r.status == 413 && strstr(r.body, "/problems/body-too-large"), "%d %s", r.status, r.body);
	ck_assert(r.close && raw_closed(raw));
	raw_close(raw);
	raw = raw_open(address());
	ck_assert(raw_say(raw, POST "Content-Length: 1048577\r\nExpect: 100-continue\r\n\r\n"));
	r = raw_read(raw);
	ck_assert_msg(r.status == 413, "%d %s", r.status, r.head);
	raw_close(raw);
}
END_TEST

START_TEST(waits_for_100_continue)
{
	struct raw *raw = raw_open(address());
	struct raw_reply r;

	ck_assert(raw_say(raw, POST "Content-Length: 2\r\nExpect: 100-continue\r\n\r\n"));
	r = raw_read(raw);
	ck_assert_int_eq(r.status, 100);
	ck_assert(raw_say(raw, "{}"));
	ck_assert_int_eq(raw_read(raw).status, 201);
	raw_close(raw);
}
END_TEST

START_TEST(one_byte_at_a_time)
{
	struct raw *raw = raw_open(address());

	make_raw();
	ck_assert(raw_drip(raw, GET "X-Request-Id: dripping\r\n\r\n"));
	ck_assert_int_eq(raw_read(raw).status, 200);
	ck_assert(raw_drip(raw, POST "Content-Length: 12\r\n\r\n{\"name\":\"x\"}"));
	ck_assert_int_eq(raw_read(raw).status, 201);
	ck_assert(raw_drip(raw, "HEAD /livez HTTP/1.1\r\n" H "\r\n"));
	ck_assert_int_eq(raw_read_head(raw).status, 200);
	raw_close(raw);
}
END_TEST

/* Several requests in one packet are answered in their order, a write among them included. */
START_TEST(pipelining)
{
	struct raw *raw = raw_open(address());
	const char *id = shared_id("pipe");
	struct raw_reply r;

	ck_assert(raw_say(raw,
		text("PUT /containers/%s HTTP/1.1\r\n" H "Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"
				    "GET /containers/%s HTTP/1.1\r\n" H "X-Request-Id: second\r\n\r\n"
				    "DELETE /containers/%s HTTP/1.1\r\n" H "\r\n"
				    "GET /containers/%s HTTP/1.1\r\n" H "X-Request-Id: fourth\r\n\r\n", id, id, id,
				        id)));
	ck_assert_int_eq(raw_read(raw).status, 201);
	r = raw_read(raw);
	ck_assert_msg(r.status == 200 && strstr(r.head, "second"), "%d %s", r.status, r.head);
	ck_assert_int_eq(raw_read(raw).status, 204);
	r = raw_read(raw);
	ck_assert_msg(r.status == 404 && strstr(r.head, "fourth"), "%d %s", r.status, r.head);
	raw_close(raw);
}
END_TEST

START_TEST(versions_and_connections)
{
	struct raw *raw = raw_open(address());
	struct raw_reply r;

	make_raw();
	ck_assert(raw_say(raw, "GET /containers/raw HTTP/1.0\r\n\r\n"));
	r = raw_read(raw);
	ck_assert_int_eq(r.status, 200);
	ck_assert(raw_closed(raw));
	raw_close(raw);
	raw = raw_open(address());
	ck_assert(raw_say(raw, GET "Connection: close\r\n\r\n"));
	r = raw_read(raw);
	ck_assert(r.status == 200 && r.close && raw_closed(raw));
	raw_close(raw);
	raw = raw_open(address());
	ck_assert(raw_say(raw, "GET http://127.0.0.1/containers/raw HTTP/1.1\r\n" H "\r\n"));
	ck_assert_int_eq(raw_read(raw).status, 200);
	ck_assert(raw_say(raw, "OPTIONS * HTTP/1.1\r\n" H "\r\n"));
	ck_assert_int_eq(raw_read(raw).status, 204);
	raw_close(raw);
}
END_TEST

/* A client that goes away in the middle of what it says changes nothing, and costs nothing that shows. */
START_TEST(hangs_up_in_the_middle)
{
	static const char *const starts[] = {
		"PUT /containers/half-a",
		"PUT /containers/half-b HTTP/1.1\r\n" H "Content-Le",
		"PUT /containers/half-c HTTP/1.1\r\n" H "Content-Type: application/json\r\nContent-Length: 100\r\n\r\n",
		"PUT /containers/half-d HTTP/1.1\r\n" H "Content-Type: application/json\r\nContent-Length: 3\r\n\r\n{}",
		"PUT /containers/half-e HTTP/1.1\r\n" H "Content-Type: application/json\r\nTransfer-Encoding: "
			"chunked\r\n\r\n2\r\n{}\r\n",
		"PUT /containers/half-f HTTP/1.1\r\n" H "Content-Type: application/json\r\nTransfer-Encoding: "
			"chunked\r\n\r\n5\r\n{}",
	};

	for (int how = 0; how < 3; how++) {
		struct raw *raw = raw_open(address());

		ck_assert(raw_say(raw, starts[_i]));
		if (how == 0) {
			raw_reset(raw);
			continue;
		}
		if (how == 1)
			raw_finish(raw);
		raw_close(raw);
	}
	expect_all(http_get(shared_http(), "/containers?idPrefix=half-"), "/items=[]");
}
END_TEST

/* The end that comes with the last bytes is noticed as well, though it makes no event of its own: the connection does
 * not stay until it is too old. */
START_TEST(end_in_the_same_packet)
{
	static const char *const starts[] = {
		"PUT /containers/half-g HTTP/1.1\r\nHos",
		"PUT /containers/half-h HTTP/1.1\r\n" H "Content-Type: application/json\r\nContent-Length: 3\r\n\r\n{}",
		"PUT /containers/half-i HTTP/1.1\r\n" H "Content-Type: application/json\r\nTransfer-Encoding: "
			"chunked\r\n\r\n5\r\n{}",
	};
	struct raw *raw[50];
	double begun = suite_now();

	for (size_t i = 0; i < COUNT(raw); i++) {
		raw[i] = raw_open(address());
		ck_assert(raw_say(raw[i], starts[_i]));
		raw_finish(raw[i]);
	}
	for (size_t i = 0; i < COUNT(raw); i++) {
		ck_assert_msg(raw_closed(raw[i]), "connection %zu is still open", i);
		raw_close(raw[i]);
	}
	/* Well below the ten seconds that the head or the body of a living client may take. */
	ck_assert_msg(suite_now() - begun < 9, "closed by its deadline only");
}
END_TEST

/* Who leaves behind a whole request has made it: the change stands, only the answer is lost. */
START_TEST(leaves_before_the_answer)
{
	const char *id = shared_id("left");
	struct raw *raw;

	for (int i = 0; i < 40; i++) {
		raw = raw_open(address());
		ck_assert(raw_say(raw, text("PUT /containers/%s-%d HTTP/1.1\r\n" H
					    "Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{}", id, i)));
		if (i % 2)
			raw_reset(raw);
		else
			raw_close(raw);
	}
	/* A reset may overtake the request; an orderly close may not. */
	for (int i = 0; i < 40; i += 2) {
		double limit = suite_now() + SUITE_WAIT_SECONDS;
		const struct reply *r;

		while ((r = http_get(shared_http(), text("/containers/%s-%d", id, i)))->status != 200 &&
			suite_now() < limit)
			suite_pause_ms(5);
		expect_status(r, 200);
	}
}
END_TEST

/* Who asks for a long list and goes away, or does not read it, keeps nothing and nobody. */
START_TEST(leaves_in_the_middle_of_a_list)
{
	static const char *const forms[] = { "application/json", "application/x-ndjson", "text/plain" };
	struct raw *raw[20];

	for (int i = 0; i < 300; i++)
		(void)http_ask(shared_http(), "PUT", text("/containers/long-%d", i), NULL,
			       text("{\"name\":\"%s\",\"status\":{\"message\":\"%s\"}}", text_repeat("n", 100),
			           text_repeat("m", 8000)));
	for (size_t i = 0; i < COUNT(raw); i++) {
		raw[i] = raw_open(address());
		ck_assert(raw_say(raw[i], text("GET /containers?limit=1000 HTTP/1.1\r\n" H "Accept: %s\r\n\r\n",
			forms[_i])));
	}
	for (size_t i = 0; i < COUNT(raw); i += 2)
		raw_reset(raw[i]);
	expect_status(http_get(shared_http(), "/containers/long-0"), 200);
	for (size_t i = 1; i < COUNT(raw); i += 2) {
		ck_assert_int_eq(raw_read(raw[i]).status, 200);
		raw_close(raw[i]);
	}
}
END_TEST

START_TEST(half_close)
{
	struct raw *raw = raw_open(address());
	struct raw_reply r;
	char *all;

	make_raw();
	ck_assert(raw_say(raw, GET "\r\n"));
	r = raw_read(raw);
	ck_assert_int_eq(r.status, 200);
	raw_finish(raw);
	all = raw_rest(raw);
	ck_assert_msg(all && *all == '\0', "%s", all ? all : "still open");
	raw_close(raw);
}
END_TEST

/* Readiness fetched in portions of 128 must lose nobody: all of these get their answer. */
START_TEST(many_connections_at_once)
{
	static const size_t counts[] = { 128, 256, 384 };
	struct raw *raw[384];

	make_raw();
	for (size_t i = 0; i < counts[_i]; i++)
		raw[i] = raw_open(address());
	for (int round = 0; round < 5; round++) {
		for (size_t i = 0; i < counts[_i]; i++)
			ck_assert(raw_say(raw[i], round == 3 ? POST "Content-Length: 2\r\n\r\n{}" : GET "\r\n"));
		for (size_t i = 0; i < counts[_i]; i++)
			ck_assert_int_eq(raw_read(raw[i]).status, round == 3 ? 201 : 200);
	}
	for (size_t i = 0; i < counts[_i]; i++)
		raw_close(raw[i]);
}
END_TEST

/* Half-sent heads in number do not keep an honest client waiting. */
START_TEST(half_open_in_number)
{
	enum { MANY = 500 };
	struct raw *raw[MANY];

	make_raw();
	for (size_t i = 0; i < MANY; i++) {
		raw[i] = raw_open(address());
		ck_assert(raw_say(raw[i], "GET /containers/raw HTTP/1.1\r\nHos"));
	}
	for (size_t i = 0; i < MANY; i++)
		ck_assert(raw_say(raw[i], "t"));
	expect_status(http_get(shared_http(), "/containers/raw"), 200);
	expect_status(http_ask(shared_http(), "PATCH", "/containers/raw/status", NULL, "{}"), 200);
	for (size_t i = 0; i < MANY; i++)
		raw_close(raw[i]);
}
END_TEST

/* At its limit a server answers those it has; who comes then waits in the backlog and is served when one leaves. */
START_TEST(waits_while_the_server_is_full)
{
	enum { LIMIT = 6 };
	static const char *const options[] = { "--loops", "2", "--max-connections", "6", NULL };
	struct server *server = server_start(options);
	struct raw *raw[LIMIT], *late;

	for (size_t i = 0; i < LIMIT; i++) {
		raw[i] = raw_open(server_address(server, 0));
		ck_assert(raw_say(raw[i], LIVEZ));
		ck_assert_int_eq(raw_read(raw[i]).status, 200);
	}
	late = raw_open(server_address(server, 0));
	ck_assert(raw_say(late, LIVEZ));
	for (int round = 0; round < 20; round++)
		for (size_t i = 0; i < LIMIT; i++) {
			ck_assert(raw_say(raw[i], LIVEZ));
			ck_assert_int_eq(raw_read(raw[i]).status, 200);
		}
	ck_assert_msg(!raw_has_come(late), "a connection beyond the limit was served");
	raw_close(raw[0]);
	ck_assert_int_eq(raw_read(late).status, 200);
	raw_close(late);
	for (size_t i = 1; i < LIMIT; i++)
		raw_close(raw[i]);
	server_stop(server);
	server_end(server);
}
END_TEST

/* How many sockets an epoll set of the server holds; 0 when the descriptor is none. */
static size_t watched(const struct server *server, const char *descriptor)
{
	size_t n = 0;
	const char *lines = text_of_file(text("/proc/%d/fdinfo/%s", (int)server_pid(server), descriptor), &n);

	for (n = 0; lines && (lines = strstr(lines, "tfd:")); n++)
		lines++;
	return n;
}

/* Whoever accepts: no loop has many more than another, since one loop is one processor.  Two that place connections at
 * the same moment may choose the same. */
START_TEST(loops_share_connections_evenly)
{
	enum { MANY = 60, LOOPS = 3, FAIR = MANY / LOOPS };
	static const char *const options[] = { "--loops", "3", "--listen", "127.0.0.1:0", NULL };
	struct server *server = server_start(options);
	DIR *descriptors = opendir(text("/proc/%d/fdinfo", (int)server_pid(server)));
	struct raw *raw[MANY];
	size_t loops = 0;

	ck_assert_ptr_nonnull(descriptors);
	for (size_t i = 0; i < MANY; i++)
		raw[i] = raw_open(server_address(server, 0));
	for (size_t i = 0; i < MANY; i++) {
		ck_assert(raw_say(raw[i], LIVEZ));
		ck_assert_int_eq(raw_read(raw[i]).status, 200);
	}
	for (struct dirent *d = readdir(descriptors); d; d = readdir(descriptors)) {
		size_t n = d->d_name[0] == '.' ? 0 : watched(server, d->d_name);

		if (n == 0)
			continue;
		loops++;
		ck_assert_msg(n + LOOPS >= FAIR && n <= FAIR + LOOPS, "a loop has %zu of %d connections", n, MANY);
	}
	ck_assert_uint_eq(loops, LOOPS);
	ck_assert_int_eq(closedir(descriptors), 0);
	for (size_t i = 0; i < MANY; i++)
		raw_close(raw[i]);
	server_stop(server);
	server_end(server);
}
END_TEST

int main(void)
{
	static const char *const one[] = { "--loops", "1", NULL };
	Suite *s = suite_create("connections");
	TCase *c = shared_case(s, "connections", NULL), *single = shared_case(s, "one loop", one);
	TCase *loops = suite_case(s, "several loops", NULL, NULL);

	tcase_add_test(c, long_chunked_body);
	tcase_add_test(c, announced_too_large);
	tcase_add_test(c, waits_for_100_continue);
	tcase_add_test(c, one_byte_at_a_time);
	tcase_add_test(c, pipelining);
	tcase_add_test(c, versions_and_connections);
	tcase_add_loop_test(c, hangs_up_in_the_middle, 0, 6);
	tcase_add_loop_test(c, end_in_the_same_packet, 0, 3);
	tcase_add_test(c, leaves_before_the_answer);
	tcase_add_test(c, half_close);
	tcase_add_loop_test(c, many_connections_at_once, 0, 3);
	tcase_add_test(c, half_open_in_number);
	tcase_add_loop_test(c, leaves_in_the_middle_of_a_list, 0, 3);
	tcase_add_test(single, pipelining);
	tcase_add_loop_test(single, many_connections_at_once, 0, 3);
	tcase_add_test(loops, waits_while_the_server_is_full);
	tcase_add_test(loops, loops_share_connections_evenly);
	return suite_main(s);
}
