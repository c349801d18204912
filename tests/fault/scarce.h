/* scarce.h - memory that runs out: by the linker (--wrap) under every allocation of the service, those it makes for the
 * JSON library included.  Starting a thread counts as one. */
#ifndef FAULT_SCARCE_H
#define FAULT_SCARCE_H

#include <stdbool.h>

/* The counts are common to this process and those forked afterwards. */
void scarce_begin(void);

/* From now on the <nth> allocation fails, and with <for_ever> all after it. */
void scarce_arm(int nth, bool for_ever);
void scarce_disarm(void);

/* Whether one has failed since the last arming. */
bool scarce_struck(void);

#endif
