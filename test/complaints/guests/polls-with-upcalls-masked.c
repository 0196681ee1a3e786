/*
 * Complaint 9: an event is pending for a vCPU that has its upcalls masked and polls another port, which nobody will ever signal.
 */
#include "complaint.h"

static void run(void)
{
	struct evtchn_bind_ipi wanted = { .vcpu = 0 }, other = { .vcpu = 0 };
	struct evtchn_send send;
	static evtchn_port_t ports[1];
	struct sched_poll poll = { .nr_ports = 1, .timeout = 0 };

	reset_traps();
	CALL(event_channel_op, EVTCHNOP_bind_ipi, &wanted);
	CALL(event_channel_op, EVTCHNOP_bind_ipi, &other);
	unmask_port(wanted.port), unmask_port(other.port);
	vcpu0->evtchn_upcall_mask = 1;
	send.port = other.port;
	CALL(event_channel_op, EVTCHNOP_send, &send);
	ports[0] = wanted.port;
	set_xen_guest_handle(poll.ports, ports);
	CALL(sched_op, SCHEDOP_poll, &poll);
}
