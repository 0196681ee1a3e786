/*
 * A driver handles its device's level-triggered interrupt, and never tells Xen that it is done.
 */
#include "device.h"

static void run(void)
{
	unsigned port;

	find_device();
	port = bind_line();
	store32(RAISE, 1);
	kept = port_pending(port);
	clear_port(port);
	wait_ns(10000000);
	/* It came again: the device was not told either. */
	kept = port_pending(port);
	store32(ACKNOWLEDGE, 1);
}
