/*
 * When the event callback runs: masks, the pending bit, sched_op.poll and block.
 *
 * An upcall happens when the vcpu's pending byte is set and its mask byte is 0, at the next return from Xen. Xen does not look at the bits itself.
 *
 * Read: `upcalls` counts the callback's runs.
 */
#include "guest.h"

#define OP(name, request) CALL(event_channel_op, EVTCHNOP_##name, request)

static unsigned port;

static void count(const char *name)
{
	unsigned runs = upcalls;
	word ports = upcall_ports;

	upcalls = 0;
	upcall_ports = 0;
	value(name, runs);
	value("  the port was seen", (ports >> port) & 1);
}

static long poll(unsigned ports, evtchn_port_t *list, word timeout)
{
	struct sched_poll request = { .nr_ports = ports, .timeout = timeout };

	set_xen_guest_handle(request.ports, list);
	return CALL(sched_op, SCHEDOP_poll, &request);
}

SCENARIO("event-delivery")
{
	struct evtchn_bind_ipi ipi = { .vcpu = 0 };
	struct evtchn_send send;
	struct evtchn_unmask unmask;
	evtchn_port_t list[2];

	answer("bind_ipi", OP(bind_ipi, &ipi));
	port = send.port = unmask.port = ipi.port;
	list[0] = list[1] = port;
	shared->evtchn_mask[0] &= ~(1UL << port);
	answer("send with events masked", OP(send, &send));
	count("upcalls");
	value("pending byte", vcpu0->evtchn_upcall_pending);
	vcpu0->evtchn_upcall_mask = 0;
	count("upcalls after the mask byte was cleared");
	CALL(xen_version, 0, 0);
	count("upcalls after a hypercall");
	value("  mask saved", upcall_saved_mask);
	value("  mask byte after the return", vcpu0->evtchn_upcall_mask);
	answer("send with events open", OP(send, &send));
	count("upcalls");
	mask_port(port);
	answer("send to the masked port", OP(send, &send));
	count("upcalls");
	value("  pending", port_pending(port));
	answer("send again", OP(send, &send));
	answer("unmask", OP(unmask, &unmask));
	count("upcalls");
	vcpu0->evtchn_upcall_pending = 1;
	CALL(xen_version, 0, 0);
	count("upcalls by setting the pending byte alone");
	vcpu0->evtchn_upcall_mask = 1;
	vcpu0->evtchn_upcall_pending = 1;
	TRY("an exception does not deliver a masked event", "ud2");
	count("upcalls");
	vcpu0->evtchn_upcall_mask = 0;
	TRY("an exception delivers an open one", "ud2");
	count("upcalls");
	vcpu0->evtchn_upcall_mask = 1;
	clear_port(port);
	vcpu0->evtchn_upcall_pending = 0;
	vcpu0->evtchn_pending_sel = 0;
	OP(send, &send);
	answer("block with a masked event pending", CALL(sched_op, SCHEDOP_block));
	count("upcalls");
	value("  mask byte", vcpu0->evtchn_upcall_mask);
	vcpu0->evtchn_upcall_mask = 1;

	mask_port(port);
	OP(send, &send);
	answer("poll of a pending port", poll(1, list, 0));
	clear_port(port);
	answer("poll with a timeout of 1 ns", poll(1, list, 1));
	answer("poll of two ports with a timeout", poll(2, list, 1));
	answer("poll of no ports with a timeout", poll(0, list, 1));
	answer("poll of 129 ports", poll(129, list, 1));
	answer("poll, list unmapped", poll(1, (void *)UNMAPPED, 1));
	answer("poll, structure unmapped", CALL(sched_op, SCHEDOP_poll, UNMAPPED));
	list[0] = 100000;
	answer("poll of a port beyond all", poll(1, list, 1));
	list[0] = 0;
	answer("poll of port 0", poll(1, list, 1));
	OP(close, &ipi.port);
}
