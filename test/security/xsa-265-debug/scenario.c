/*
 * int1, and single steps into int 3, int 4 and a hypercall: debug exceptions that come where Xen did not expect them.
 *
 * Advisory: XSA-265
 * Expected: the guest gets its own exceptions, and Xen goes on.
 */
#include "../security.h"

SCENARIO("xsa-265-debug")
{
	user_mode();
	TRY("int1", ".byte 0xf1");
	value("vector", last_trap.vector);
	TRY("int3", "int3");
	value("vector", last_trap.vector);
	USER_TRY("int1 of user mode", ".byte 0xf1");
	value("vector", last_trap.vector);
	USER_TRY_FLAGS("a single step of user mode", "nop", 0x302);
	value("vector", last_trap.vector);
	USER_TRY_FLAGS("a single step over int3", "int3", 0x302);
	denied(last_trap.vector >= 0);
}
