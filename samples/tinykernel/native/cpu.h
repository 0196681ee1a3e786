/* Privileged and sensitive instructions, one function each. */
#ifndef CPU_H
#define CPU_H

#include "kernel.h"

static inline void irq_disable(void)
{
	asm volatile("cli" : : : "memory");
}

static inline void irq_enable(void)
{
	asm volatile("sti" : : : "memory");
}

/* Disables interrupts; the flags that it returns are for irq_restore(). */
static inline uint64_t irq_save(void)
{
	uint64_t flags;

	asm volatile("pushfq; popq %0; cli" : "=r"(flags) : : "memory");
	return flags;
}

static inline void irq_restore(uint64_t flags)
{
	asm volatile("pushq %0; popfq" : : "r"(flags) : "memory", "cc");
}

/* Waits for an interrupt; interrupts are enabled afterwards. */
static inline void wait_for_interrupt(void)
{
	asm volatile("sti; hlt" : : : "memory");
}

/* Stops for ever. */
static inline void halt(void)
{
	asm volatile("cli; hlt" : : : "memory");
}

static inline uint64_t read_cr0(void)
{
	uint64_t value;

	asm volatile("mov %%cr0, %0" : "=r"(value));
	return value;
}

static inline void write_cr0(uint64_t value)
{
	asm volatile("mov %0, %%cr0" : : "r"(value) : "memory");
}

static inline void clear_task_switched(void)
{
	asm volatile("clts" : : : "memory");
}

/* The address whose access faulted. */
static inline uintptr_t read_cr2(void)
{
	uintptr_t address;

	asm volatile("mov %%cr2, %0" : "=r"(address));
	return address;
}

static inline void write_cr3(uint64_t table)
{
	asm volatile("mov %0, %%cr3" : : "r"(table) : "memory");
}

static inline void invalidate_page(uintptr_t address)
{
	asm volatile("invlpg (%0)" : : "r"(address) : "memory");
}

static inline void write_back_caches(void)
{
	asm volatile("wbinvd" : : : "memory");
}

static inline void write_fs_base(uint64_t base)
{
	asm volatile("wrmsr" : : "c"(MSR_FS_BASE), "a"((uint32_t)base), "d"((uint32_t)(base >> 32)));
}

static inline void write_gs_base(uint64_t base)
{
	asm volatile("wrmsr" : : "c"(MSR_GS_BASE), "a"((uint32_t)base), "d"((uint32_t)(base >> 32)));
}

/* The base that swapgs puts in place on the way to user mode. */
static inline void write_user_gs_base(uint64_t base)
{
	asm volatile("wrmsr" : : "c"(MSR_KERNEL_GS_BASE), "a"((uint32_t)base), "d"((uint32_t)(base >> 32)));
}

static inline uint64_t read_tsc(void)
{
	uint32_t low, high;

	asm volatile("rdtsc" : "=a"(low), "=d"(high));
	return (uint64_t)high << 32 | low;
}

static inline void read_cpuid(uint32_t leaf, uint32_t *a, uint32_t *b, uint32_t *c, uint32_t *d)
{
	asm volatile("cpuid" : "=a"(*a), "=b"(*b), "=c"(*c), "=d"(*d) : "a"(leaf), "c"(0));
}

#endif
