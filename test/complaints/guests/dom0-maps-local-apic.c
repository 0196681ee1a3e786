/*
 * A dom0 kernel maps the registers of the local APIC, which are Xen's.
 */
#include "complaint.h"

static void run(void)
{
	map_page(fresh_page(), frame(0xfee00) | P | RW | PCD);
}
