/*
 * The same driver as it should be: the device is told, then Xen. It counts how often the interrupt comes.
 */
#include "device.h"

static void run(void)
{
	struct physdev_eoi eoi = { .irq = LINE };
	unsigned port, count = 0;

	find_device();
	port = bind_line();
	store32(FACTORIAL, 5);
	for (unsigned n = 0; n < 3; n++) {
		store32(RAISE, 1 << n);
		while (port_pending(port)) {
			count++;
			clear_port(port);
			store32(ACKNOWLEDGE, 1 << n);
			CALL(physdev_op, PHYSDEVOP_eoi, &eoi);
		}
	}
	value("identification", load32(0));
	value("factorial", load32(FACTORIAL));
	value("interrupts", count);
	flush_output();
}
