/*
 * Complaint 11: the kernel registers a watch on control/shutdown and takes the event that comes with the registration for a request.
 */
#include "complaint.h"

static void run(void)
{
	reset_traps();
	store_request(XS_WATCH, "control/shutdown", "shutdown");
	/* A second one 'must be the real request': it never comes. */
	for (;;)
		block();
}
