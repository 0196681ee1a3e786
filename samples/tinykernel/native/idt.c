/* Which code runs for which vector. */
#include "kernel.h"

#define GATE_PRESENT 0x80
#define GATE_INTERRUPT 0x0e

struct table_pointer {
	uint16_t limit;
	uint64_t base;
} __attribute__((packed));

struct gate {
	uint16_t offset_low;
	uint16_t selector;
	uint8_t stack;
	uint8_t type;
	uint16_t offset_middle;
	uint32_t offset_high;
	uint32_t reserved;
};

static struct gate idt[256];
static struct table_pointer idt_pointer;

static void set_gate(unsigned vector, const void *handler, unsigned privilege)
{
	uintptr_t offset = (uintptr_t)handler;

	idt[vector] = (struct gate){
		.offset_low = offset,
		.offset_middle = offset >> 16,
		.offset_high = offset >> 32,
		.selector = KERNEL_CS,
		.type = GATE_PRESENT | privilege << 5 | GATE_INTERRUPT,
	};
}

void idt_init(void)
{
	for (unsigned vector = 0; vector <= VECTOR_IRQ0; vector++)
		set_gate(vector, trap_entries[vector], 0);
	idt_pointer.limit = sizeof idt - 1;
	idt_pointer.base = (uintptr_t)idt;
	asm volatile("lidt %0" : : "m"(idt_pointer));
	set_gate(0x80, syscall_entry, 3);
}
