/*
 * Complaint 9: a front end allocates a port for its back end, tells nobody, and waits for the first event.
 */
#include "complaint.h"

static void run(void)
{
	struct evtchn_alloc_unbound alloc = { .dom = DOMID_SELF, .remote_dom = 0 };

	reset_traps();
	CALL(event_channel_op, EVTCHNOP_alloc_unbound, &alloc);
	block();
}
