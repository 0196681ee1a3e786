/*
 * User mode enters the kernel with the nested-task flag set, by which an iret of Xen's would fault.
 *
 * Advisory: XSA-339
 * Expected: the guest's user mode gets its own exception or runs on; Xen and the guest's kernel go on.
 */
#include "../security.h"

SCENARIO("xsa-339-sysenter")
{
	user_mode();
	USER_TRY_FLAGS("sysenter with the nested-task flag", "sysenter", 0x4202);
	value("the flag is gone in the kernel", !(last_trap.rflags & 0x4000) || last_trap.vector >= 0);
	USER_TRY_FLAGS("an exception with it", "ud2", 0x4202);
	value("vector", last_trap.vector);
	answer("Xen is still there", CALL(xen_version, XENVER_version, 0) >> 16 == 4 ? 0 : -1);
	denied(CALL(xen_version, XENVER_version, 0) > 0);
}
