#include "api/traffic.h"

#include "base/compiler.h"

const unsigned traffic_codes[] = {
	200, 201, 204, 304, 400, 404, 405, 406, 409, 410, 412, 413, 414, 415, 417, 422, 428, 431, 500, 501, 503, 505, 507, 0,
};
const size_t traffic_code_count = COUNT(traffic_codes);
_Static_assert(COUNT(traffic_codes) <= TRAFFIC_CODES_MAX, "a place for every code");

void traffic_request(struct traffic_loop *t, size_t route, unsigned status, int64_t took_ns)
{
	size_t code = 0;

	while (code < traffic_code_count - 1 && traffic_codes[code] != status)
		code++;
	traffic_count(&t->requests[route][code]);
	histogram_add(&t->seconds[route], took_ns);
}
