/*
 * Call gates of a 32-bit guest, which Xen carries out itself: in long mode the processor has only 64-bit ones.
 *
 * From ring 3 a gate leads to the stack of stack_switch, with the parameters that it says; its DPL, the selector's RPL and the target's DPL are checked
 * as a processor does it.
 *
 * Read: a gate that leads to a ud2 shows #UD with the target's cs; a fault shows the selector that is to blame.
 * Bits: 32
 */
#include "guest.h"

#define GATE(dpl, parameters, selector) (0x00008c0000000000ULL | ((uint64_t)(dpl) << 45) | ((uint64_t)(parameters) << 32) | ((uint64_t)(selector) << 16))
#define CODE(dpl) (0x00cf9b000000ffffULL | ((uint64_t)(dpl) << 45))

static uint64_t to(uint64_t gate, const void *target)
{
	return gate | ((word)target & 0xffff) | ((uint64_t)((word)target & 0xffff0000) << 32);
}

extern char gate_target[], gate_count[];
asm(".text; gate_target: ud2; gate_count: movl %esp, gate_stack; movl 8(%esp), %eax; movl %eax, gate_parameter; ud2");
word gate_stack, gate_parameter;
extern char exception_stack_top[];

static void show(void)
{
	value("  cs", last_trap.cs);
	value("  at the target", last_trap.rip - (word)gate_target);
}

SCENARIO("descriptor-call-gates")
{
	uint64_t *gdt = fresh_page();
	word frames[1] = { mfn_of(gdt) };

	gdt[1] = to(GATE(3, 0, FLAT_KERNEL_CS), gate_target);
	gdt[2] = to(GATE(1, 0, FLAT_KERNEL_CS), gate_target);
	gdt[3] = to(GATE(3, 2, FLAT_KERNEL_CS), gate_count);
	gdt[4] = to(GATE(3, 0, 8 * 8 | 1), gate_target);
	gdt[5] = to(GATE(3, 0, FLAT_KERNEL_CS), gate_target) & ~0x0000800000000000ULL;
	gdt[6] = to(GATE(3, 0, 9 * 8 | 3), gate_target);
	gdt[7] = to(GATE(3, 0, 10 * 8 | 1), gate_target);
	gdt[8] = CODE(1);
	gdt[9] = CODE(3);
	gdt[10] = CODE(1) & ~0x0000800000000000ULL;
	make_readonly(gdt);
	answer("set_gdt", CALL(set_gdt, frames, 512));
	user_mode();
	fault_base = 0;
	TRY("call, DPL 3, from the kernel", "lcall $0x09, $0");
	show();
	TRY("call, DPL 1, from the kernel", "lcall $0x11, $0");
	show();
	TRY("jump, DPL 3, from the kernel", "ljmp $0x09, $0");
	show();
	TRY("call with RPL 3, DPL 1", "lcall $0x13, $0");
	TRY("call, the guest's own code of DPL 1", "lcall $0x21, $0");
	show();
	TRY("call, gate not present", "lcall $0x29, $0");
	TRY("call, code of DPL 3 from ring 1", "lcall $0x31, $0");
	TRY("call, code not present", "lcall $0x39, $0");
	TRY("call, a code segment", "lcall $0x41, $gate_target");
	show();
	TRY("call, an empty entry", "lcall $0x59, $0");
	TRY("call, beyond the table", "lcall $0xdff9, $0");
	USER_TRY("call, DPL 3, from user mode", "lcall $0x0b, $0");
	show();
	USER_TRY("call, DPL 1, from user mode", "lcall $0x13, $0");
	USER_TRY("jump, DPL 3, from user mode", "ljmp $0x0b, $0");
	USER_TRY("call with 2 parameters, from user mode", "pushl $0x1234; pushl $0x5678; lcall $0x1b, $0");
	value("  cs", last_trap.cs);
	value("  bytes on the stack", (word)exception_stack_top - gate_stack);
	value("  first parameter", gate_parameter);
	USER_TRY("call, the guest's own code of DPL 1, from user mode", "lcall $0x23, $0");
	show();
	USER_TRY("call, code of DPL 3, from user mode", "lcall $0x33, $0");
	show();
	USER_TRY("call, gate not present, from user mode", "lcall $0x2b, $0");
	USER_TRY("call, code not present, from user mode", "lcall $0x3b, $0");
	USER_TRY("call through memory", "subl $8, %%esp; movl $0, (%%esp); movl $0x0b, 4(%%esp); lcall *(%%esp)");
	show();
	CALL(stack_switch, 0xe033, exception_stack_top);
	CALL(stack_switch, FLAT_KERNEL_SS, exception_stack_top);
	answer("set_gdt, none", CALL(set_gdt, 0, 0));
	make_writable(gdt);
}
