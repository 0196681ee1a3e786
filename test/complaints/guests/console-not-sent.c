/*
 * Complaint 1: text lies in the console ring, but the kernel goes to sleep without sending the event.
 */
#include "complaint.h"

static void run(void)
{
	volatile struct xencons_interface *ring = (void *)frame_to_address_of_kernel(start_info->console.domU.mfn);
	static const char message[] = "panic: out of memory";

	for (unsigned n = 0; n < sizeof message - 1; n++)
		ring->out[n] = message[n];
	ring->out_prod = sizeof message - 1;
	block();
}
