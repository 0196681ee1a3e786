/*
 * Complaint 9: the handler clears the selector without looking at all ports; an event that is pending is never found.
 */
#include "complaint.h"

static void run(void)
{
	struct evtchn_bind_ipi bind = { .vcpu = 0 };
	struct evtchn_send send;

	reset_traps();
	CALL(event_channel_op, EVTCHNOP_bind_ipi, &bind);
	unmask_port(bind.port);
	vcpu0->evtchn_upcall_mask = 1;
	send.port = bind.port;
	CALL(event_channel_op, EVTCHNOP_send, &send);
	vcpu0->evtchn_pending_sel = 0;
	vcpu0->evtchn_upcall_pending = 0;
	block();
}
