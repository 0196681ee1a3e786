/*
 * Complaints 4 and 6: a domU without devices maps registers of the chipset and of the local APIC.
 */
#include "complaint.h"

static void probe(word mfn, word flags) { map_page(fresh_page(), frame(mfn) | P | RW | flags); }

static void run(void)
{
	probe(0xfe000, 0);
	probe(0xfee00, 0);
	probe(0xfee00, PCD); /* as a driver asks for registers: not even the flags are allowed */
}
