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
	ONLY64(TRY("int 0x82", "int $0x82");)
	TRY("int 0x21 without a gate", "int $0x21");
	TRY("int 14: gate with DPL 0", "int $14");
	TRY("int 0: gate with DPL 0", "int $0");
	TRY("int 255", "int $255");
	ONLY32(TRY("into with OF", "movb $0x7f, %%al; addb $1, %%al; into"));
	ONLY64(TRY("into is invalid in 64-bit mode", ".byte 0xce");)
	fault_base = (word)page;
	UPDATE_VA(page, 0, UVMF_INVLPG);
	TRY_WITH("read of an unmapped page", "movb (%%" R "ax), %%al", page + 5, 0, 0);
	TRY_WITH("write to an unmapped page", "movb $0, (%%" R "ax)", page + 5, 0, 0);
	TRY_WITH("execution of an unmapped page", "call *%%" R "ax", page, 0, 0);
	TRY_WITH("read-modify-write of an unmapped page", "inc" W " (%%" R "ax)", page + 8, 0, 0);
	make_readonly(page);
	TRY_WITH("write to a read-only page", "movb $0, (%%" R "ax)", page + 5, 0, 0);
	TRY_WITH("lock xadd to a read-only page", "lock xaddl %%ecx, (%%" R "ax)", page, 0, 0);
	map_page(page, frame(mfn_of(page)) | P | RW | NX);
	TRY_WITH("execution of a no-execute page", "call *%%" R "ax", page, 0, 0);
	make_writable(page);
	fault_base = (word)page + PAGE_SIZE;
	UPDATE_VA(page + PAGE_SIZE, 0, UVMF_INVLPG);
	TRY_WITH("read over the end of a page", "mov (%%" R "ax), %%" R "ax", page + PAGE_SIZE - 3, 0, 0);
	TRY_WITH("write over the end of a page", "mov %%" R "cx, (%%" R "ax)", page + PAGE_SIZE - 3, 0, 0);
	map_page(page + PAGE_SIZE, frame(mfn_of(page + PAGE_SIZE)) | P | RW);
	fresh_page();
	fault_base = 0;
	TRY_WITH("read at 0", "movb (%%" R "ax), %%al", 0, 0, 0);
	TRY_WITH("read of the M2P", "movb (%%" R "ax), %%al", M2P_ADDRESS, 0, 0);
	TRY_WITH("write to the M2P", "movb $0, (%%" R "ax)", M2P_ADDRESS, 0, 0);
	TRY_WITH("read of Xen's text", "movb (%%" R "ax), %%al", XEN_ADDRESS, 0, 0);
	TRY_WITH("write to Xen's text", "movb $0, (%%" R "ax)", XEN_ADDRESS, 0, 0);
	TRY_WITH("jump to Xen's text", "call *%%" R "ax", XEN_ADDRESS, 0, 0);
	ONLY64(TRY_WITH("read of the slot of the linear tables", "movb (%%" R "ax), %%al", 0xffff810000000000UL, 0, 0);)
	ONLY64(TRY_WITH("read of the frame table", "movb (%%" R "ax), %%al", 0xffff82e000000000UL, 0, 0);)
	ONLY64(TRY_WITH("read of the direct map", "movb (%%" R "ax), %%al", 0xffff830000000000UL, 0, 0);)
	ONLY64(TRY_WITH("read of an address that is not canonical", "movb (%%" R "ax), %%al", NOT_CANONICAL, 0, 0);)
	ONLY64(TRY_WITH("jump to an address that is not canonical", "call *%%" R "ax", NOT_CANONICAL, 0, 0);)
	TRY_WITH("load of ds with a bad selector", "movw %%ax, %%" DS, 0x1230, 0, 0);
	TRY_WITH("load of ds with the kernel code selector", "movw %%ax, %%" DS, FLAT_KERNEL_CS, 0, 0);
	TRY_WITH("load of ds with null", "movw %%ax, %%" DS, 0, 0, 0);
	TRY_WITH("load of ds from the absent LDT", "movw %%ax, %%" DS, 0x0f, 0, 0);
	TRY_WITH("load of ds with Xen's own data selector", "movw %%ax, %%" DS, 0xe010, 0, 0);
	TRY_WITH("load of ss with null", "movw %%ax, %%ss", 0, 0, 0);
	TRY_WITH("load of ss with a code selector", "movw %%ax, %%ss", FLAT_KERNEL_CS, 0, 0);
	TRY_WITH("load of fs with the flat data selector", "movw %%ax, %%fs", FLAT_DATA, 0, 0);
	TRY("x87 division by 0 is masked", "fninit; fld1; fldz; fdivrp; fwait; fninit");
	TRY_WITH("alignment check is not on", "movl 1(%%" R "ax), %%ecx", page, 0, 0);
	TRY("single step: popf sets TF", "pushf; orl $0x100, (%%" R "sp); popf; nop; nop");
	TRY("alignment check in the kernel", "pushf; orl $0x40000, (%%" R "sp); popf; mov $stack_top, %%" R "ax; movl -63(%%" R "ax), %%ecx; pushf; andl $~0x40000, (%%" R "sp); popf");
}
