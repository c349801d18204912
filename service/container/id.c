#include "container/id.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>

static bool is_alphanumeric(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

bool id_is_valid(const char *id, size_t len)
{
	if (len == 0 || len > ID_MAX || !is_alphanumeric(id[0]))
		return false;
	for (size_t i = 1; i < len; i++)
		if (!is_alphanumeric(id[i]) && id[i] != '_' && id[i] != '.' && id[i] != '-')
			return false;
	return true;
}

int id_generate(char ret_id[static ID_GENERATED + 1])
{
	static const char hex[] = "0123456789abcdef";
	unsigned char bytes[ID_GENERATED / 2];

	/* At most 256 bytes are given whole or not at all (getrandom(2)). */
	if (getrandom(bytes, sizeof bytes, 0) != (ssize_t)sizeof bytes)
		return -EIO;
	for (size_t i = 0; i < sizeof bytes; i++) {
		ret_id[2 * i] = hex[bytes[i] >> 4];
		ret_id[2 * i + 1] = hex[bytes[i] & 15];
	}
	ret_id[ID_GENERATED] = '\0';
	return 0;
}

uint64_t id_hash(const char *id)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325);

	for (; *id; id++)
		hash = (hash ^ (unsigned char)*id) * UINT64_C(0x100000001b3);
	return hash;
}
