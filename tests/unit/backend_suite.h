/* backend_suite.h - what every backend has to do, whatever it stands on. */
#ifndef UNIT_BACKEND_SUITE_H
#define UNIT_BACKEND_SUITE_H

#include "store_kit.h"

/* Add the vectors of storage (U, F) and of the store (A, X) for this kind of backend. */
void backend_suite_add(Suite *, const struct kit *);

#endif
