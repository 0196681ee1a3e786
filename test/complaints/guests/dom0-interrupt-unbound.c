/*
 * A driver lets its device raise an interrupt that it never bound to an event channel.
 */
#include "device.h"

static void run(void)
{
	find_device();
	store32(RAISE, 1);
	store32(ACKNOWLEDGE, 1);
	store32(RAISE, 1);
}
