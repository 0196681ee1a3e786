/*
 * event_channel_op in its old form (number 16): the operation and its structure lie together in memory.
 *
 * Old ports use it. Xen copies the whole structure first, carries the operation out as the new form would, and copies it back; the operations added with
 * the FIFO layout are not in it.
 *
 * Read: as the new form answers, and -ENOSYS for what the old form does not have.
 */
#include "guest.h"

static evtchn_op_t request;

static long op(unsigned command)
{
	request.cmd = command;
	return CALL(event_channel_op_compat, &request);
}

static evtchn_port_t unbound(void)
{
	memset(&request, 0, sizeof request);
	request.u.alloc_unbound.dom = request.u.alloc_unbound.remote_dom = DOMID_SELF;
	op(EVTCHNOP_alloc_unbound);
	return request.u.alloc_unbound.port;
}

static long with_port(unsigned command, evtchn_port_t port)
{
	memset(&request, 0, sizeof request);
	request.u.close.port = port;
	return op(command);
}

SCENARIO("compat-event-channels")
{
	evtchn_port_t first, second;

	answer("structure unmapped", CALL(event_channel_op_compat, UNMAPPED));
	answer("structure in Xen", CALL(event_channel_op_compat, XEN_ADDRESS));
	memset(&request, 0, sizeof request);
	request.u.alloc_unbound.dom = request.u.alloc_unbound.remote_dom = DOMID_SELF;
	answer("alloc_unbound", op(EVTCHNOP_alloc_unbound));
	first = request.u.alloc_unbound.port;
	memset(&request, 0, sizeof request);
	request.u.alloc_unbound.dom = 77;
	answer("alloc_unbound in a domain that does not exist", op(EVTCHNOP_alloc_unbound));
	memset(&request, 0, sizeof request);
	request.u.bind_interdomain.remote_dom = DOMID_SELF;
	request.u.bind_interdomain.remote_port = first;
	answer("bind_interdomain", op(EVTCHNOP_bind_interdomain));
	second = request.u.bind_interdomain.local_port;
	value("  next port", second - first);
	memset(&request, 0, sizeof request);
	request.u.bind_interdomain.remote_dom = 77;
	answer("bind_interdomain with a domain that does not exist", op(EVTCHNOP_bind_interdomain));
	memset(&request, 0, sizeof request);
	request.u.bind_interdomain.remote_dom = DOMID_SELF;
	request.u.bind_interdomain.remote_port = first;
	answer("bind_interdomain to a port in use", op(EVTCHNOP_bind_interdomain));
	clear_port(first);
	clear_port(second);
	answer("send", with_port(EVTCHNOP_send, first));
	value("  pending", port_pending(second));
	clear_port(second);
	answer("send to port 0", with_port(EVTCHNOP_send, 0));
	memset(&request, 0, sizeof request);
	request.u.status.dom = DOMID_SELF;
	request.u.status.port = first;
	answer("status", op(EVTCHNOP_status));
	value("  status", request.u.status.status);
	request.u.status.port = 100000;
	answer("status of a port beyond all", op(EVTCHNOP_status));
	request.u.status.dom = 77;
	answer("status in a domain that does not exist", op(EVTCHNOP_status));
	answer("unmask", with_port(EVTCHNOP_unmask, first));
	answer("unmask of a port beyond all", with_port(EVTCHNOP_unmask, 100000));
	mask_port(first);
	answer("close", with_port(EVTCHNOP_close, second));
	answer("close again", with_port(EVTCHNOP_close, second));
	answer("close the other", with_port(EVTCHNOP_close, first));
	first = unbound();
	memset(&request, 0, sizeof request);
	request.u.bind_vcpu.port = first;
	answer("bind_vcpu", op(EVTCHNOP_bind_vcpu));
	request.u.bind_vcpu.vcpu = 7;
	answer("bind_vcpu to vcpu 7", op(EVTCHNOP_bind_vcpu));
	request.u.bind_vcpu.port = 100000;
	request.u.bind_vcpu.vcpu = 0;
	answer("bind_vcpu of a port beyond all", op(EVTCHNOP_bind_vcpu));
	answer("close", with_port(EVTCHNOP_close, first));
	memset(&request, 0, sizeof request);
	request.u.bind_virq.virq = VIRQ_DEBUG;
	answer("bind_virq debug", op(EVTCHNOP_bind_virq));
	first = request.u.bind_virq.port;
	answer("bind_virq debug again", op(EVTCHNOP_bind_virq));
	request.u.bind_virq.virq = 99;
	answer("bind_virq 99", op(EVTCHNOP_bind_virq));
	request.u.bind_virq.virq = VIRQ_TIMER;
	request.u.bind_virq.vcpu = 7;
	answer("bind_virq on vcpu 7", op(EVTCHNOP_bind_virq));
	answer("close", with_port(EVTCHNOP_close, first));
	memset(&request, 0, sizeof request);
	answer("bind_ipi", op(EVTCHNOP_bind_ipi));
	first = request.u.bind_ipi.port;
	request.u.bind_ipi.vcpu = 7;
	answer("bind_ipi on vcpu 7", op(EVTCHNOP_bind_ipi));
	answer("close", with_port(EVTCHNOP_close, first));
	memset(&request, 0, sizeof request);
	request.u.bind_pirq.pirq = 5000;
	answer("bind_pirq 5000", op(EVTCHNOP_bind_pirq));
	memset(&request, 0, sizeof request);
	((evtchn_reset_t *)&request.u)->dom = 77;
	answer("reset", op(EVTCHNOP_reset));
	memset(&request, 0, sizeof request);
	answer("init_control", op(EVTCHNOP_init_control));
	answer("expand_array", op(EVTCHNOP_expand_array));
	answer("set_priority", op(EVTCHNOP_set_priority));
	answer("operation 14", op(14));
	answer("operation 99", op(99));
}
