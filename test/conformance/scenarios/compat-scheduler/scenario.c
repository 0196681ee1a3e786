/*
 * sched_op in its old form (number 6): yield and block without a structure.
 *
 * The old shutdown takes its reason as the argument and ends the domain, so it is tried in a scenario of its own.
 *
 * Read: block returns because an event is pending; it opens events.
 */
#include "guest.h"

SCENARIO("compat-scheduler")
{
	struct evtchn_bind_ipi ipi = { .vcpu = 0 };

	answer("yield", CALL(sched_op_compat, SCHEDOP_yield, 0));
	answer("bind_ipi", CALL(event_channel_op, EVTCHNOP_bind_ipi, &ipi));
	shared->evtchn_mask[0] &= ~(1UL << ipi.port);
	CALL(event_channel_op, EVTCHNOP_send, &ipi.port);
	value("pending byte", vcpu0->evtchn_upcall_pending);
	answer("block with a masked event pending", CALL(sched_op_compat, SCHEDOP_block, 0));
	value("  upcalls", upcalls);
	value("  mask byte", vcpu0->evtchn_upcall_mask);
	vcpu0->evtchn_upcall_mask = 1;
	CALL(event_channel_op, EVTCHNOP_close, &ipi.port);
	answer("poll is not in it", CALL(sched_op_compat, SCHEDOP_poll, 0));
}
