/*
 * Selectors beyond the limits of the guest's descriptor tables, in far calls and segment loads that Xen looks into.
 *
 * Advisory: XSA-298
 * Expected: #GP with the selector as its error code.
 */
#include "../security.h"

SCENARIO("xsa-298-descriptor-limits")
{
	user_mode();
	TRY_WITH("load a selector of an LDT that is not there", "movw %%ax, %%" DS, 0x0f, 0, 0);
	value("error code", last_trap.error);
	TRY_WITH("load one beyond it", "movw %%ax, %%" DS, 0xfff7, 0, 0);
	value("error code", last_trap.error);
	ONLY64(USER_TRY("far call of user mode through the LDT", "pushq $0x0f\n\tpushq $0\n\tlcall *4(%%rsp)"));
	ONLY32(USER_TRY("far call of user mode through the LDT", "lcall $0x0f, $0"));
	denied(last_trap.vector >= 0);
}
