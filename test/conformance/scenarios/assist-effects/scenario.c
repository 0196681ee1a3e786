/*
 * vm_assist, type by type: what each changes, and what the others leave as it is.
 *
 * architectural_iopl lets a kernel set and see its IOPL in flags; without it the IOPL is physdev_op's alone, and a kernel's own privilege counts as 1.
 * m2p_strict takes the machine-to-physical table out of the tables that user mode runs on. pae_extended_cr3 is told as a feature to a 32-bit guest. The
 * 4gb types change nothing: Xen gave their emulation up.
 *
 * Read: flags are IOPL's two bits; `runs` where the read succeeds.
 */
#include "guest.h"

static long assist(unsigned command, unsigned type) { return CALL(vm_assist, command, type); }

static long set_iopl(unsigned level)
{
	struct physdev_set_iopl request = { .iopl = level };

	return CALL(physdev_op, PHYSDEVOP_set_iopl, &request);
}

static void features(const char *name)
{
	struct xen_feature_info info = { .submap_idx = 0 };

	CALL(xen_version, XENVER_get_features, &info);
	value(name, info.submap >> XENFEAT_pae_pgdir_above_4gb & 1);
}

static void port_and_flags(void)
{
	for (unsigned level = 0; level < 4; level++) {
		set_iopl(level);
		TRY("  in from 0x80", "inb $0x80, %%al");
		TRY("  ud2", "ud2");
		value("    IOPL of the frame", last_trap.rflags >> 12 & 3);
	}
	set_iopl(0);
}

SCENARIO("assist-effects")
{
	struct vcpu_runstate_info state, area;
	struct vcpu_register_runstate_memory_area where = { .addr.h = { 0 } };

	features("pae_pgdir_above_4gb");
	answer("pae_extended_cr3", assist(VMASST_CMD_enable, VMASST_TYPE_pae_extended_cr3));
	features("pae_pgdir_above_4gb");
	answer("off", assist(VMASST_CMD_disable, VMASST_TYPE_pae_extended_cr3));
	features("pae_pgdir_above_4gb");

	text("IOPL", "by physdev_op alone");
	port_and_flags();
	answer("architectural_iopl", assist(VMASST_CMD_enable, 4));
	port_and_flags();
	answer("off", assist(VMASST_CMD_disable, 4));

	for (unsigned type = 0; type < 2; type++) {
		answer("a 4gb type", assist(VMASST_CMD_enable, type));
		TRY("  ud2", "ud2");
		TRY("  store at 0x1000", "movb $0, 0x1000");
		answer("off", assist(VMASST_CMD_disable, type));
	}

	set_xen_guest_handle(where.addr.h, &area);
	answer("register_runstate_memory_area", CALL(vcpu_op, VCPUOP_register_runstate_memory_area, 0, &where));
	answer("runstate_update_flag", assist(VMASST_CMD_enable, 5));
	CALL(sched_op, SCHEDOP_yield, 0);
	answer("get_runstate_info", CALL(vcpu_op, VCPUOP_get_runstate_info, 0, &state));
	value("  flag of an update in the area", area.state_entry_time >> 63);
	value("  flag of an update in the answer", state.state_entry_time >> 63);
	answer("off", assist(VMASST_CMD_disable, 5));
	where.addr.v = 0;
	CALL(vcpu_op, VCPUOP_register_runstate_memory_area, 0, &where);

#ifdef __x86_64__
	user_mode();
	fault_base = 0;
	USER_TRY("user mode reads the M2P", "movabsq $0xffff800000000000, %%rax; movb (%%rax), %%al");
	answer("m2p_strict", assist(VMASST_CMD_enable, 32));
	USER_TRY("user mode reads the M2P", "movabsq $0xffff800000000000, %%rax; movb (%%rax), %%al");
	user_mode();
	USER_TRY("user mode reads the M2P, tables set anew", "movabsq $0xffff800000000000, %%rax; movb (%%rax), %%al");
	TRY("the kernel reads it", "movabsq $0xffff800000000000, %%rax; movb (%%rax), %%al");
	answer("off", assist(VMASST_CMD_disable, 32));
	user_mode();
	USER_TRY("user mode reads the M2P", "movabsq $0xffff800000000000, %%rax; movb (%%rax), %%al");
	TRY("the kernel reads it", "movabsq $0xffff800000000000, %%rax; movb (%%rax), %%al");
#endif
}
