/*
 * A dom0 kernel looks for the RSDP at its physical address, as on the bare machine: nothing is mapped there.
 */
#include "complaint.h"

static void run(void)
{
	for (const char *at = (void *)0xf0000UL; at < (char *)0x100000UL; at += 16)
		kept = *(const volatile word *)at;
}
