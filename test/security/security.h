/* For guests that try what a security advisory's attack did. `denied = 1` at the end of a scenario: nothing was gained, by the guest's own checks. */
#ifndef SECURITY_H
#define SECURITY_H

#include "grants.h"

static inline void denied(int nothing_gained) { value("denied", nothing_gained != 0); }

/* The table of a level that maps an address, and the slot in it. */
static inline word table_of(const void *address, int level) { return entry_address(address, level) >> 12; }

#endif
