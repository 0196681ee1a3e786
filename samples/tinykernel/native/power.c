/* The end: the machine is switched off. */
#include "cpu.h"
#include "io.h"

/* PM1a control of the machine that QEMU models; 0x2000 enters the soft-off state. */
#define ACPI_PM1A_CONTROL 0x604
#define ACPI_SOFT_OFF 0x2000

void power_off(void)
{
	irq_disable();
	write_back_caches();
	outw(ACPI_PM1A_CONTROL, ACPI_SOFT_OFF);
	for (;;)
		halt();
}
