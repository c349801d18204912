#include "support/http.h"

#include <curl/curl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "support/suite.h"
#include "support/text.h"

struct http {
	CURL *curl;
	char *url;
	char *unix_path; /* NULL over TCP */
	struct reply *replies;
};

struct sink {
	FILE *head, *body;
	char *head_bytes, *body_bytes;
	size_t head_len, body_len;
};

struct http *http_new(const char *address)
{
	struct http *h = calloc(1, sizeof *h);

	if (!h || !(h->curl = curl_easy_init()))
		abort();
	if (!strncmp(address, "unix:", 5)) {
		h->url = text("http://localhost/");
		h->unix_path = text("%s", address + 5);
	} else {
		h->url = text("http://%s/", address);
	}
	return h;
}

void http_forget(struct http *h)
{
	while (h->replies) {
		struct reply *r = h->replies;

		h->replies = r->next;
		json_decref(r->json);
		free(r->head);
		free(r->body);
		free(r->request);
		free(r);
	}
}

void http_free(struct http *h)
{
	if (!h)
		return;
	http_forget(h);
	curl_easy_cleanup(h->curl);
	free(h);
}

static size_t take_head(char *data, size_t size, size_t n, void *arg)
{
	struct sink *s = arg;

	/* An interim answer (100) comes before the final one: keep the last head alone. */
	if (n * size > 5 && !memcmp(data, "HTTP/", 5))
		rewind(s->head);
	return fwrite(data, size, n, s->head);
}

static size_t take_body(char *data, size_t size, size_t n, void *arg)
{
	struct sink *s = arg;

	return fwrite(data, size, n, s->body);
}

/* The lines of <headers> as a list; sets *ret_has_type, and *ret_encoding to the value of an Accept-Encoding. */
static struct curl_slist *header_list(const char *headers, bool *ret_has_type, const char **ret_encoding)
{
	struct curl_slist *list = NULL;
	bool has_expect = false;

	*ret_has_type = false;
	*ret_encoding = NULL;
	for (const char *p = headers; p && *p;) {
		size_t len = strcspn(p, "\n");
		char *line = text_copy(p, len);

		p += len + (p[len] == '\n');
		if (!strncasecmp(line, "Accept-Encoding: ", 17)) {
			*ret_encoding = line + 17;
			continue;
		}
		*ret_has_type |= !strncasecmp(line, "Content-Type:", 13);
		has_expect |= !strncasecmp(line, "Expect:", 7);
		list = curl_slist_append(list, line);
	}
	if (!has_expect)
		list = curl_slist_append(list, "Expect:");
	return list;
}

static void set_options(struct http *h, const char *method, const char *target, const char *body, size_t len,
			struct sink *s)
{
	CURL *c = h->curl;

	curl_easy_reset(c);
	(void)curl_easy_setopt(c, CURLOPT_URL, h->url);
	(void)curl_easy_setopt(c, CURLOPT_REQUEST_TARGET, target);
	(void)curl_easy_setopt(c, CURLOPT_UNIX_SOCKET_PATH, h->unix_path);
	(void)curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
	(void)curl_easy_setopt(c, CURLOPT_NOPROXY, "*");
	(void)curl_easy_setopt(c, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	(void)curl_easy_setopt(c, CURLOPT_TIMEOUT, (long)SUITE_WAIT_SECONDS);
	(void)curl_easy_setopt(c, CURLOPT_HEADERFUNCTION, take_head);
	(void)curl_easy_setopt(c, CURLOPT_HEADERDATA, s);
	(void)curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, take_body);
	(void)curl_easy_setopt(c, CURLOPT_WRITEDATA, s);
	if (body) {
		(void)curl_easy_setopt(c, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)len);
		(void)curl_easy_setopt(c, CURLOPT_POSTFIELDS, body);
	}
	if (!strcmp(method, "HEAD"))
		(void)curl_easy_setopt(c, CURLOPT_NOBODY, 1L);
	else
		(void)curl_easy_setopt(c, CURLOPT_CUSTOMREQUEST, method);
}

static struct reply *make_reply(struct http *h, struct sink *s)
{
	struct reply *r = calloc(1, sizeof *r);
	const char *type;

	if (!r || fclose(s->head) != 0 || fclose(s->body) != 0)
		abort();
	/* After rewind the stream may be longer than what was written last: the blank line ends it. */
	r->head = s->head_bytes;
	r->body = s->body_bytes;
	r->len = s->body_len;
	r->next = h->replies;
	h->replies = r;
	type = reply_header(r, "Content-Type");
	if (type && strstr(type, "json") && !strstr(type, "ndjson"))
		r->json = json_loadb(r->body, r->len, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, NULL);
	return r;
}

static char *describe(const char *method, const char *target, const char *headers, const char *body, size_t len)
{
	char *shown = NULL;

	if (asprintf(&shown, "%s %.300s%s%s%s%s%s", method, target, headers ? " [" : "",
		     headers ? text_show(headers, strlen(headers), 200) : "", headers ? "]" : "", body ? " " : "",
		     body ? text_show(body, len, 200) : "") < 0)
		abort();
	return shown;
}

const struct reply *http_send(struct http *h, const char *method, const char *target, const char *headers,
			      const char *body, size_t len)
{
	struct sink s = { 0 };
	bool has_type;
	const char *encoding;
	struct curl_slist *list = header_list(headers, &has_type, &encoding);
	struct reply *r;
	CURLcode code;
	long status = 0, connections = 0;

	s.head = open_memstream(&s.head_bytes, &s.head_len);
	s.body = open_memstream(&s.body_bytes, &s.body_len);
	if (!s.head || !s.body)
		abort();
	if (body && !has_type)
		list = curl_slist_append(list, "Content-Type: application/json");
	set_options(h, method, target, body, len, &s);
	(void)curl_easy_setopt(h->curl, CURLOPT_HTTPHEADER, list);
	if (encoding)
		(void)curl_easy_setopt(h->curl, CURLOPT_ACCEPT_ENCODING, encoding);
	code = curl_easy_perform(h->curl);
	(void)curl_easy_getinfo(h->curl, CURLINFO_RESPONSE_CODE, &status);
	(void)curl_easy_getinfo(h->curl, CURLINFO_NUM_CONNECTS, &connections);
	r = make_reply(h, &s);
	r->status = code == CURLE_OK ? (int)status : 0;
	r->error = code == CURLE_OK ? NULL : curl_easy_strerror(code);
	r->connections = connections;
	r->request = describe(method, target, headers, body, len);
	curl_slist_free_all(list);
	return r;
}

const struct reply *http_ask(struct http *h, const char *method, const char *target, const char *headers,
			     const char *body)
{
	return http_send(h, method, target, headers, body, body ? strlen(body) : 0);
}

const struct reply *http_get(struct http *h, const char *target)
{
	return http_ask(h, "GET", target, NULL, NULL);
}

/* The next header line called <name> from <line> on, its value given in *ret_value; NULL at the end of the head. */
static const char *find_header(const char *line, const char *name, const char **ret_value)
{
	size_t len = strlen(name);

	for (; line && *line && *line != '\r'; line = strchr(line, '\n'), line = line ? line + 1 : NULL) {
		if (strncasecmp(line, name, len) != 0 || line[len] != ':')
			continue;
		*ret_value = line + len + 1 + strspn(line + len + 1, " \t");
		return strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL;
	}
	*ret_value = NULL;
	return NULL;
}

const char *reply_header(const struct reply *r, const char *name)
{
	const char *value;

	(void)find_header(r->head, name, &value);
	return value ? text_copy(value, strcspn(value, "\r\n")) : NULL;
}

size_t reply_header_count(const struct reply *r, const char *name)
{
	const char *line = r->head, *value;
	size_t n = 0;

	do {
		line = find_header(line, name, &value);
		n += value != NULL;
	} while (value && line);
	return n;
}

unsigned long long reply_revision(const struct reply *r)
{
	const char *tag = reply_header(r, "ETag");

	return tag && *tag == '"' ? strtoull(tag + 1, NULL, 10) : 0;
}

/* One reference token, ~1 and ~0 undone. */
static char *token_of(const char *at, size_t len)
{
	char *token = text_copy(at, len), *to = token;

	for (const char *p = token; *p; p++) {
		if (*p == '~' && (p[1] == '0' || p[1] == '1'))
			*to++ = *++p == '0' ? '~' : '/';
		else
			*to++ = *p;
	}
	*to = '\0';
	return token;
}

json_t *json_at(const json_t *j, const char *pointer)
{
	const json_t *at = j;

	while (at && *pointer == '/') {
		size_t len = strcspn(++pointer, "/");
		const char *token = token_of(pointer, len);

		if (json_is_array(at))
			at = json_array_get(at, strtoul(token, NULL, 10));
		else
			at = json_object_get(at, token);
		pointer += len;
	}
	return (json_t *)(uintptr_t)at;
}

const char *json_text(const json_t *j, const char *pointer)
{
	json_t *at = json_at(j, pointer);
	char *dump, *kept;

	if (!at)
		return "(absent)";
	if (json_is_string(at))
		return text("%s", json_string_value(at));
	dump = json_dumps(at, JSON_COMPACT | JSON_ENCODE_ANY);
	kept = text("%s", dump ? dump : "(undumpable)");
	free(dump);
	return kept;
}
