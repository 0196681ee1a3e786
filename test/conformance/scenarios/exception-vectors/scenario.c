/*
 * Exceptions of the kernel itself: vector, error code, cr2, and where rip points.
 *
 * Faults leave rip at the instruction, traps behind it. Page-fault error codes have no user bit for the kernel, although it runs in ring 3.
 *
 * Read: `#PF(code) cr2 X` with X relative to the page that is tried; `rip +n` when rip is n bytes behind the instruction's start.
 */
#include "guest.h"

SCENARIO("exception-vectors")
{
	char *page = fresh_page();

	TRY("div by 0", "xorl %%ecx, %%ecx; xorl %%edx, %%edx; divl %%ecx");
	TRY_WITH("div overflow", "divl %%ecx", 0, 1, 5);
	TRY("int3", "int3");
	TRY("int 3 (two bytes)", ".byte 0xcd, 3");
	TRY("int 4", "int $4");
	TRY("int1 (f1)", ".byte 0xf1");
	TRY("ud2", "ud2");
	TRY("undefined opcode 0f 04", ".byte 0x0f, 0x04, 0x90, 0x90");
	TRY("int 0x80 without a gate", "int $0x80");
	TRY("int 0x82", "int $0x82");
	TRY("int 0x21 without a gate", "int $0x21");
	TRY("int 14: gate with DPL 0", "int $14");
	TRY("int 0: gate with DPL 0", "int $0");
	TRY("int 255", "int $255");
	TRY("into is invalid in 64-bit mode", ".byte 0xce");
	fault_base = (word)page;
	CALL(update_va_mapping, page, 0, UVMF_INVLPG);
	TRY_WITH("read of an unmapped page", "movb (%%rax), %%al", page + 5, 0, 0);
	TRY_WITH("write to an unmapped page", "movb $0, (%%rax)", page + 5, 0, 0);
	TRY_WITH("execution of an unmapped page", "call *%%rax", page, 0, 0);
	TRY_WITH("read-modify-write of an unmapped page", "incq (%%rax)", page + 8, 0, 0);
	make_readonly(page);
	TRY_WITH("write to a read-only page", "movb $0, (%%rax)", page + 5, 0, 0);
	TRY_WITH("lock xadd to a read-only page", "lock xaddl %%ecx, (%%rax)", page, 0, 0);
	map_page(page, mfn_of(page) << 12 | P | RW | NX);
	TRY_WITH("execution of a no-execute page", "call *%%rax", page, 0, 0);
	make_writable(page);
	fault_base = (word)page + PAGE_SIZE;
	CALL(update_va_mapping, page + PAGE_SIZE, 0, UVMF_INVLPG);
	TRY_WITH("read over the end of a page", "movq (%%rax), %%rax", page + PAGE_SIZE - 3, 0, 0);
	TRY_WITH("write over the end of a page", "movq %%rcx, (%%rax)", page + PAGE_SIZE - 3, 0, 0);
	map_page(page + PAGE_SIZE, mfn_of(page + PAGE_SIZE) << 12 | P | RW);
	fresh_page();
	fault_base = 0;
	TRY_WITH("read at 0", "movb (%%rax), %%al", 0, 0, 0);
	TRY_WITH("read of the M2P", "movb (%%rax), %%al", M2P_ADDRESS, 0, 0);
	TRY_WITH("write to the M2P", "movb $0, (%%rax)", M2P_ADDRESS, 0, 0);
	TRY_WITH("read of Xen's text", "movb (%%rax), %%al", XEN_ADDRESS, 0, 0);
	TRY_WITH("write to Xen's text", "movb $0, (%%rax)", XEN_ADDRESS, 0, 0);
	TRY_WITH("jump to Xen's text", "call *%%rax", XEN_ADDRESS, 0, 0);
	TRY_WITH("read of the slot of the linear tables", "movb (%%rax), %%al", 0xffff810000000000UL, 0, 0);
	TRY_WITH("read of the frame table", "movb (%%rax), %%al", 0xffff82e000000000UL, 0, 0);
	TRY_WITH("read of the direct map", "movb (%%rax), %%al", 0xffff830000000000UL, 0, 0);
	TRY_WITH("read of an address that is not canonical", "movb (%%rax), %%al", NOT_CANONICAL, 0, 0);
	TRY_WITH("jump to an address that is not canonical", "call *%%rax", NOT_CANONICAL, 0, 0);
	TRY_WITH("load of ds with a bad selector", "movw %%ax, %%ds", 0x1230, 0, 0);
	TRY_WITH("load of ds with the kernel code selector", "movw %%ax, %%ds", 0xe033, 0, 0);
	TRY_WITH("load of ds with null", "movw %%ax, %%ds", 0, 0, 0);
	TRY_WITH("load of ds from the absent LDT", "movw %%ax, %%ds", 0x0f, 0, 0);
	TRY_WITH("load of ds with Xen's own data selector", "movw %%ax, %%ds", 0xe010, 0, 0);
	TRY_WITH("load of ss with null", "movw %%ax, %%ss", 0, 0, 0);
	TRY_WITH("load of ss with a code selector", "movw %%ax, %%ss", 0xe033, 0, 0);
	TRY_WITH("load of fs with the flat data selector", "movw %%ax, %%fs", 0xe02b, 0, 0);
	TRY("x87 division by 0 is masked", "fninit; fld1; fldz; fdivrp; fwait; fninit");
	TRY_WITH("alignment check is not on", "movl 1(%%rax), %%ecx", page, 0, 0);
	TRY("single step: popf sets TF", "pushfq; orl $0x100, (%%rsp); popfq; nop; nop");
	TRY("alignment check in the kernel", "pushfq; orl $0x40000, (%%rsp); popfq; leaq stack_top(%%rip), %%rax; movl -63(%%rax), %%ecx; pushfq; andl $~0x40000, (%%rsp); popfq");
}
