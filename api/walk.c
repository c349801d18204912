#include "api/walk.h"

#include <nettle/base64.h>
#include <nettle/hmac.h>
#include <nettle/memops.h>
#include <string.h>

#include "base/lock.h"

#define WALK_LIFE_NS (WALK_SECONDS * NS_PER_S)

struct walk {
	struct listing *listing; /* owned reference; NULL = free place */
	uint64_t query;
	int64_t used_ns;
};

struct walks {
	const uint8_t *key;        /* borrowed */
	const struct clock *clock; /* borrowed */
	struct mutex mutex;
	struct walk at[WALKS_MAX];
	size_t items;
};
/* Under the mutex: items is the sum of the listings' counts. */

/* What a token says.  On another machine with the same containers at that revision it would mean the same. */
struct claim {
	uint64_t revision, query, shown;
};
enum { CLAIM_LEN = 24, TAG_LEN = 16, TOKEN_LEN = BASE64_ENCODE_RAW_LENGTH(CLAIM_LEN + TAG_LEN) };

struct walks *walks_new(const uint8_t *key, const struct clock *clock)
{
	struct walks *w = calloc(1, sizeof *w);

	if (!w)
		return NULL;
	w->key = key;
	w->clock = clock;
	mutex_init(&w->mutex, RANK_WALKS);
	return w;
}

void walks_free(struct walks *w)
{
	if (!w)
		return;
	for (size_t i = 0; i < WALKS_MAX; i++)
		listing_unref(w->at[i].listing);
	mutex_done(&w->mutex);
	free(w);
}

/* ---- tokens ---- */

static void put_u64(uint8_t *at, uint64_t n)
{
	for (int i = 0; i < 8; i++)
		at[i] = (uint8_t)(n >> (56 - 8 * i));
}

static uint64_t get_u64(const uint8_t *at)
{
	uint64_t n = 0;

	for (int i = 0; i < 8; i++)
		n = n << 8 | at[i];
	return n;
}

static void sign(const struct walks *w, const uint8_t *claim, uint8_t ret_tag[static TAG_LEN])
{
	struct hmac_sha256_ctx hmac;

	hmac_sha256_set_key(&hmac, 32, w->key);
	hmac_sha256_update(&hmac, CLAIM_LEN, claim);
	hmac_sha256_digest(&hmac, TAG_LEN, ret_tag);
}

static const char *token_write(const struct walks *w, const struct claim *c, struct arena *arena)
{
	uint8_t bytes[CLAIM_LEN + TAG_LEN];
	char text[BASE64_ENCODE_RAW_LENGTH(sizeof bytes)];
	size_t len = TOKEN_LEN;

	put_u64(bytes, c->revision);
	put_u64(bytes + 8, c->query);
	put_u64(bytes + 16, c->shown);
	sign(w, bytes, bytes + CLAIM_LEN);
	base64_encode_raw(text, sizeof bytes, bytes);
	while (len > 0 && text[len - 1] == '=')
		len--;
	for (size_t i = 0; i < len; i++) /* the alphabet that needs no escaping in a URI (RFC 4648 5) */
		text[i] = text[i] == '+' ? '-' : text[i] == '/' ? '_' : text[i];
	return arena_copy(arena, text, len);
}

static bool token_read(const struct walks *w, const char *token, struct claim *ret)
{
	uint8_t bytes[BASE64_DECODE_LENGTH(TOKEN_LEN)], tag[TAG_LEN];
	struct base64_decode_ctx decoder;
	char text[TOKEN_LEN];
	size_t len = strlen(token), done = sizeof bytes;

	if (len + 3 < TOKEN_LEN || len > TOKEN_LEN)
		return false;
	for (size_t i = 0; i < TOKEN_LEN; i++)
		text[i] = i >= len ? '=' : token[i] == '-' ? '+' : token[i] == '_' ? '/' : token[i];
	base64_decode_init(&decoder);
	if (!base64_decode_update(&decoder, &done, bytes, TOKEN_LEN, text) || !base64_decode_final(&decoder) ||
	    done != CLAIM_LEN + TAG_LEN)
		return false;
	sign(w, bytes, tag);
	if (!memeql_sec(tag, bytes + CLAIM_LEN, TAG_LEN))
		return false;
	*ret = (struct claim){ get_u64(bytes), get_u64(bytes + 8), get_u64(bytes + 16) };
	return true;
}

/* ---- the table ---- */

/* Empty a place; the listing is the caller's to drop, after the mutex. */
static struct listing *clear(struct walks *w, struct walk *walk)
{
	struct listing *old = take(walk->listing);

	if (old)
		w->items -= listing_count(old);
	return old;
}

static struct walk *oldest_of(struct walks *w)
{
	struct walk *oldest = &w->at[0];

	for (size_t i = 0; i < WALKS_MAX; i++) {
		if (!w->at[i].listing)
			return &w->at[i];
		if (w->at[i].used_ns < oldest->used_ns)
			oldest = &w->at[i];
	}
	return oldest;
}

static struct walk *find(struct walks *w, uint64_t revision, uint64_t query)
{
	for (size_t i = 0; i < WALKS_MAX; i++)
		if (w->at[i].listing && w->at[i].query == query && listing_revision(w->at[i].listing) == revision)
			return &w->at[i];
	return NULL;
}

/* Takes the reference.  What had to go to make room is returned in <dropped>. */
static size_t keep(struct walks *w, struct listing *takes, uint64_t query, int64_t now, struct listing *dropped[static WALKS_MAX + 1])
{
	struct walk *walk = find(w, listing_revision(takes), query);
	size_t n = 0;

	if (walk) {
		walk->used_ns = now;
		dropped[n++] = takes;
		return n;
	}
	walk = oldest_of(w);
	dropped[n++] = clear(w, walk);
	while (w->items > 0 && w->items + listing_count(takes) > WALK_ITEMS_MAX && n < WALKS_MAX) {
		struct walk *victim = &w->at[0];

		for (size_t i = 1; i < WALKS_MAX; i++)
			if (w->at[i].listing && (!victim->listing || w->at[i].used_ns < victim->used_ns))
				victim = &w->at[i];
		dropped[n++] = clear(w, victim);
	}
	*walk = (struct walk){ takes, query, now };
	w->items += listing_count(takes);
	return n;
}

void walks_expire(struct walks *w)
{
	struct listing *dropped[WALKS_MAX];
	int64_t now = clock_mono(w->clock);
	size_t n = 0;

	mutex_lock(&w->mutex);
	for (size_t i = 0; i < WALKS_MAX; i++)
		if (w->at[i].listing && now - w->at[i].used_ns > WALK_LIFE_NS)
			dropped[n++] = clear(w, &w->at[i]);
	mutex_unlock(&w->mutex);
	while (n > 0)
		listing_unref(dropped[--n]);
}

const char *walk_continue(struct walks *w, struct listing *l, uint64_t query, uint64_t shown, struct arena *arena)
{
	const struct claim claim = { listing_revision(l), query, shown };
	struct listing *dropped[WALKS_MAX + 1];
	int64_t now = clock_mono(w->clock);
	size_t n;

	mutex_lock(&w->mutex);
	n = keep(w, listing_ref(l), query, now, dropped);
	mutex_unlock(&w->mutex);
	while (n > 0)
		listing_unref(dropped[--n]);
	return token_write(w, &claim, arena);
}

enum walk_answer walk_find(struct walks *w, const char *token, uint64_t query, struct listing **ret, uint64_t *ret_shown)
{
	int64_t now = clock_mono(w->clock);
	struct listing *found = NULL;
	struct claim claim;
	struct walk *walk;

	if (!token_read(w, token, &claim))
		return WALK_E_FORGED;
	if (claim.query != query)
		return WALK_E_OTHER;
	mutex_lock(&w->mutex);
	walk = find(w, claim.revision, claim.query);
	if (walk && now - walk->used_ns <= WALK_LIFE_NS) {
		walk->used_ns = now;
		found = listing_ref(walk->listing);
	}
	mutex_unlock(&w->mutex);
	if (!found)
		return WALK_E_EXPIRED;
	*ret = found;
	*ret_shown = claim.shown;
	return WALK_FOUND;
}
