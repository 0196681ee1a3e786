/*
 * Complaint 18: 'Page fault at linear address 28': a field of a structure through a null pointer.
 */
#include "complaint.h"

struct device { char name[0x28]; word ring; };

static NOINLINE word ring_of(const struct device *device) { return device->ring; }

static void run(void) { kept = ring_of((void *)0); }
