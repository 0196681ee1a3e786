/*
 * The bounce frame and the registers at the handler's start.
 *
 * On the frame: rip, cs with the RPL cleared (how a 64-bit kernel sees that it was itself), the event mask of before in cs's bits 32 to 39, rflags with
 * IF showing that mask, rsp, ss. An interrupt gate (flags 4 in the trap table) masks events at entry, a trap gate does not.
 *
 * Read: `mask saved` is the mask before the trap, `mask at entry` the one in the handler.
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
	value("  rsp is the one of before", last_trap.rsp == resume_sp);
	value("  rcx", last_trap.rcx);
	value("  r11", last_trap.r11);
}

static void gates(unsigned flags)
{
	trap_info_t table[4] = {
		{ .vector = 6, .flags = flags, .cs = FLAT_KERNEL_CS, .address = (word)trap_entries + 6 * 32 },
		{ .vector = 13, .flags = flags, .cs = FLAT_KERNEL_CS, .address = (word)trap_entries + 13 * 32 },
		{ .vector = 0x80, .flags = flags | 3, .cs = FLAT_KERNEL_CS, .address = (word)trap_entries + 32 * 32 },
	};

	answer("gates", CALL(set_trap_table, table));
}

SCENARIO("exception-bounce-frame")
{
	gates(0);
	TRY_WITH("#UD", "movl $0x1234, %%r11d; ud2", 0, 0x5678, 0);
	show();
	vcpu0->evtchn_upcall_mask = 0;
	TRY_WITH("#UD, events not masked", "movl $0x1234, %%r11d; ud2", 0, 0x5678, 0);
	show();
	vcpu0->evtchn_upcall_mask = 1;
	gates(4);
	vcpu0->evtchn_upcall_mask = 0;
	TRY_WITH("#UD through an interrupt gate", "movl $0x1234, %%r11d; ud2", 0, 0x5678, 0);
	value("  mask after the return", vcpu0->evtchn_upcall_mask);
	vcpu0->evtchn_upcall_mask = 1;
	show();
	TRY("#GP with flags DF, NT set", "pushfq; orl $0x4400, (%%rsp); popfq; hlt");
	show();
	TRY("int 0x80 through its gate", "int $0x80");
	show();
	vcpu0->evtchn_upcall_mask = 0xff;
	TRY("#UD with mask 0xff", "ud2");
	show();
	vcpu0->evtchn_upcall_mask = 1;
	TRY("stack pointer not aligned", "pushq %%rax; subq $5, %%rsp; ud2");
	value("  rsp on the frame, from before", resume_sp - last_trap.rsp);
	TRY_WITH("#UD with ds null", "movw %%ax, %%ds; ud2", 0, 0, 0);
	TRY("mask after the instruction", "pushfq; popq %%rax");
	value("  rflags without arithmetic flags", after_rax & ~0x8d5UL);
	vcpu0->evtchn_upcall_mask = 0;
	TRY("iret instruction to itself", "movq %%rsp, %%rcx; pushq $0xe02b; pushq %%rcx; pushfq; pushq $0xe033; leaq 9f(%%rip), %%rax; pushq %%rax; iretq; 9: nop");
	value("  mask after it", vcpu0->evtchn_upcall_mask);
	vcpu0->evtchn_upcall_mask = 1;
}
