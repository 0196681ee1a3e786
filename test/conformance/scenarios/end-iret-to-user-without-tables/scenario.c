/*
 * iret to user mode before MMUEXT_NEW_USER_BASEPTR named page tables for it: Xen ends the domain.
 *
 * Read: the guest does not come to the line behind it.
 * Bits: 64
 */
#include "guest.h"

SCENARIO("end-iret-to-user-without-tables")
{
	text("returns to user mode", "");
	USER_TRY("nop", "nop");
	text("still here", "");
}
