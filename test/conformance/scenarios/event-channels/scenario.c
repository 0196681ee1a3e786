/*
 * event_channel_op: making, joining and closing ports, and every refusal of it.
 *
 * Ports are given out from the lowest that is free. dom0 has none at its start but those Xen bound for it, so only differences are printed.
 *
 * Read: -EINVAL for ports in the wrong state, -ENOENT for vcpus that do not exist, -EEXIST for a virtual interrupt bound twice, -ESRCH for domains.
 */
#include "guest.h"

#define OP(name, ...) CALL(event_channel_op, EVTCHNOP_##name, ##__VA_ARGS__)

static unsigned base;
static domid_t own;

static long alloc(domid_t dom, domid_t remote, unsigned *port)
{
	struct evtchn_alloc_unbound request = { .dom = dom, .remote_dom = remote };
	long result = OP(alloc_unbound, &request);

	*port = request.port;
	return result;
}

static long close_port(unsigned port)
{
	struct evtchn_close request = { .port = port };

	return OP(close, &request);
}

static long send(unsigned port)
{
	struct evtchn_send request = { .port = port };

	return OP(send, &request);
}

static long virq(unsigned number, unsigned vcpu, unsigned *port)
{
	struct evtchn_bind_virq request = { .virq = number, .vcpu = vcpu };
	long result = OP(bind_virq, &request);

	if (result == 0)
		*port = request.port;
	return result;
}

static long join(domid_t remote, unsigned remote_port, unsigned *port)
{
	struct evtchn_bind_interdomain request = { .remote_dom = remote, .remote_port = remote_port };
	long result = OP(bind_interdomain, &request);

	if (result == 0)
		*port = request.local_port;
	return result;
}

static long bind_vcpu(unsigned port, unsigned vcpu)
{
	struct evtchn_bind_vcpu request = { .port = port, .vcpu = vcpu };

	return OP(bind_vcpu, &request);
}

static long unmask(unsigned port)
{
	struct evtchn_unmask request = { .port = port };

	return OP(unmask, &request);
}

static void status(const char *name, unsigned port)
{
	struct evtchn_status request = { .dom = DOMID_SELF, .port = port };

	answer(name, OP(status, &request));
	value("  status", request.status);
	value("  vcpu", request.vcpu);
	if (request.status == EVTCHNSTAT_interdomain) {
		value("  of this domain", request.u.interdomain.dom == own);
		value("  port, from the first", request.u.interdomain.port - base);
	} else if (request.status == EVTCHNSTAT_unbound) {
		if (port == base)
			own = request.u.unbound.dom;
		if (request.u.unbound.dom == own)
			text("  for domain", "itself");
		else
			value("  for domain", request.u.unbound.dom);
	}
	if (request.status == EVTCHNSTAT_virq)
		value("  virq", request.u.virq);
}

SCENARIO("event-channels")
{
	unsigned a = 0, b = 0, c = 0, d = 0, v = 0;
	struct evtchn_bind_ipi ipi = { .vcpu = 0 };
	struct evtchn_status other = { .dom = 77, .port = 1 };
	struct evtchn_reset reset = { .dom = 77 };
	struct evtchn_set_priority priority = { .port = 1, .priority = 0 };
	struct evtchn_bind_pirq pirq = { .pirq = 5000 };

	answer("alloc_unbound", alloc(DOMID_SELF, DOMID_SELF, &a));
	base = a;
	answer("alloc_unbound, second", alloc(DOMID_SELF, DOMID_SELF, &b));
	value("  is the next port", b - a);
	status("status of the first", a);
	answer("alloc_unbound for domain 5", alloc(DOMID_SELF, 5, &c));
	status("  its status", c);
	answer("alloc_unbound of a domain that does not exist", alloc(77, DOMID_SELF, &d));
	answer("alloc_unbound of DOMID_IO", alloc(DOMID_IO, DOMID_SELF, &d));
	answer("alloc_unbound for DOMID_INVALID", alloc(DOMID_SELF, DOMID_INVALID, &d));
	answer("alloc_unbound, unmapped", OP(alloc_unbound, UNMAPPED));
	answer("  close", close_port(c));
	answer("send to an unbound port", send(a));
	value("  pending", port_pending(a));
	answer("bind_interdomain to the first", join(DOMID_SELF, a, &c));
	status("  status of the new port", c);
	status("  status of the first", a);
	value("  the new one is pending", port_pending(c));
	value("  the first is pending", port_pending(a));
	clear_port(c);
	answer("bind_interdomain to it again", join(DOMID_SELF, a, &d));
	answer("bind_interdomain to a port for another domain", join(DOMID_SELF, 0, &d));
	answer("bind_interdomain to a port beyond all", join(DOMID_SELF, 100000, &d));
	answer("bind_interdomain with a domain that does not exist", join(77, 1, &d));
	answer("bind_interdomain with DOMID_INVALID", join(DOMID_INVALID, 1, &d));
	answer("bind_interdomain, unmapped", OP(bind_interdomain, UNMAPPED));
	mask_port(a);
	mask_port(c);
	answer("send to the first", send(a));
	value("  the other is pending", port_pending(c));
	value("  the first is not", port_pending(a));
	value("  upcall pending: it is masked", vcpu0->evtchn_upcall_pending);
	answer("unmask it", unmask(c));
	value("  upcall pending", vcpu0->evtchn_upcall_pending);
	value("  selector", vcpu0->evtchn_pending_sel);
	clear_port(c);
	vcpu0->evtchn_upcall_pending = 0;
	vcpu0->evtchn_pending_sel = 0;
	answer("close the first", close_port(a));
	status("  status of the other", c);
	status("  status of the closed one", a);
	answer("send to the other", send(c));
	answer("close again", close_port(a));
	answer("close port 0", close_port(0));
	answer("close a port beyond all", close_port(100000));
	answer("close, unmapped", OP(close, UNMAPPED));
	answer("send to a closed port", send(a));
	answer("send to port 0", send(0));
	answer("send to a port beyond all", send(100000));
	answer("send, unmapped", OP(send, UNMAPPED));
	answer("close the other", close_port(c));
	answer("close the second", close_port(b));

	answer("bind_virq debug", virq(VIRQ_DEBUG, 0, &v));
	status("  status", v);
	answer("bind_virq debug again", virq(VIRQ_DEBUG, 0, &d));
	answer("bind_virq debug on vcpu 1", virq(VIRQ_DEBUG, 1, &d));
	answer("bind_virq 24", virq(24, 0, &d));
	answer("bind_virq -1", virq(-1, 0, &d));
	answer("bind_virq console (global) on vcpu 1", virq(VIRQ_CONSOLE, 1, &d));
	answer("bind_virq argo", virq(VIRQ_ARGO, 0, &b));
	answer("  close", close_port(b));
	answer("bind_virq arch 0", virq(VIRQ_ARCH_0, 0, &b));
	answer("  close", close_port(b));
	answer("bind_virq 5", virq(5, 0, &b));
	answer("  close", close_port(b));
	answer("bind_virq dom_exc", virq(VIRQ_DOM_EXC, 0, &b));
	answer("  close", close_port(b));
	answer("bind_virq, unmapped", OP(bind_virq, UNMAPPED));
	answer("send to a virq's port", send(v));
	answer("bind_vcpu of a vcpu's own virq", bind_vcpu(v, 0));
	answer("close the virq", close_port(v));

	answer("bind_ipi", OP(bind_ipi, &ipi));
	status("  status", ipi.port);
	mask_port(ipi.port);
	answer("send to it", send(ipi.port));
	value("  pending", port_pending(ipi.port));
	answer("bind_vcpu of an ipi", bind_vcpu(ipi.port, 0));
	answer("close it", close_port(ipi.port));
	value("  pending after close", port_pending(ipi.port));
	ipi.vcpu = 1;
	answer("bind_ipi on vcpu 1", OP(bind_ipi, &ipi));
	ipi.vcpu = -1;
	answer("bind_ipi on vcpu -1", OP(bind_ipi, &ipi));
	answer("bind_ipi, unmapped", OP(bind_ipi, UNMAPPED));

	alloc(DOMID_SELF, DOMID_SELF, &a);
	answer("bind_vcpu of an unbound port", bind_vcpu(a, 0));
	answer("bind_vcpu to vcpu 1", bind_vcpu(a, 1));
	answer("bind_vcpu of port 0", bind_vcpu(0, 0));
	answer("bind_vcpu of a port beyond all", bind_vcpu(100000, 0));
	answer("bind_vcpu of a free port", bind_vcpu(a + 5, 0));
	answer("bind_vcpu, unmapped", OP(bind_vcpu, UNMAPPED));
	answer("unmask of an unbound port", unmask(a));
	answer("unmask of a free port", unmask(a + 5));
	answer("unmask of port 0", unmask(0));
	answer("unmask of a port beyond all", unmask(100000));
	answer("unmask, unmapped", OP(unmask, UNMAPPED));
	answer("status of port 0", ({ other.dom = DOMID_SELF; other.port = 0; OP(status, &other); }));
	other.port = 100000;
	answer("status of a port beyond all", OP(status, &other));
	other.port = 1;
	other.dom = 77;
	answer("status in a domain that does not exist", OP(status, &other));
	answer("status, unmapped", OP(status, UNMAPPED));
	answer("close", close_port(a));

	answer("bind_pirq 5000", OP(bind_pirq, &pirq));
	answer("bind_pirq, unmapped", OP(bind_pirq, UNMAPPED));
	answer("reset of a domain that does not exist", OP(reset, &reset));
	answer("reset, unmapped", OP(reset, UNMAPPED));
	answer("set_priority without FIFO", OP(set_priority, &priority));
	answer("expand_array without FIFO", OP(expand_array, &reset));
	answer("init_control, unmapped", OP(init_control, UNMAPPED));
	answer("operation 14", CALL(event_channel_op, 14, &other));
	answer("operation -1", CALL(event_channel_op, -1, &other));
}
