#include "api/request.h"

#include <string.h>
#include <strings.h>

static const struct {
	enum method method;
	const char *name;
} methods[METHOD_COUNT] = {
	{ METHOD_GET, "GET" }, { METHOD_HEAD, "HEAD" }, { METHOD_POST, "POST" }, { METHOD_PUT, "PUT" },
	{ METHOD_PATCH, "PATCH" }, { METHOD_DELETE, "DELETE" }, { METHOD_OPTIONS, "OPTIONS" },
};

const char *method_name(enum method method)
{
	for (size_t i = 0; i < COUNT(methods); i++)
		if (methods[i].method == method)
			return methods[i].name;
	return NULL;
}

enum method method_parse(const char *name)
{
	for (size_t i = 0; i < COUNT(methods); i++)
		if (!strcmp(methods[i].name, name))
			return methods[i].method;
	return 0;
}

/* ---- header fields ---- */

enum repeats { ONE, LIST, FIRST };

static const struct {
	const char *name;
	size_t len;
	enum repeats repeats;
} headers[] = {
#define X(id_, name_, repeats_) [HEADER_##id_] = { name_, sizeof name_ - 1, repeats_ },
	REQUEST_HEADERS(X)
#undef X
};

static void take_header(struct request *q, size_t i, const char *value)
{
	const char *joined;

	if (!q->header[i]) {
		q->header[i] = value;
		return;
	}
	q->repeated[i] = true;
	if (headers[i].repeats != LIST)
		return;
	joined = arena_printf(&q->arena, "%s, %s", q->header[i], value);
	q->no_memory |= !joined; /* half a list would be another condition than the client's */
	if (joined)
		q->header[i] = joined;
}

/* Letters, digits, and these. */
static bool is_made_of(const char *text, const char *marks)
{
	while ((*text >= '0' && *text <= '9') || (*text >= 'A' && *text <= 'Z') || (*text >= 'a' && *text <= 'z') ||
	       (*text && strchr(marks, *text)))
		text++;
	return *text == '\0';
}

static bool is_token(const char *name)
{
	return *name && is_made_of(name, "!#$%&'*+-.^_`|~");
}

static bool has_controls(const char *value)
{
	for (; *value; value++)
		if (((unsigned char)*value < ' ' && *value != '\t') || *value == 0x7f)
			return true;
	return false;
}

void request_add_header(struct request *q, const char *name, const char *value)
{
	size_t len = strlen(name);

	q->odd_header |= !is_token(name) || has_controls(value);
	q->header_count++;
	q->header_bytes += len + strlen(value) + 4;
	for (size_t i = 0; i < COUNT(headers); i++)
		if (headers[i].len == len && !strcasecmp(headers[i].name, name)) {
			take_header(q, i, value);
			return;
		}
}

/* ---- framing ---- */

static bool is_number(const char *text)
{
	size_t digits = strspn(text, "0123456789");

	return digits > 0 && digits <= 18 && text[digits] == '\0';
}

/* The head is `method target version CRLF`, the fields, and CRLF.  What the library does not show (a folded line, text
 * behind a NUL, a line that ended in a bare LF) makes the sum come out differently. */
static bool head_adds_up(const struct request *q)
{
	size_t sum = strlen(q->method_text) + 1 + strlen(q->target) + 1 + strlen(q->version) + 2 + q->header_bytes + 2;

	return sum == q->head_bytes;
}

/* uri-host [":" port] (RFC 9112 3.2), or nothing: by its alphabet, which holds no "/", "@" or blank. */
static bool is_host(const char *host)
{
	return is_made_of(host, ".:-[]_~%!$&'()*+,;=");
}

const char *request_check_framing(const struct request *q)
{
	const char *length = q->header[HEADER_CONTENT_LENGTH], *coding = q->header[HEADER_TRANSFER_ENCODING];

	for (size_t i = 0; i < COUNT(headers); i++)
		if (headers[i].repeats == ONE && q->repeated[i])
			return i == HEADER_HOST ? "there are several Host fields" : "a field that may stand once was sent twice";
	if (q->odd_header)
		return "a header field has a name that is no token, or a control character in its value";
	if (length && coding)
		return "Content-Length and Transfer-Encoding exclude each other";
	if (length && !is_number(length))
		return "Content-Length must be a decimal number";
	if (coding && strcasecmp(coding, "chunked") != 0)
		return "the only Transfer-Encoding known is chunked";
	if (coding && strcmp(q->version, "HTTP/1.1") != 0)
		return "Transfer-Encoding needs HTTP/1.1";
	if (!q->header[HEADER_HOST] && !strcmp(q->version, "HTTP/1.1"))
		return "HTTP/1.1 needs a Host field";
	if (q->header[HEADER_HOST] && !is_host(q->header[HEADER_HOST]))
		return "Host must be a host name or address, and perhaps a port";
	if (!head_adds_up(q))
		return "the head has lines that are folded, end in a bare LF, hold a NUL, or are not written as \"Name: value\"";
	return NULL;
}

/* ---- the target ---- */

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* Decode %XX of <len> bytes into the arena; '+' is a blank in a query alone.  NULL and a reason when it is malformed. */
static const char *decode(struct request *q, const char *text, size_t len, bool is_query, const char **ret_why)
{
	char *out = arena_alloc(&q->arena, len + 1), *at = out;

	*ret_why = "out of memory";
	q->no_memory |= !out;
	if (!out)
		return NULL;
	for (size_t i = 0; i < len; i++) {
		int c = (unsigned char)text[i];

		if (c == '%') {
			int high = i + 2 < len ? hex_digit(text[i + 1]) : -1;
			int low = high >= 0 ? hex_digit(text[i + 2]) : -1;

			*ret_why = "a percent sign must be followed by two hexadecimal digits";
			if (low < 0)
				return NULL;
			c = high << 4 | low;
			i += 2;
			*ret_why = "%00, %2F and %5C are not taken in a path";
			if (c == 0 || (!is_query && (c == '/' || c == '\\')))
				return NULL;
		} else if (c == '+' && is_query) {
			c = ' ';
		}
		*at++ = (char)c;
	}
	*at = '\0';
	*ret_why = NULL;
	return out;
}

static const char *read_segments(struct request *q, const char *path)
{
	const char *why = NULL;

	q->segment_count = 0;
	if (!strcmp(path, "/"))
		return NULL;
	while (*path == '/') {
		size_t len = strcspn(path + 1, "/");
		const char *segment = decode(q, path + 1, len, false, &why);

		if (!segment)
			return why;
		if (!strcmp(segment, ".") || !strcmp(segment, ".."))
			return "a path must not contain . or .. as a segment";
		if (q->segment_count < SEGMENTS_MAX)
			q->segment[q->segment_count] = segment;
		if (q->segment_count <= SEGMENTS_MAX)
			q->segment_count++;
		path += 1 + len;
	}
	return NULL;
}

/* /v1/... is another name of /... */
static void drop_version(struct request *q)
{
	if (q->segment_count < 2 || q->segment_count > SEGMENTS_MAX || strcmp(q->segment[0], "v1") != 0)
		return;
	q->segment_count--;
	memmove(&q->segment[0], &q->segment[1], q->segment_count * sizeof(q->segment[0]));
}

static const char *read_query(struct request *q, const char *query)
{
	const char *why = NULL;

	while (*query) {
		size_t len = strcspn(query, "&"), name_len = strcspn(query, "=&");
		bool has_value = name_len < len;
		struct parameter p;

		if (len > 0) {
			if (q->parameter_count == PARAMETERS_MAX)
				return "there are more than 32 query parameters";
			p.name = decode(q, query, name_len, true, &why);
			if (!p.name)
				return why;
			p.value = has_value ? decode(q, query + name_len + 1, len - name_len - 1, true, &why) : "";
			if (!p.value)
				return why;
			q->parameter[q->parameter_count++] = p;
		}
		query += len + (query[len] == '&');
	}
	return NULL;
}

/* `http://authority/path`: the authority stands for Host (RFC 9112 3.2.2). */
static const char *skip_authority(const char *target)
{
	const char *authority;

	if (strncasecmp(target, "http://", 7) != 0 && strncasecmp(target, "https://", 8) != 0)
		return target;
	authority = strstr(target, "://") + 3;
	return authority + strcspn(authority, "/?");
}

static bool has_forbidden_bytes(const char *target)
{
	for (; *target; target++)
		if ((unsigned char)*target <= ' ' || *target == '#' || (unsigned char)*target >= 0x7f)
			return true;
	return false;
}

const char *request_read_target(struct request *q)
{
	const char *path = skip_authority(q->target), *why;
	size_t len = strcspn(path, "?");

	q->path = "";
	if (has_forbidden_bytes(q->target))
		return "the target must be visible ASCII without #; percent-encode the rest";
	if (!strcmp(q->target, "*")) {
		q->is_asterisk = true;
		return q->method == METHOD_OPTIONS ? NULL : "the target * is for OPTIONS alone";
	}
	if (path[0] != '/' && path == q->target)
		return "the target must begin with /";
	q->path = len ? arena_copy(&q->arena, path, len) : "/";
	q->no_memory |= !q->path;
	if (!q->path)
		return "out of memory";
	why = read_segments(q, q->path);
	if (why)
		return why;
	drop_version(q);
	return path[len] == '?' ? read_query(q, path + len + 1) : NULL;
}

const char *request_parameter(const struct request *q, const char *name)
{
	for (size_t i = 0; i < q->parameter_count; i++)
		if (!strcmp(q->parameter[i].name, name))
			return q->parameter[i].value;
	return NULL;
}

/* ---- who asks ---- */

static bool is_visible(const char *text, size_t cap)
{
	size_t len = 0;

	for (; text[len]; len++)
		if (len == cap || text[len] <= ' ' || text[len] >= 0x7f)
			return false;
	return len > 0;
}

/* version-trace-parent-flags in lower-case hex (W3C Trace Context 3.2). */
static bool is_traceparent(const char *text)
{
	static const char shape[] = "xx-xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx-xxxxxxxxxxxxxxxx-xx";

	if (strlen(text) != sizeof shape - 1)
		return false;
	for (size_t i = 0; shape[i]; i++)
		if (shape[i] == '-' ? text[i] != '-' : !strchr("0123456789abcdef", text[i]))
			return false;
	return true;
}

void request_take_id(struct request *q, const char *made)
{
	const char *sent = q->header[HEADER_REQUEST_ID], *trace = q->header[HEADER_TRACEPARENT];
	const char *id = sent && is_visible(sent, CAP_REQUEST_ID) ? sent : made;

	memcpy(q->id, id, strlen(id) + 1);
	q->traced = trace && is_traceparent(trace);
}
