/*
 * int 0x80 from the guest's kernel and user mode, without a handler for it and with one.
 *
 * Advisory: XSA-259
 * Expected: #GP with the error code of the vector where there is no handler; Xen goes on.
 */
#include "../security.h"

SCENARIO("xsa-259-int80")
{
	user_mode();
	TRY("int 0x80 of the kernel", "int $0x80");
	value("error code", last_trap.error);
	USER_TRY("int 0x80 of user mode", "int $0x80");
	value("error code", last_trap.error);
	denied(last_trap.vector == 13);
}
