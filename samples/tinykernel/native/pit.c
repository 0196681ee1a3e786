/* The interval timer, as periodic source of ticks. */
#include "io.h"
#include "kernel.h"

#define PIT_CHANNEL0 0x40
#define PIT_COMMAND 0x43

#define PIT_HERTZ 1193182
#define PIT_RATE_GENERATOR 0x34

void pit_init(unsigned hertz)
{
	unsigned divisor = PIT_HERTZ / hertz;

	outb(PIT_COMMAND, PIT_RATE_GENERATOR);
	outb(PIT_CHANNEL0, divisor & 0xff);
	outb(PIT_CHANNEL0, divisor >> 8);
}
