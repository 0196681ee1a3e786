/* Segments, and the stack for traps from user mode. */
#include "kernel.h"

#define GDT_ENTRIES (PAGE_SIZE / 8)	/* the table has its page to itself: Xen lets nobody write to it any more */

struct table_pointer {
	uint16_t limit;
	uint64_t base;
} __attribute__((packed));

struct task_state {
	uint64_t rsp0;
};

static uint8_t trap_stack[2 * PAGE_SIZE] PAGE_ALIGNED;
static struct task_state tss;
static uint64_t gdt[GDT_ENTRIES] PAGE_ALIGNED = {
	[USER_SS / 8] = 0x00cff3000000ffff,		/* data, DPL 3 */
	[USER_CS / 8] = 0x00affb000000ffff,		/* 64-bit code, DPL 3 */
};
static struct table_pointer gdt_pointer;

void gdt_init(void)
{
	tss.rsp0 = (uintptr_t)trap_stack + sizeof trap_stack;
	gdt_pointer.limit = sizeof gdt - 1;
	gdt_pointer.base = (uintptr_t)gdt;
	BUG_ON(HYPERVISOR_update_va_mapping(gdt_pointer.base, ((unsigned long)virt_to_mfn(gdt_pointer.base) << 12) | 1, UVMF_INVLPG));
	BUG_ON(HYPERVISOR_set_gdt(&(unsigned long){ virt_to_mfn(gdt_pointer.base) }, (gdt_pointer.limit + 1) / 8));
	BUG_ON(HYPERVISOR_stack_switch(FLAT_KERNEL_SS, tss.rsp0));
}
