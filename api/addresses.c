#include "api/addresses.h"

#include <netinet/in.h>
#include <string.h>

#include "base/lock.h"

enum { BUCKETS = 1024 };

struct holder {
	struct holder *next;
	uint8_t bytes[16];
	unsigned count;
};

struct addresses {
	unsigned limit;
	struct mutex mutex;
	struct holder *bucket[BUCKETS]; /* owned; under the mutex */
};

struct address_key address_key_of(const struct sockaddr *a, socklen_t len)
{
	const struct sockaddr_in *v4 = (const void *)a;
	const struct sockaddr_in6 *v6 = (const void *)a;
	struct address_key key = { 0 };

	if (a && a->sa_family == AF_INET && len >= (socklen_t)sizeof *v4) {
		memcpy(key.bytes + 12, &v4->sin_addr, 4);
		key.bytes[10] = key.bytes[11] = 0xff; /* the same address, mapped into IPv6 */
		key.is_counted = key.bytes[12] != 127;
	} else if (a && a->sa_family == AF_INET6 && len >= (socklen_t)sizeof *v6) {
		memcpy(key.bytes, &v6->sin6_addr, 16);
		key.is_counted = !IN6_IS_ADDR_LOOPBACK(&v6->sin6_addr) &&
				 !(IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr) && key.bytes[12] == 127);
	}
	return key;
}

struct addresses *addresses_new(unsigned limit)
{
	struct addresses *a = calloc(1, sizeof *a);

	if (!a)
		return NULL;
	a->limit = limit;
	mutex_init(&a->mutex, RANK_WALKS);
	return a;
}

void addresses_free(struct addresses *a)
{
	if (!a)
		return;
	for (size_t i = 0; i < BUCKETS; i++)
		while (a->bucket[i]) {
			struct holder *h = a->bucket[i];

			a->bucket[i] = h->next;
			free(h);
		}
	mutex_done(&a->mutex);
	free(a);
}

/* The link that leads to the address, or the end of its chain. */
static struct holder **find(struct addresses *a, const struct address_key *key)
{
	uint32_t hash = 2166136261u;
	struct holder **at;

	for (size_t i = 0; i < sizeof key->bytes; i++)
		hash = (hash ^ key->bytes[i]) * 16777619u;
	for (at = &a->bucket[hash % BUCKETS]; *at; at = &(*at)->next)
		if (!memcmp((*at)->bytes, key->bytes, sizeof key->bytes))
			break;
	return at;
}

bool addresses_may_enter(struct addresses *a, const struct address_key *key)
{
	struct holder *h;
	bool may;

	if (!a->limit || !key->is_counted)
		return true;
	mutex_lock(&a->mutex);
	h = *find(a, key);
	may = !h || h->count < a->limit;
	mutex_unlock(&a->mutex);
	return may;
}

bool addresses_enter(struct addresses *a, const struct address_key *key)
{
	struct holder **at;
	bool counted;

	if (!a->limit || !key->is_counted)
		return true;
	mutex_lock(&a->mutex);
	at = find(a, key);
	if (!*at) {
		*at = calloc(1, sizeof **at);
		if (*at)
			memcpy((*at)->bytes, key->bytes, sizeof key->bytes);
	}
	counted = *at;
	if (counted)
		(*at)->count++;
	mutex_unlock(&a->mutex);
	return counted;
}

void addresses_leave(struct addresses *a, const struct address_key *key)
{
	struct holder **at, *gone = NULL;

	if (!a->limit || !key->is_counted)
		return;
	mutex_lock(&a->mutex);
	at = find(a, key);
	if (*at && --(*at)->count == 0) {
		gone = *at;
		*at = gone->next;
	}
	mutex_unlock(&a->mutex);
	free(gone);
}
