#include "api/negotiate.h"

#include <string.h>
#include <strings.h>

/* One element of a comma-separated list: its first word and its q in thousandths. */
struct element {
	const char *word;
	size_t len;
	int q;
};

static const char *skip_blanks(const char *p)
{
	return p + strspn(p, " \t");
}

/* The weight among the parameters of an element that ends at <end> (RFC 9110 12.4.2); 1000 when there is none. */
static int read_q(const char *p, const char *end)
{
	while ((p = memchr(p, ';', (size_t)(end - p)))) {
		const char *name = skip_blanks(p + 1);
		int q = 0, unit = 100;

		p = name;
		if (end - name < 3 || (name[0] != 'q' && name[0] != 'Q') || name[1] != '=')
			continue;
		if (name[2] == '1')
			return 1000;
		for (name += 3; name < end && (*name == '.' || (*name >= '0' && *name <= '9')) && unit; name++)
			if (*name != '.') {
				q += (*name - '0') * unit;
				unit /= 10;
			}
		return q;
	}
	return 1000;
}

static bool next_element(const char **p, struct element *ret)
{
	const char *at = skip_blanks(*p), *end;

	while (*at == ',')
		at = skip_blanks(at + 1);
	if (*at == '\0')
		return false;
	end = at + strcspn(at, ",");
	ret->word = at;
	ret->len = strcspn(at, ",; \t");
	ret->q = read_q(at, end);
	*p = end;
	return true;
}

static size_t bare_length(const char *type)
{
	return strcspn(type, "; ");
}

/* How closely a range names a type: 3 exact, 2 "type/...", 1 any, 0 not at all. */
static int closeness(const struct element *e, const char *type)
{
	size_t slash = (size_t)(strchr(type, '/') - type) + 1;

	if (e->len == bare_length(type) && !strncasecmp(e->word, type, e->len))
		return 3;
	if (e->len == slash + 1 && e->word[slash] == '*' && !strncasecmp(e->word, type, slash))
		return 2;
	return e->len == 3 && !memcmp(e->word, "*/*", 3);
}

static int quality_of(const char *accept, const char *type)
{
	struct element e;
	int closest = 0, q = 0;

	while (next_element(&accept, &e)) {
		int close = closeness(&e, type);

		if (close > closest) {
			closest = close;
			q = e.q;
		}
	}
	return q;
}

unsigned negotiate_media(const char *accept, unsigned produces)
{
	unsigned best = 0;
	int most = 0;

	for (unsigned media = 1; media <= produces; media <<= 1) {
		int q;

		if (!(produces & media))
			continue;
		if (!accept)
			return media;
		q = quality_of(accept, media_type((enum media)media));
		if (q > most) {
			most = q;
			best = media;
		}
	}
	return best;
}

bool negotiate_gzip(const char *accept_encoding)
{
	struct element e;

	if (!accept_encoding)
		return false;
	while (next_element(&accept_encoding, &e))
		if (e.len == 4 && !strncasecmp(e.word, "gzip", 4))
			return e.q > 0;
	return false;
}

bool content_type_is(const char *content_type, const char *type)
{
	size_t len = strlen(type);

	content_type = skip_blanks(content_type);
	return !strncasecmp(content_type, type, len) && strchr("; \t", content_type[len]);
}

bool prefer_has(const char *prefer, const char *name, const char *value)
{
	size_t name_len = strlen(name), len = strlen(value);
	struct element e;

	if (!prefer)
		return false;
	while (next_element(&prefer, &e)) {
		const char *at = e.word + name_len;

		if (e.len <= name_len || strncasecmp(e.word, name, name_len) != 0 || *at != '=')
			continue;
		at += at[1] == '"' ? 2 : 1;
		return !strncasecmp(at, value, len) && strchr("\"; \t,", at[len]); /* the first one counts (RFC 7240 2) */
	}
	return false;
}
