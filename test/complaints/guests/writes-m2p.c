/*
 * Complaint 18: a store into the machine-to-physical table, which Xen maps read only.
 */
#include "complaint.h"

static void set(word *entry, word value) { *entry = value; }

static void run(void) { set(&((word *)M2P_ADDRESS)[mfn_of(start_info)], 5); }
