/* The end: the domain is switched off. */
#include "cpu.h"

void power_off(void)
{
	serial_drain();
	irq_disable();
	write_back_caches();
	HYPERVISOR_sched_op(SCHEDOP_shutdown, &(struct sched_shutdown){ .reason = SHUTDOWN_poweroff });
	for (;;)
		halt();
}
