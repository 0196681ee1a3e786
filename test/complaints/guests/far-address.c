/*
 * Complaint 18: a fault at 0x100000000044, where no page table reaches.
 */
#include "complaint.h"

static NOINLINE int load(const int *from) { return *from; }

static void run(void) { kept = load((void *)0x100000000044UL); }
