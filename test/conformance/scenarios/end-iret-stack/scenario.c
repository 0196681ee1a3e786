/*
 * The iret hypercall with a stack that cannot be read: Xen ends the domain.
 *
 * Read: the guest does not come to the line behind it.
 * Bits: 64
 */
#include "guest.h"

SCENARIO("end-iret-stack")
{
	text("iret with rsp 0x1000", "");
	TRY("iret", "movl $0x1000, %%esp; movl $23, %%eax; syscall");
	text("still here", "");
}
