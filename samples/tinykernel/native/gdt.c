/* Segments, and the stack for traps from user mode. */
#include "kernel.h"

#define GDT_ENTRIES 7

struct table_pointer {
	uint16_t limit;
	uint64_t base;
} __attribute__((packed));

struct task_state {
	uint32_t reserved0;
	uint64_t rsp0, rsp1, rsp2;
	uint64_t reserved1;
	uint64_t ist[7];
	uint64_t reserved2;
	uint16_t reserved3;
	uint16_t io_bitmap;
} __attribute__((packed));

static uint8_t trap_stack[2 * PAGE_SIZE] PAGE_ALIGNED;
static struct task_state tss;
static uint64_t gdt[GDT_ENTRIES] PAGE_ALIGNED = {
	[KERNEL_CS / 8] = 0x00af9b000000ffff,		/* 64-bit code, DPL 0 */
	[KERNEL_SS / 8] = 0x00cf93000000ffff,		/* data, DPL 0 */
	[USER_SS / 8] = 0x00cff3000000ffff,		/* data, DPL 3 */
	[USER_CS / 8] = 0x00affb000000ffff,		/* 64-bit code, DPL 3 */
};
static struct table_pointer gdt_pointer;

static void set_task_state_descriptor(unsigned index)
{
	uint64_t base = (uintptr_t)&tss;

	gdt[index] = (sizeof tss - 1) | (base & 0xffffff) << 16 | 0x89UL << 40 | (base >> 24 & 0xff) << 56;
	gdt[index + 1] = base >> 32;
}

void gdt_init(void)
{
	tss.rsp0 = (uintptr_t)trap_stack + sizeof trap_stack;
	tss.io_bitmap = sizeof tss;
	set_task_state_descriptor(TSS_SELECTOR / 8);
	gdt_pointer.limit = sizeof gdt - 1;
	gdt_pointer.base = (uintptr_t)gdt;
	asm volatile("lgdt %0" : : "m"(gdt_pointer));
	asm volatile("ltr %w0" : : "r"(TSS_SELECTOR));
}
