/* The same vectors on every kind of backend. */
#include "backend_suite.h"

int main(void)
{
	Suite *s = suite_create("backends");

	backend_suite_add(s, &kit_memory);
	backend_suite_add(s, &kit_disk);
	return unit_main(s);
}
