/*
 * Debug registers: set_debugreg, get_debugreg and the instructions.
 *
 * Read: -EINVAL for bits Xen keeps and for watches on I/O or Xen's addresses (-EPERM), -ENODEV for registers that do not exist.
 */
#include "guest.h"

SCENARIO("register-debug")
{
	static volatile word watched;

	answer("get 0", CALL(get_debugreg, 0));
	answer("get 6", CALL(get_debugreg, 6));
	answer("get 7", CALL(get_debugreg, 7));
	answer("get 4", CALL(get_debugreg, 4));
	answer("get 5", CALL(get_debugreg, 5));
	answer("get 8", CALL(get_debugreg, 8));
	answer("get -1", CALL(get_debugreg, -1));
	answer("set 0 to an address of the kernel", CALL(set_debugreg, 0, &watched));
	value("  get 0 is it", CALL(get_debugreg, 0) == (long)(word)&watched);
	answer("set 1 to an address of Xen", CALL(set_debugreg, 1, XEN_ADDRESS));
	ONLY64(answer("set 1 to an address that is not canonical", CALL(set_debugreg, 1, NOT_CANONICAL));)
	answer("set 2 to 0x1000", CALL(set_debugreg, 2, 0x1000));
	answer("set 4", CALL(set_debugreg, 4, 0));
	answer("set 5", CALL(set_debugreg, 5, 0));
	answer("set 6 to 0", CALL(set_debugreg, 6, 0));
	answer("  get 6", CALL(get_debugreg, 6));
	answer("set 6 to 0xf", CALL(set_debugreg, 6, 0xf));
	answer("  get 6", CALL(get_debugreg, 6));
	answer("set 6 to all ones", CALL(set_debugreg, 6, -1UL));
	answer("set 6 to 0", CALL(set_debugreg, 6, 0));
	answer("set 7 to 0", CALL(set_debugreg, 7, 0));
	answer("  get 7", CALL(get_debugreg, 7));
	answer("set 7: general detect", CALL(set_debugreg, 7, 0x2000));
	answer("  get 7", CALL(get_debugreg, 7));
	answer("set 7: global enable 1", CALL(set_debugreg, 7, 2));
	answer("  get 7", CALL(get_debugreg, 7));
	answer("set 7: watch 0 for I/O without DE", CALL(set_debugreg, 7, 0x20001));
	answer("set 7: watch 0 for writes, 3 bytes long?", CALL(set_debugreg, 7, 0xd0001));
	answer("  get 7", CALL(get_debugreg, 7));
	TRY_WITH("  store to the watched word", "mov %%" R "cx, (%%" R "ax)", &watched, 1, 0);
	answer("  get 6", CALL(get_debugreg, 6));
	TRY_WITH("  load of the watched word", "mov (%%" R "ax), %%" R "cx", &watched, 0, 0);
	answer("set 7: execution with a length", CALL(set_debugreg, 7, 0x40001));
	ONLY64(answer("set 7: above 32 bits", CALL(set_debugreg, 7, 1UL << 32));)
	answer("set 8", CALL(set_debugreg, 8, 0));
	answer("set 7 to 0", CALL(set_debugreg, 7, 0));
	TRY("mov from dr0", "mov %%db0, %%" R "ax");
	value("  dr0 is the address", after_rax == (word)&watched);
	TRY("mov from dr4", ".byte 0x0f, 0x21, 0xe0");
	value("  dr4", after_rax);
	TRY("mov from dr5", ".byte 0x0f, 0x21, 0xe8");
	TRY("mov from dr7", "mov %%db7, %%" R "ax");
	value("  dr7", after_rax);
	TRY_WITH("mov to dr1", "mov %%" R "ax, %%db1", 0x1000, 0, 0);
	TRY_WITH("mov to dr1 of an address of Xen", "mov %%" R "ax, %%db1", XEN_ADDRESS, 0, 0);
	TRY_WITH("mov to dr7 of 0x20001", "mov %%" R "ax, %%db7", 0x20001, 0, 0);
	TRY_WITH("mov to dr7 of 0", "mov %%" R "ax, %%db7", 0, 0, 0);
	CALL(set_debugreg, 6, 0);
}
