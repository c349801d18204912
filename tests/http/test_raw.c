/* Bytes that no client library would send: framing, targets and heads after RFC 9112, each on a connection of its own.
 *
 * The rows of <open> are known and harmless: they cannot make two requests out of one.  They are pinned so that another
 * version of the HTTP library shows itself. */
#include <check.h>
#include <string.h>
#include <strings.h>

#include "support/expect.h"
#include "support/raw.h"
#include "support/shared.h"
#include "support/suite.h"
#include "support/text.h"

#define B(s) s, sizeof(s) - 1
#define H "Host: localhost\r\n"
#define GET "GET /containers/raw HTTP/1.1\r\n" H
#define POST "POST /containers?dryRun=true HTTP/1.1\r\n" H "Content-Type: application/json\r\n"

/* A second request behind the bad one, on the same connection: it must never be answered. */
#define NEXT "GET /livez HTTP/1.1\r\n" H "\r\n"

/* Refused with this status, and the connection closed: what follows on it cannot be trusted. */
static const struct refused {
	const char *name, *bytes;
	size_t len;
	int status;
} refused[] = {
	{ "length and coding",
		B(POST "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n" NEXT), 400 },
	{ "coding and length",
		B(POST "Transfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n2\r\n{}\r\n0\r\n\r\n" NEXT), 400 },
	{ "two lengths", B(POST "Content-Length: 2\r\nContent-Length: 3\r\n\r\n{} " NEXT), 400 },
	{ "two equal lengths", B(POST "Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}" NEXT), 400 },
	{ "two codings",
		B(POST "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n" NEXT),
		400 },
	{ "Host with a path", B("GET /containers/raw HTTP/1.1\r\nHost: localhost/x\r\n\r\n" NEXT), 400 },
	{ "Host with a user", B("GET /containers/raw HTTP/1.1\r\nHost: me@localhost\r\n\r\n" NEXT), 400 },
	{ "two hosts", B("GET /containers/raw HTTP/1.1\r\n" H "Host: other\r\n\r\n" NEXT), 400 },
	{ "two equal hosts", B(GET H "\r\n" NEXT), 400 },
	{ "no host", B("GET /containers/raw HTTP/1.1\r\n\r\n" NEXT), 400 },
	{ "coding gzip, chunked", B(POST "Transfer-Encoding: gzip, chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n" NEXT), 400 },
	{ "coding xchunked", B(POST "Transfer-Encoding: xchunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n" NEXT), 400 },
	{ "coding chunked, identity", B(POST "Transfer-Encoding: chunked, identity\r\n\r\n2\r\n{}\r\n0\r\n\r\n" NEXT),
		400 },
	{ "coding with a control byte", B(POST "Transfer-Encoding: \x0b" "chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n" NEXT),
		400 },
	{ "coding in HTTP/1.0",
		B("POST /containers?dryRun=true HTTP/1.0\r\n" H "Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n"
			"0\r\n\r\n" NEXT), 400 },
	{ "folded line", B(GET "X-A: b\r\n c\r\n\r\n" NEXT), 400 },
	{ "length in a folded line", B(POST "Content-L:          2\r\n ength\r\n\r\n{}" NEXT), 400 },
	{ "bare LF after the request line", B("GET /containers/raw HTTP/1.1\n" H "\r\n" NEXT), 400 },
	{ "bare LF between headers", B(GET "X-A: b\nX-B: c\r\n\r\n" NEXT), 400 },
	{ "bare LF throughout", B("GET /containers/raw HTTP/1.1\nHost: localhost\n\n" NEXT), 400 },
	{ "NUL in a value", B(GET "X-A: b\0c\r\n\r\n" NEXT), 400 },
	{ "NUL in the target", B("GET /containers/raw\0x HTTP/1.1\r\n" H "\r\n" NEXT), 400 },
	{ "control byte in a value", B(GET "X-A: b\x01" "c\r\n\r\n" NEXT), 400 },
	{ "empty header name", B(GET ": v\r\n\r\n" NEXT), 400 },
	{ "header name with a slash", B(GET "X/A: v\r\n\r\n" NEXT), 400 },
	{ "blank in the target", B("GET /containers/r aw HTTP/1.1\r\n" H "\r\n" NEXT), 400 },
	{ "two blanks before the version", B("GET /containers/raw  HTTP/1.1\r\n" H "\r\n" NEXT), 400 },
	{ "two blanks after the method", B("GET  /containers/raw HTTP/1.1\r\n" H "\r\n" NEXT), 400 },
	{ "control byte in the target", B("GET /containers/r\x01w HTTP/1.1\r\n" H "\r\n" NEXT), 400 },
	{ "byte beyond ASCII in the target", B("GET /containers/r\xe4w HTTP/1.1\r\n" H "\r\n" NEXT), 400 },
	{ "fragment in the target", B("GET /containers/raw#x HTTP/1.1\r\n" H "\r\n" NEXT), 400 },
	{ "target without a slash", B("GET containers/raw HTTP/1.1\r\n" H "\r\n" NEXT), 400 },
	{ "asterisk for GET", B("GET * HTTP/1.1\r\n" H "\r\n" NEXT), 400 },
	{ "%00", B("GET /containers/a%00b HTTP/1.1\r\n" H "\r\n" NEXT), 400 },
	{ "%zz", B("GET /containers/a%zzb HTTP/1.1\r\n" H "\r\n" NEXT), 400 },
	{ "% at the end", B("GET /containers/a% HTTP/1.1\r\n" H "\r\n" NEXT), 400 },
	{ "%2F", B("GET /containers/a%2Fstatus HTTP/1.1\r\n" H "\r\n" NEXT), 400 },
	{ "%2f", B("GET /containers/..%2f..%2fVERSION HTTP/1.1\r\n" H "\r\n" NEXT), 400 },
	{ "%5C", B("GET /containers/a%5Cb HTTP/1.1\r\n" H "\r\n" NEXT), 400 },
	{ "..", B("GET /containers/.. HTTP/1.1\r\n" H "\r\n" NEXT), 400 },
	{ ".. for a write",
		B("PUT /containers/.. HTTP/1.1\r\n" H "Content-Type: application/json\r\nContent-Length: 2\r\n"
			"\r\n{}" NEXT), 400 },
	{ ".. to remove", B("DELETE /containers/..?force=true HTTP/1.1\r\n" H "\r\n" NEXT), 400 },
	{ ".. in disguise", B("GET /containers/%2e%2E/status HTTP/1.1\r\n" H "\r\n" NEXT), 400 },
	{ ".", B("GET /containers/. HTTP/1.1\r\n" H "\r\n" NEXT), 400 },
	{ ".. at the front", B("GET /../containers HTTP/1.1\r\n" H "\r\n" NEXT), 400 },
	{ "HTTP/1.2", B("GET /containers/raw HTTP/1.2\r\n" H "\r\n" NEXT), 505 },
};

/* What the library refuses by itself, in its own words: a status and the end of the connection is all that is asked. */
static const struct refused by_the_library[] = {
	{ "no colon", B(GET "X-A\r\n\r\n" NEXT), 400 },
	{ "blank before the colon", B(GET "X-A : v\r\n\r\n" NEXT), 400 },
	{ "length, blank, colon", B(POST "Content-Length : 2\r\n\r\n{}" NEXT), 400 },
	{ "blank before the first header", B("GET /containers/raw HTTP/1.1\r\n X-A: b\r\n" H "\r\n" NEXT), 400 },
	{ "length +7", B(POST "Content-Length: +2\r\n\r\n{}" NEXT), 400 },
	{ "length -1", B(POST "Content-Length: -1\r\n\r\n{}" NEXT), 400 },
	{ "length 2,2", B(POST "Content-Length: 2,2\r\n\r\n{}" NEXT), 400 },
	{ "length 2abc", B(POST "Content-Length: 2abc\r\n\r\n{}" NEXT), 400 },
	{ "length 0x02", B(POST "Content-Length: 0x02\r\n\r\n{}" NEXT), 400 },
	{ "length 1 5", B(POST "Content-Length: 1 5\r\n\r\n{}" NEXT), 400 },
	{ "length empty", B(POST "Content-Length: \r\n\r\n{}" NEXT), 400 },
	{ "length beyond 2^63", B(POST "Content-Length: 99999999999999999999\r\n\r\n{}" NEXT), 413 },
	{ "chunk size not hexadecimal", B(POST "Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n"), 400 },
	{ "chunk size 0x02", B(POST "Transfer-Encoding: chunked\r\n\r\n0x02\r\n{}\r\n0\r\n\r\n"), 400 },
	{ "chunk size -1", B(POST "Transfer-Encoding: chunked\r\n\r\n-1\r\n{}\r\n0\r\n\r\n"), 400 },
	{ "chunk longer than it says", B(POST "Transfer-Encoding: chunked\r\n\r\n1\r\n{}\r\n0\r\n\r\n"), 400 },
	{ "chunk size of 17 digits", B(POST "Transfer-Encoding: chunked\r\n\r\n10000000000000002\r\n{}\r\n0\r\n\r\n"),
		413 },
	{ "header name that is no token", B(GET "X A: v\r\n\r\n" NEXT), 400 },
	{ "HTTP/2.0", B("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), 505 },
	{ "HTTP/3.7", B("GET /containers/raw HTTP/3.7\r\n" H "\r\n" NEXT), 505 },
	{ "http/1.1", B("GET /containers/raw http/1.1\r\n" H "\r\n" NEXT), 400 },
	{ "noise", B("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n"), 400 },
	{ "HTTP/0.9", B("GET /containers/raw\r\n\r\n"), 400 },
};

/* Read without refusal, known, and without a second meaning; and what is right but refused, since in the library's sums it
 * looks like a bare LF. */
static const struct refused open_rows[] = {
	{ "bare LF in a chunk line", B(POST "Transfer-Encoding: chunked\r\n\r\n2\n{}\r\n0\r\n\r\n"), 201 },
	{ "empty lines before the request", B("\r\n\r\n" GET "\r\n"), 200 },
	{ "chunk extension", B(POST "Transfer-Encoding: chunked\r\n\r\n2;a=b\r\n{}\r\n0\r\n\r\n"), 201 },
	{ "no blank after the colon", B(GET "X-A:b\r\n\r\n"), 400 },
	{ "trailers", B(POST "Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\nX-T: v\r\n\r\n"), 201 },
};

static const char *address(void)
{
	return server_address(shared_server(), 0);
}

static void make_raw(void)
{
	if (http_get(shared_http(), "/containers/raw")->status != 200)
		(void)shared_create("raw", "");
}

static size_t answers_in(const char *bytes)
{
	size_t n = 0;

	for (; (bytes = strstr(bytes, "HTTP/1.1 ")); bytes++)
		n++;
	return n;
}

START_TEST(refused_and_closed)
{
	const struct refused *c = &refused[_i];
	struct raw *raw = raw_open(address());
	struct raw_reply r;
	char *rest;

	make_raw();
	ck_assert(raw_send(raw, c->bytes, c->len));
	r = raw_read(raw);
	ck_assert_msg(r.status == c->status, "%s: expected %d, got %d %s %s", c->name, c->status, r.status, r.head,
		r.body);
	ck_assert_msg(r.close, "%s: the answer does not say Connection: close", c->name);
	ck_assert_msg(strstr(r.head, "application/problem+json") && strstr(r.body, "\"type\":\"/problems/"),
		"%s: %s%s", c->name,
		      r.head, r.body);
	rest = raw_rest(raw);
	ck_assert_msg(rest, "%s: the connection stays open", c->name);
	ck_assert_msg(*rest == '\0', "%s: after the refusal came %s", c->name, rest);
	raw_close(raw);
	expect_status(http_get(shared_http(), "/containers/raw"), 200);
}
END_TEST

START_TEST(refused_by_the_library)
{
	const struct refused *c = &by_the_library[_i];
	struct raw *raw = raw_open(address());
	char *all;

	make_raw();
	ck_assert(raw_send(raw, c->bytes, c->len));
	all = raw_rest(raw);
	ck_assert_msg(all, "%s: the connection stays open", c->name);
	ck_assert_msg(*all == '\0' || !strncmp(all, text("HTTP/1.1 %d ", c->status), 13) ||
			      !strncmp(all, text("HTTP/1.0 %d ", c->status), 13), "%s: expected %d, got %s", c->name,
			          c->status, all);
	/* Its doubled status line (defect of 0.9.75) is one answer still: what matters is that NEXT got none. */
	ck_assert_msg(answers_in(all) <= 2 && !strstr(all, " 200 "), "%s: %s", c->name, all);
	raw_close(raw);
	expect_status(http_get(shared_http(), "/containers/raw"), 200);
}
END_TEST

START_TEST(known_and_harmless)
{
	const struct refused *c = &open_rows[_i];
	struct raw_reply r;
	bool closed;

	make_raw();
	r = raw_once(address(), c->bytes, c->len, &closed);
	ck_assert_msg(r.status == c->status, "%s: expected %d, got %d %s %s", c->name, c->status, r.status, r.head,
		r.body);
	if (strstr(c->bytes, "chunked"))
		ck_assert_msg(closed, "%s: the connection stays open after a chunked request", c->name);
}
END_TEST

START_TEST(chunked_closes)
{
	static const char *const bodies[] = {
		"2\r\n{}\r\n0\r\n\r\n", "1\r\n{\r\n1\r\n}\r\n0\r\n\r\n",
			"b\r\n{\"name\":\"x\"\r\n1\r\n}\r\n0\r\n\r\n",
	};
	struct raw *raw = raw_open(address());
	struct raw_reply r;

	ck_assert(raw_say(raw, text(POST "Transfer-Encoding: chunked\r\n\r\n%s" NEXT, bodies[_i])));
	r = raw_read(raw);
	ck_assert_int_eq(r.status, 201);
	ck_assert_msg(r.close, "%s", r.head);
	ck_assert(raw_closed(raw));
	raw_close(raw);
}
END_TEST

START_TEST(too_long_for_its_place)
{
	static const struct {
		const char *front;
		size_t filler;
		const char *back;
		int status;
	} cases[] = {
		{ "GET /", 8200, " HTTP/1.1\r\n" H "\r\n", 414 },
		{ "GET /", 200000, " HTTP/1.1\r\n" H "\r\n", 414 },
		{ GET "X-A: ", 17000, "\r\n\r\n", 431 },
		{ GET "X-A: ", 200000, "\r\n\r\n", 431 },
		{ GET, 200000, ": x\r\n\r\n", 431 },
	};
	const char *bytes = text("%s%s%s", cases[_i].front, text_repeat("x", cases[_i].filler), cases[_i].back);
	struct raw *raw = raw_open(address());
	struct raw_reply r;

	(void)raw_say(raw, bytes);
	r = raw_read(raw);
	/* Beyond the memory of a connection the library answers by itself, and may lose the rest of what was sent. */
	ck_assert_msg(r.status == cases[_i].status || (cases[_i].filler > 30000 &&
		(r.status == 0 || r.status == 431 || r.status == 414)),
		      "expected %d, got %d %s", cases[_i].status, r.status, r.head);
	raw_close(raw);
	expect_status(http_get(shared_http(), "/livez"), 200);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("raw");
	TCase *c = shared_case(s, "raw", NULL);

	tcase_add_loop_test(c, refused_and_closed, 0, COUNT(refused));
	tcase_add_loop_test(c, refused_by_the_library, 0, COUNT(by_the_library));
	tcase_add_loop_test(c, known_and_harmless, 0, COUNT(open_rows));
	tcase_add_loop_test(c, chunked_closes, 0, 3);
	tcase_add_loop_test(c, too_long_for_its_place, 0, 5);
	return suite_main(s);
}
