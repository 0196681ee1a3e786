/*
 * A driver copies registers of its device to an address at which nothing is mapped: the fault is the store's, not the load's.
 */
#include "device.h"

static void run(void)
{
	char *to = (char *)0x10000;
	const volatile char *from;
	word count = 4;

	find_device();
	from = registers;
	asm volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(count) : : "memory");
}
