/*
 * Complaint 10: a request lies in the XenStore ring, and nobody sent the event.
 */
#include "complaint.h"

static void run(void)
{
	reset_traps();
	store_send(XS_READ, "domid", 0);
	for (;;)
		block();
}
