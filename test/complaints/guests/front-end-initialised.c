/*
 * Complaint 10: 'Timeout connecting to device/vbd/51712 (local state 3, remote state 2)'. The front end writes its ring reference and its state, but
 * not its event channel, and waits for the back end.
 */
#include "complaint.h"

static void run(void)
{
	reset_traps();
	store_request(XS_WATCH, "/local/domain/0/backend/vbd/1/51712/state", "backend");
	store_request(XS_WRITE, "device/vbd/51712/ring-ref", "8");
	store_request(XS_WRITE, "device/vbd/51712/state", "3");
	for (;;)
		block();
}
