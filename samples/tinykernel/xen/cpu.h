/* What replaces the privileged and sensitive instructions, one function each. */
#ifndef CPU_H
#define CPU_H

#include "kernel.h"

static inline void irq_disable(void)
{
	this_vcpu->evtchn_upcall_mask = 1;
	barrier();
}

static inline void irq_enable(void)
{
	barrier();
	this_vcpu->evtchn_upcall_mask = 0;
	barrier();
	if (this_vcpu->evtchn_upcall_pending)
		HYPERVISOR_xen_version(0, NULL);
}

/* Disables interrupts; the flags that it returns are for irq_restore(). */
static inline uint64_t irq_save(void)
{
	uint64_t flags;

	flags = this_vcpu->evtchn_upcall_mask ? 0 : 0x200;
	this_vcpu->evtchn_upcall_mask = 1;
	barrier();
	return flags;
}

static inline void irq_restore(uint64_t flags)
{
	barrier();
	this_vcpu->evtchn_upcall_mask = !(flags & 0x200);
	barrier();
	if (!this_vcpu->evtchn_upcall_mask && this_vcpu->evtchn_upcall_pending)
		HYPERVISOR_xen_version(0, NULL);
}

/* Waits for an interrupt; interrupts are enabled afterwards. */
static inline void wait_for_interrupt(void)
{
	HYPERVISOR_sched_op(SCHEDOP_block, NULL);
}

/* Stops for ever. */
static inline void halt(void)
{
	HYPERVISOR_sched_op(SCHEDOP_shutdown, &(struct sched_shutdown){ .reason = SHUTDOWN_crash });
}

static inline void set_task_switched(void)
{
	HYPERVISOR_fpu_taskswitch(1);
}

static inline void clear_task_switched(void)
{
	HYPERVISOR_fpu_taskswitch(0);
}

/* The address whose access faulted. */
static inline uintptr_t read_cr2(void)
{
	uintptr_t address;

	address = this_vcpu->arch.cr2;
	return address;
}

static inline void write_cr3(uint64_t table)
{
	BUG_ON(HYPERVISOR_mmuext_op(&(struct mmuext_op){ .cmd = MMUEXT_NEW_BASEPTR, .arg1.mfn = pfn_to_mfn(table >> 12) }, 1, NULL, DOMID_SELF));
}

static inline void invalidate_page(uintptr_t address)
{
	BUG_ON(HYPERVISOR_mmuext_op(&(struct mmuext_op){ .cmd = MMUEXT_INVLPG_LOCAL, .arg1.linear_addr = (unsigned long)address }, 1, NULL, DOMID_SELF));
}

static inline void write_back_caches(void)
{
	HYPERVISOR_mmuext_op(&(struct mmuext_op){ .cmd = MMUEXT_FLUSH_CACHE }, 1, NULL, DOMID_SELF);
}

static inline void write_fs_base(uint64_t base)
{
	BUG_ON(HYPERVISOR_set_segment_base(SEGBASE_FS, base));
}

static inline void write_gs_base(uint64_t base)
{
	BUG_ON(HYPERVISOR_set_segment_base(SEGBASE_GS_KERNEL, base));
}

/* The base that Xen puts in place on the way to user mode. */
static inline void write_user_gs_base(uint64_t base)
{
	BUG_ON(HYPERVISOR_set_segment_base(SEGBASE_GS_USER, base));
}

static inline uint64_t read_tsc(void)
{
	uint32_t low, high;

	asm volatile("rdtsc" : "=a"(low), "=d"(high));
	return (uint64_t)high << 32 | low;
}

static inline void read_cpuid(uint32_t leaf, uint32_t *a, uint32_t *b, uint32_t *c, uint32_t *d)
{
	asm volatile("ud2; .ascii \"xen\"; cpuid" : "=a"(*a), "=b"(*b), "=c"(*c), "=d"(*d) : "a"(leaf), "c"(0));
}

#endif
