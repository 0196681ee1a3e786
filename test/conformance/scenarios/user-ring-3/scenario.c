/*
 * User mode of a 32-bit guest: ring 3 on the kernel's page tables.
 *
 * The processor itself keeps it off pages without the user bit and off the M2P. A trap from it has esp and ss on its frame and comes on the stack of
 * stack_switch. int 0x80 reaches the guest's gate whatever its DPL.
 *
 * Read: as in the kernel's scenarios.
 * Bits: 32
 */
#include "guest.h"

static void show(void)
{
	value("  cs", last_trap.cs);
	value("  ss", last_trap.ss);
	value("  eflags without arithmetic flags", last_trap.rflags & ~0x8d5UL);
	value("  mask saved", last_trap.mask);
	value("  mask at entry", last_trap.mask_now);
	value("  esp is the user's", last_trap.rsp == (word)user_stack_top);
}

SCENARIO("user-ring-3")
{
	trap_info_t gates[2] = {
		{ .vector = 0x80, .flags = 3, .cs = FLAT_KERNEL_CS, .address = (word)trap_entries + 32 * 32 },
	};
	struct callback_register masking = { .type = CALLBACKTYPE_syscall32, .flags = CALLBACKF_mask_events, .address = CALLBACK(syscall32_entry) };
	char *page = fresh_page();

	user_mode();
	fault_base = 0;
	USER_TRY("nothing", "nop");
	USER_TRY("ud2", "ud2");
	show();
	USER_TRY("div by 0", "xorl %%ecx, %%ecx; xorl %%edx, %%edx; divl %%ecx");
	USER_TRY("int3", "int3");
	USER_TRY("into", "movl $0x7fffffff, %%eax; incl %%eax; into");
	USER_TRY("int 0x80 without a gate", "int $0x80");
	CALL(set_trap_table, gates);
	USER_TRY("int 0x80", "int $0x80");
	show();
	gates[0].flags = 1;
	CALL(set_trap_table, gates);
	USER_TRY("int 0x80, DPL 1", "int $0x80");
	USER_TRY("read at 0x1000", "movb 0x1000, %%al");
	show();
	USER_TRY("write at 0x1000", "movb $0, 0x1000");
	USER_TRY("jump to 0x1000", "movl $0x1000, %%eax; call *%%eax");
	map_page(page, frame(mfn_of(page)) | P | RW);
	fault_base = (word)page;
	USER_TRY_FLAGS("nothing", "nop", 0x202);
	asm volatile("movl %0, user_argument" : : "r"(page) : "memory");
	USER_TRY("read of a page of the kernel", "movl user_argument, %%eax; movb (%%eax), %%al");
	USER_TRY("write to a page of the kernel", "movl user_argument, %%eax; movb %%al, (%%eax)");
	map_page(page, frame(mfn_of(page)) | P | US);
	CALL(mmuext_op, 0, 0, 0, DOMID_SELF);
	UPDATE_VA(page, frame(mfn_of(page)) | P | US, UVMF_INVLPG);
	USER_TRY("read of a read-only page", "movl user_argument, %%eax; movb (%%eax), %%al");
	USER_TRY("write to a read-only page", "movl user_argument, %%eax; movb %%al, (%%eax)");
	fault_base = 0;
	USER_TRY("read of the M2P", "movb 0xf5800000, %%al");
	USER_TRY("read at the end of the address space", "movb 0xfffff000, %%al");
	USER_TRY("hlt", "hlt");
	USER_TRY("cli", "cli");
	USER_TRY("sti", "sti");
	USER_TRY("in", "inb $0x80, %%al");
	USER_TRY("mov from cr0", "movl %%cr0, %%eax");
	USER_TRY("mov from cr3", "movl %%cr3, %%eax");
	USER_TRY("mov from dr7", "movl %%db7, %%eax");
	USER_TRY("rdmsr", "movl $0xc0000080, %%ecx; rdmsr");
	USER_TRY("clts", "clts");
	USER_TRY("wbinvd", "wbinvd");
	USER_TRY("invlpg", "invlpg (%%esp)");
	USER_TRY("rdtsc", "rdtsc");
	USER_TRY("smsw", "smsw %%eax");
	USER_TRY("cpuid, forced", ".byte 0x0f, 0x0b, 0x78, 0x65, 0x6e, 0x0f, 0xa2");
	USER_TRY("load ds with the kernel's", "movl $0xe021, %%eax; movw %%ax, %%ds");
	USER_TRY("load fs with the user's", "movl $0xe033, %%eax; movw %%ax, %%fs");
	USER_TRY("load ss with the kernel's", "movl $0xe021, %%eax; movw %%ax, %%ss");
	USER_TRY("jump to the kernel's code", "ljmp $0xe019, $1f; 1: nop");
	USER_TRY("iret to itself", "pushfl; pushl $0xe02b; pushl $1f; iret; 1: nop");
	USER_TRY("iret to the kernel", "pushfl; pushl $0xe019; pushl $1f; iret; 1: nop");
	USER_TRY_FLAGS("ud2, IF clear in the frame of iret", "ud2", 0x2);
	show();
	vcpu0->evtchn_upcall_mask = 1;
	USER_TRY_FLAGS("ud2, IOPL 3 in the frame of iret", "ud2", 0x3202);
	show();
	USER_TRY_FLAGS("ud2, AC and DF in the frame of iret", "ud2", 0x40602);
	show();
	USER_TRY_FLAGS("single step", "nop; nop", 0x302);
	show();
	CALL(callback_op, CALLBACKOP_register, &masking);
	USER_TRY("syscall, masking", "syscall");
	show();
	vcpu0->evtchn_upcall_mask = 1;
	USER_TRY("cs of the user", "movl %%cs, %%eax; cmpl $0xe02b, %%eax; je 1f; int3; 1: nop");
	asm volatile("movw %w0, %%fs\n\tmovw %w0, %%gs" : : "r"(FLAT_DATA));
	USER_TRY("fs of the kernel is gone", "movl %%fs, %%eax; testl %%eax, %%eax; je 1f; int3; 1: nop");
}

word user_argument;
