/*
 * Complaint 9: an event waits on a port that was masked and never unmasked; the guest sleeps for ever.
 */
#include "complaint.h"

static void run(void)
{
	struct evtchn_bind_ipi bind = { .vcpu = 0 };
	struct evtchn_send send;

	reset_traps();
	CALL(event_channel_op, EVTCHNOP_bind_ipi, &bind);
	mask_port(bind.port);
	send.port = bind.port;
	CALL(event_channel_op, EVTCHNOP_send, &send);
	block();
}
