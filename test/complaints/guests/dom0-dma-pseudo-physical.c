/*
 * A driver tells a device the pseudo-physical address of its buffer.
 */
#include "device.h"

static void copy_to(word address)
{
	store64(SOURCE, BUFFER);
	store64(DESTINATION, address);
	store64(COUNT, 64);
	store32(COMMAND, 3);
	wait_ns(200000000);
}

static void run(void)
{
	static char buffer[PAGE_SIZE] __attribute__((aligned(4096)));

	find_device();
	copy_to(mfn_of(buffer) * PAGE_SIZE); /* as it should be */
	copy_to(pfn_of(buffer) * PAGE_SIZE);
	copy_to(0xe0000000);
}
