/*
 * set_trap_table, set_callbacks, callback_op, nmi_op, stack_switch: registering entry points.
 *
 * Addresses that are not canonical are refused with -EFAULT or silently stored as they are, depending on the call; the list ends at address 0.
 *
 * Read: the answers, then where traps arrive.
 */
#include "guest.h"

static long register_callback(unsigned type, unsigned flags, word address)
{
	struct callback_register request = { .type = type, .flags = flags, .address = CALLBACK(address) };

	return CALL(callback_op, CALLBACKOP_register, &request);
}

static long unregister_callback(unsigned type)
{
	struct callback_unregister request = { .type = type };

	return CALL(callback_op, CALLBACKOP_unregister, &request);
}

SCENARIO("trap-table")
{
	trap_info_t table[4] = { { 0 } };
	struct xennmi_callback nmi = { .handler_address = (word)nmi_entry };

	answer("empty list", CALL(set_trap_table, table));
	TRY("ud2 still arrives", "ud2");
	answer("list at an unmapped address", CALL(set_trap_table, UNMAPPED));
	answer("list at an address of Xen", CALL(set_trap_table, XEN_ADDRESS));
	ONLY64(answer("list that is not canonical", CALL(set_trap_table, NOT_CANONICAL));)
	ONLY64(table[0] = (trap_info_t){ .vector = 6, .cs = FLAT_KERNEL_CS, .address = NOT_CANONICAL };)
	ONLY64(answer("handler that is not canonical", CALL(set_trap_table, table));)
	reset_traps();
	table[0] = (trap_info_t){ .vector = 6, .cs = FLAT_KERNEL_CS, .address = XEN_ADDRESS };
	answer("handler at an address of Xen", CALL(set_trap_table, table));
	reset_traps();
	table[0] = (trap_info_t){ .vector = 6, .cs = 0x10, .address = (word)trap_entries + 6 * 32 };
	answer("code selector 0x10", CALL(set_trap_table, table));
	TRY("ud2 arrives", "ud2");
	table[0] = (trap_info_t){ .vector = 6, .cs = 0, .address = (word)trap_entries + 6 * 32 };
	answer("code selector 0", CALL(set_trap_table, table));
	ONLY64(TRY("ud2 arrives", "ud2");)
	table[0] = (trap_info_t){ .vector = 6, .flags = 0xff, .cs = FLAT_KERNEL_CS, .address = (word)trap_entries + 6 * 32 };
	answer("flags 0xff", CALL(set_trap_table, table));
	reset_traps();
	table[0] = (trap_info_t){ .vector = 0x80, .flags = 0, .cs = FLAT_KERNEL_CS, .address = (word)trap_entries + 32 * 32 };
	table[1] = (trap_info_t){ .vector = 0x21, .flags = 3, .cs = FLAT_KERNEL_CS, .address = (word)trap_entries + 32 * 32 };
	table[2] = (trap_info_t){ .vector = 0x22, .flags = 1, .cs = FLAT_KERNEL_CS, .address = (word)trap_entries + 32 * 32 };
	answer("gates 0x80 (DPL 0), 0x21 (DPL 3), 0x22 (DPL 1)", CALL(set_trap_table, table));
	TRY("int 0x80", "int $0x80");
	TRY("int 0x21", "int $0x21");
	TRY("int 0x22", "int $0x22");
	table[0] = (trap_info_t){ .vector = 3, .flags = 0, .cs = FLAT_KERNEL_CS, .address = (word)trap_entries + 3 * 32 };
	table[1].address = 0;
	answer("gate 3 with DPL 0", CALL(set_trap_table, table));
	TRY("int3", "int3");

	answer("callbacks", SET_CALLBACKS(event_entry, failsafe_entry, syscall_entry));
	ONLY64(answer("callbacks that are not canonical", SET_CALLBACKS(NOT_CANONICAL, NOT_CANONICAL, NOT_CANONICAL));)
	answer("callbacks again", SET_CALLBACKS(event_entry, failsafe_entry, syscall_entry));
	answer("callback_op.register event", register_callback(CALLBACKTYPE_event, 0, (word)event_entry));
	answer("callback_op.register failsafe", register_callback(CALLBACKTYPE_failsafe, 0, (word)failsafe_entry));
	answer("callback_op.register failsafe, masking", register_callback(CALLBACKTYPE_failsafe, CALLBACKF_mask_events, (word)failsafe_entry));
	answer("callback_op.register syscall", register_callback(CALLBACKTYPE_syscall, 0, (word)syscall_entry));
	answer("callback_op.register syscall32", register_callback(CALLBACKTYPE_syscall32, 0, (word)syscall32_entry));
	answer("callback_op.register sysenter", register_callback(CALLBACKTYPE_sysenter, 0, (word)sysenter_entry));
	answer("callback_op.register sysenter (deprecated)", register_callback(CALLBACKTYPE_sysenter_deprecated, 0, (word)sysenter_entry));
	answer("callback_op.register nmi", register_callback(CALLBACKTYPE_nmi, 0, (word)nmi_entry));
	answer("callback_op.register type 7", register_callback(6 + 1 + 1, 0, (word)nmi_entry));
	ONLY64(answer("callback_op.register, address that is not canonical", register_callback(CALLBACKTYPE_event, 0, NOT_CANONICAL));)
	answer("callback_op.register, address of Xen", register_callback(CALLBACKTYPE_event, 0, XEN_ADDRESS));
	answer("callback_op.register, flags 0xfffe", register_callback(CALLBACKTYPE_event, 0xfffe, (word)event_entry));
	answer("callback_op.register, unmapped", CALL(callback_op, CALLBACKOP_register, UNMAPPED));
	answer("callback_op.unregister event", unregister_callback(CALLBACKTYPE_event));
	answer("callback_op.unregister failsafe", unregister_callback(CALLBACKTYPE_failsafe));
	answer("callback_op.unregister syscall", unregister_callback(CALLBACKTYPE_syscall));
	answer("callback_op.unregister syscall32", unregister_callback(CALLBACKTYPE_syscall32));
	answer("callback_op.unregister sysenter", unregister_callback(CALLBACKTYPE_sysenter));
	answer("callback_op.unregister nmi", unregister_callback(CALLBACKTYPE_nmi));
	answer("callback_op.unregister type 9", unregister_callback(9));
	answer("callback_op.unregister, unmapped", CALL(callback_op, CALLBACKOP_unregister, UNMAPPED));
	answer("callback_op 2", CALL(callback_op, 2, &nmi));

	answer("nmi_op.register_callback", CALL(nmi_op, XENNMI_register_callback, &nmi));
	answer("nmi_op.register_callback, unmapped", CALL(nmi_op, XENNMI_register_callback, UNMAPPED));
	ONLY64(nmi.handler_address = NOT_CANONICAL;)
	answer("nmi_op.register_callback, not canonical", CALL(nmi_op, XENNMI_register_callback, &nmi));
	answer("nmi_op.unregister_callback", CALL(nmi_op, XENNMI_unregister_callback, 0));
	answer("nmi_op 2", CALL(nmi_op, 2, &nmi));

	answer("stack_switch", CALL(stack_switch, FLAT_KERNEL_SS, user_stack_top));
	answer("stack_switch, ss 0", CALL(stack_switch, 0, user_stack_top));
	answer("stack_switch, ss of ring 0", CALL(stack_switch, 0xe010, user_stack_top));
	ONLY64(answer("stack_switch, address that is not canonical", CALL(stack_switch, FLAT_KERNEL_SS, NOT_CANONICAL));)
	answer("stack_switch, address of Xen", CALL(stack_switch, FLAT_KERNEL_SS, XEN_ADDRESS));
}
