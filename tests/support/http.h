/* http.h - a small client over libcurl, one keep-alive connection each.
 *
 * A handle belongs to one thread.  Replies belong to their handle: they live until http_forget or http_free. */
#ifndef SUPPORT_HTTP_H
#define SUPPORT_HTTP_H

#include <jansson.h>
#include <stddef.h>

struct http;

struct reply {
	int status;       /* 0 when no whole answer came; <error> says why */
	const char *error;
	char *request;    /* what was asked, shortened: for messages */
	char *head;       /* status line and headers of the final answer, as sent */
	char *body;       /* NUL after it; decoded when it came compressed */
	size_t len;
	json_t *json;     /* of a body whose type is some JSON, when it parses strictly; else NULL */
	long connections; /* how many were opened for this request: 0 when the old one served */
	struct reply *next;
};

/* <address> is what server_address gives: "127.0.0.1:PORT" or "unix:/path". */
struct http *http_new(const char *address);
void http_free(struct http *);
void http_forget(struct http *);

/*
 * Ask and wait for the answer.  <target> goes out as it is, byte for byte.  <headers> are lines "Name: value" between
 * newlines, or NULL; "Name:" keeps one of libcurl's own from being sent.  A body without a Content-Type of its own is
 * sent as application/json.  With an Accept-Encoding the body arrives decoded, its Content-Encoding still in the head.
 */
const struct reply *http_ask(struct http *, const char *method, const char *target, const char *headers,
			     const char *body);
const struct reply *http_send(struct http *, const char *method, const char *target, const char *headers,
			      const char *body, size_t len);
/* The same for GET without more. */
const struct reply *http_get(struct http *, const char *target);

/* A header's value, or NULL.  Names compare without case; of several the first counts. */
const char *reply_header(const struct reply *, const char *name);
/* How often a header occurs. */
size_t reply_header_count(const struct reply *, const char *name);
/* The number in an ETag or in a decimal string of a revision; 0 when there is none. */
unsigned long long reply_revision(const struct reply *);

/* The value at a JSON pointer (RFC 6901), or NULL. */
json_t *json_at(const json_t *, const char *pointer);
/* That value as text: strings as they are, all else as compact JSON, "(absent)" when there is none. */
const char *json_text(const json_t *, const char *pointer);

#endif
