/* Hypercalls, one function each, named and argued as kernels that run on Xen have them; and what goes with them. */
#ifndef HYPERCALL_H
#define HYPERCALL_H

#include "layout.h"
#include "xen.h"

#define barrier() asm volatile("" : : : "memory")

/* Filled by Xen: 32 bytes of code for each hypercall. */
extern const char hypercall_page[];

/* The page that Xen and the kernel share, and the running vcpu's part of it. */
extern uint8_t shared_info_page[PAGE_SIZE];
#define HYPERVISOR_shared_info ((struct shared_info *)shared_info_page)
extern volatile vcpu_info_t *this_vcpu;

/* Machine frame of each frame of this domain. */
extern const unsigned long *phys_to_machine_mapping;
#define pfn_to_mfn(pfn) (phys_to_machine_mapping[pfn])
#define virt_to_mfn(address) pfn_to_mfn(((unsigned long)(address) - KERNEL_BASE) >> 12)

static inline long hypercall(unsigned number, unsigned long a, unsigned long b, unsigned long c, unsigned long d)
{
	long result;
	register unsigned long fourth asm("r10") = d;

	asm volatile("call *%%rax"
		     : "=a"(result), "+D"(a), "+S"(b), "+d"(c), "+r"(fourth)
		     : "a"(hypercall_page + number * 32)
		     : "rcx", "r8", "r11", "memory");
	return result;
}

static inline long HYPERVISOR_set_trap_table(const struct trap_info *table)
{
	return hypercall(__HYPERVISOR_set_trap_table, (unsigned long)table, 0, 0, 0);
}

static inline long HYPERVISOR_mmu_update(const struct mmu_update *updates, unsigned count, unsigned *done, uint16_t domain)
{
	return hypercall(__HYPERVISOR_mmu_update, (unsigned long)updates, count, (unsigned long)done, domain);
}

static inline long HYPERVISOR_set_gdt(const unsigned long *frames, unsigned entries)
{
	return hypercall(__HYPERVISOR_set_gdt, (unsigned long)frames, entries, 0, 0);
}

static inline long HYPERVISOR_stack_switch(unsigned long ss, unsigned long sp)
{
	return hypercall(__HYPERVISOR_stack_switch, ss, sp, 0, 0);
}

static inline long HYPERVISOR_set_callbacks(unsigned long event, unsigned long failsafe, unsigned long syscall)
{
	return hypercall(__HYPERVISOR_set_callbacks, event, failsafe, syscall, 0);
}

static inline long HYPERVISOR_fpu_taskswitch(int set)
{
	return hypercall(__HYPERVISOR_fpu_taskswitch, set, 0, 0, 0);
}

static inline long HYPERVISOR_update_va_mapping(unsigned long address, unsigned long entry, unsigned long flags)
{
	return hypercall(__HYPERVISOR_update_va_mapping, address, entry, flags, 0);
}

/* The timer event comes at or after this system time, in ns. */
static inline long HYPERVISOR_set_timer_op(uint64_t deadline)
{
	return hypercall(__HYPERVISOR_set_timer_op, deadline, 0, 0, 0);
}

static inline long HYPERVISOR_xen_version(int command, void *argument)
{
	return hypercall(__HYPERVISOR_xen_version, command, (unsigned long)argument, 0, 0);
}

static inline long HYPERVISOR_console_io(int command, int count, char *text)
{
	return hypercall(__HYPERVISOR_console_io, command, count, (unsigned long)text, 0);
}

static inline long HYPERVISOR_set_segment_base(int which, unsigned long base)
{
	return hypercall(__HYPERVISOR_set_segment_base, which, base, 0, 0);
}

static inline long HYPERVISOR_mmuext_op(const struct mmuext_op *operations, unsigned count, unsigned *done, uint16_t domain)
{
	return hypercall(__HYPERVISOR_mmuext_op, (unsigned long)operations, count, (unsigned long)done, domain);
}

static inline long HYPERVISOR_sched_op(int command, void *argument)
{
	return hypercall(__HYPERVISOR_sched_op, command, (unsigned long)argument, 0, 0);
}

static inline long HYPERVISOR_event_channel_op(int command, void *argument)
{
	return hypercall(__HYPERVISOR_event_channel_op, command, (unsigned long)argument, 0, 0);
}

#endif
