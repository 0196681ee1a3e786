/*
 * User mode: traps, system calls and sensitive instructions from it.
 *
 * The frame shows cs and ss with RPL 3, page faults have the user bit, the stack is the one of stack_switch, and no privileged instruction is emulated
 * but those that depend on IOPL.
 *
 * Read: as in the kernel's scenarios.
 * Bits: 64
 */
#include "guest.h"

static void show(void)
{
	value("  cs", last_trap.cs);
	value("  ss", last_trap.ss);
	value("  rflags without arithmetic flags", last_trap.rflags & ~0x8d5UL);
	value("  mask saved", last_trap.mask);
	value("  mask at entry", last_trap.mask_now);
	value("  rsp is the user's", last_trap.rsp == (word)user_stack_top);
}

SCENARIO("user-mode")
{
	trap_info_t gates[3] = {
		{ .vector = 0x80, .flags = 3, .cs = FLAT_KERNEL_CS, .address = (word)trap_entries + 32 * 32 },
		{ .vector = 0x22, .flags = 1, .cs = FLAT_KERNEL_CS, .address = (word)trap_entries + 32 * 32 },
	};
	struct callback_register masking = { .type = CALLBACKTYPE_syscall, .flags = CALLBACKF_mask_events, .address = (word)syscall_entry };

	user_mode();
	fault_base = 0;
	USER_TRY("nothing", "nop");
	USER_TRY("ud2", "ud2");
	show();
	USER_TRY("div by 0", "xorl %%ecx, %%ecx; xorl %%edx, %%edx; divl %%ecx");
	USER_TRY("int3", "int3");
	USER_TRY("int 0x80 without a gate", "int $0x80");
	CALL(set_trap_table, gates);
	USER_TRY("int 0x80", "int $0x80");
	show();
	USER_TRY("read at 0x1000", "movb 0x1000, %%al");
	show();
	USER_TRY("write at 0x1000", "movb $0, 0x1000");
	USER_TRY("jump to 0x1000", "movl $0x1000, %%eax; call *%%rax");
	USER_TRY("read of Xen's text", "movabsq $0xffff82d040200000, %%rax; movb (%%rax), %%al");
	USER_TRY("read of the M2P", "movabsq $0xffff800000000000, %%rax; movb (%%rax), %%al");
	USER_TRY("syscall", "syscall");
	show();
	value("  rcx is rip", last_trap.rcx == last_trap.rip);
	value("  r11 without arithmetic flags", last_trap.r11 & ~0x8d5UL);
	USER_TRY("hlt", "hlt");
	USER_TRY("cli", "cli");
	USER_TRY("sti", "sti");
	USER_TRY("in", "inb $0x80, %%al");
	USER_TRY("mov from cr0", "movq %%cr0, %%rax");
	USER_TRY("mov from cr3", "movq %%cr3, %%rax");
	USER_TRY("mov from dr7", "movq %%db7, %%rax");
	USER_TRY("rdmsr", "movl $0xc0000080, %%ecx; rdmsr");
	USER_TRY("clts", "clts");
	USER_TRY("wbinvd", "wbinvd");
	USER_TRY("invlpg", "invlpg (%%rsp)");
	USER_TRY("rdtsc", "rdtsc");
	USER_TRY("smsw", "smsw %%eax");
	USER_TRY("sgdt", "sgdt -64(%%rsp)");
	USER_TRY("cpuid, forced", ".byte 0x0f, 0x0b, 0x78, 0x65, 0x6e, 0x0f, 0xa2");
	USER_TRY("swapgs", "swapgs");
	USER_TRY("iretq to itself", "movq %%rsp, %%rcx; pushq $0xe02b; pushq %%rcx; pushfq; pushq $0xe033; leaq 9f(%%rip), %%rax; pushq %%rax; iretq; 9: nop");
	USER_TRY_FLAGS("ud2, IF clear in the frame of iret", "ud2", 0x2);
	show();
	USER_TRY_FLAGS("ud2, IOPL 3 in the frame of iret", "ud2", 0x3202);
	show();
	USER_TRY_FLAGS("ud2, NT, AC and DF in the frame of iret", "ud2", 0x44602);
	show();
	USER_TRY_FLAGS("load that is not aligned, AC set", "movl 1(%%rsp), %%eax", 0x40202);
	USER_TRY_FLAGS("single step", "nop; nop", 0x302);
	show();
	answer("no syscall callback", CALL(set_callbacks, event_entry, failsafe_entry, 0));
	CALL(set_callbacks, event_entry, failsafe_entry, syscall_entry);
	vcpu0->evtchn_upcall_mask = 1;
	CALL(callback_op, CALLBACKOP_register, &masking);
	USER_TRY("syscall, masking", "syscall");
	show();
	vcpu0->evtchn_upcall_mask = 1;
}
