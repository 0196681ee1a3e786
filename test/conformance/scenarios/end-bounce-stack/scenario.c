/*
 * An exception while the stack pointer cannot hold a frame: Xen ends the domain.
 *
 * Read: the guest does not come to the line behind it.
 * Bits: 64
 */
#include "guest.h"

SCENARIO("end-bounce-stack")
{
	text("loads a stack pointer that is not canonical", "");
	ONLY64(TRY_WITH("push", "movq %%rax, %%rsp; popq %%rdx", NOT_CANONICAL, 0, 0);)
	text("still here", "");
}
