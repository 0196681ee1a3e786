/* Which code runs for which vector. */
#include "kernel.h"

static struct trap_info trap_table[TRAP_ENTRIES + 1];

static void set_gate(unsigned vector, const void *handler, unsigned privilege)
{
	trap_table[vector] = (struct trap_info){
		.vector = vector,
		.flags = TRAP_MASKS_EVENTS | privilege,
		.cs = FLAT_KERNEL_CS,
		.address = (uintptr_t)handler,
	};
}

void idt_init(void)
{
	for (unsigned vector = 0; vector < TRAP_ENTRIES; vector++)
		set_gate(vector, trap_entries[vector], 0);
	BUG_ON(HYPERVISOR_set_trap_table(trap_table));
	BUG_ON(HYPERVISOR_set_trap_table((struct trap_info[]){ { 0x80, 3, FLAT_KERNEL_CS, (unsigned long)syscall_entry }, { 0 } }));
	BUG_ON(HYPERVISOR_set_callbacks((uintptr_t)event_entry, (uintptr_t)failsafe_entry, 0));
}
