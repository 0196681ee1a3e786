/*
 * Complaint 10: the front end goes to Connected at once, before the back end has offered anything; and it reads backend-id of a device that the
 * toolstack has not made.
 */
#include "complaint.h"

static void run(void)
{
	reset_traps();
	store_request(XS_READ, "device/vif/0/backend-id", 0);
	store_request(XS_WRITE, "device/vbd/51712/state", "4");
	for (;;)
		block();
}
