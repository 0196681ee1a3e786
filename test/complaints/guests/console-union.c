/*
 * The specimen: a kernel that knows only domUs boots as dom0. It takes the bytes of start_info.console for the console ring's frame and looks them
 * up in the machine-to-physical table.
 */
#include "complaint.h"

static void *console_ring(const start_info_t *info)
{
	word mfn = info->console.domU.mfn;

	return (void *)(KERNEL_BASE + (((volatile word *)M2P_ADDRESS)[mfn] << 12));
}

static void run(void)
{
	volatile struct xencons_interface *ring = console_ring(start_info);

	ring->out_prod++;
}
