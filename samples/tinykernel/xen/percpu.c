/* Data of the processor, found through the base of %gs. */
#include "cpu.h"

static struct cpu boot_cpu;

void percpu_init(void)
{
	boot_cpu.self = &boot_cpu;
	write_gs_base((uintptr_t)&boot_cpu);
	write_user_gs_base(0);
}

struct cpu *this_cpu(void)
{
	struct cpu *cpu;

	asm volatile("mov %%gs:0, %0" : "=r"(cpu));
	return cpu;
}
