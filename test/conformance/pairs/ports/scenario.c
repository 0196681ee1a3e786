/*
 * Two domains, made one right after the other from this image: ports between them, and what neither may do to the other.
 *
 * The first one ('first' on its command line) offers a port and waits; the second one binds it, tries what is not allowed, and sends. Then the first one
 * closes and joins again from its side, and the second one closes for good. Numbers of domains are printed as their distance to the own one.
 *
 * Read: -EPERM for another domain's ports, memory and page tables; -EINVAL for ports that do not wait for the caller; state 1 is unbound, 2 interdomain.
 */
#include "guest.h"

#define OP(name, ...) CALL(event_channel_op, EVTCHNOP_##name, ##__VA_ARGS__)
#define FIRST_FREE 3
#define NOBODY 4000

static domid_t own, peer;

static long alloc(domid_t dom, domid_t remote, unsigned *port)
{
	struct evtchn_alloc_unbound request = { .dom = dom, .remote_dom = remote };
	long result = OP(alloc_unbound, &request);

	*port = request.port;
	return result;
}

static long join(domid_t remote, unsigned remote_port, unsigned *port)
{
	struct evtchn_bind_interdomain request = { .remote_dom = remote, .remote_port = remote_port };
	long result = OP(bind_interdomain, &request);

	*port = request.local_port;
	return result;
}

static long send(unsigned port)
{
	struct evtchn_send request = { .port = port };

	return OP(send, &request);
}

static long close_port(unsigned port)
{
	struct evtchn_close request = { .port = port };

	return OP(close, &request);
}

static struct evtchn_status now;

static long look(domid_t dom, unsigned port)
{
	now = (struct evtchn_status){ .dom = dom, .port = port };
	return OP(status, &now);
}

static void print_state(const char *name, unsigned port)
{
	answer(name, look(DOMID_SELF, port));
	value("state", now.status);
	if (now.status == EVTCHNSTAT_unbound)
		answer("waits for the peer", now.u.unbound.dom == peer);
	if (now.status == EVTCHNSTAT_interdomain) {
		answer("leads to the peer", now.u.interdomain.dom == peer);
		value("port there", now.u.interdomain.port);
	}
}

static void wait_for(unsigned port)
{
	evtchn_port_t ports[1] = { port };
	struct sched_poll poll = { .nr_ports = 1 };

	set_xen_guest_handle(poll.ports, ports);
	while (!port_pending(port))
		CALL(sched_op, SCHEDOP_poll, &poll);
	clear_port(port);
}

static void yield_while_state(unsigned port, unsigned state)
{
	while (look(DOMID_SELF, port) == 0 && now.status == state)
		CALL(sched_op, SCHEDOP_yield);
}

/* A domain learns its own number from a port that waits for itself. */
static domid_t own_number(void)
{
	unsigned port;
	domid_t number;

	alloc(DOMID_SELF, DOMID_SELF, &port);
	look(DOMID_SELF, port);
	number = now.u.unbound.dom;
	close_port(port);
	return number;
}

static void first(void)
{
	unsigned port, again;

	answer("alloc_unbound for the peer", alloc(DOMID_SELF, peer, &port));
	value("port", port);
	print_state("offered", port);
	answer("send before it is bound", send(port));
	wait_for(port);
	print_state("bound", port);
	unsigned theirs = now.u.interdomain.port;
	answer("close", close_port(port));
	print_state("closed", port);
	answer("bind_interdomain back", join(peer, theirs, &again));
	value("local port", again);
	answer("pending at once", port_pending(again));
	clear_port(again);
	answer("send", send(again));
	yield_while_state(again, EVTCHNSTAT_interdomain);
	print_state("after the peer closed", again);
	answer("send to nobody", send(again));
	answer("bind_interdomain of a port that is gone", join(peer, theirs, &port));
}

static void forbidden(unsigned local)
{
	unsigned port;
	struct evtchn_reset reset = { .dom = peer };
	domid_t dom = peer;
	xen_pfn_t list[1] = { 0 };
	struct xen_memory_reservation reservation = { .nr_extents = 1, .domid = peer };
	struct xen_mem_acquire_resource resource = { .domid = peer, .type = XENMEM_resource_grant_table, .nr_frames = 1 };
	struct sched_remote_shutdown remote = { .domain_id = peer, .reason = SHUTDOWN_poweroff };
	mmu_update_t update = { .ptr = frame(root_mfn()), .val = 0 };
	void *page = fresh_page();
	unsigned done;

	set_xen_guest_handle(reservation.extent_start, list);
	set_xen_guest_handle(resource.frame_list, list);
	answer("bind a port that is bound", join(peer, FIRST_FREE, &port));
	answer("bind the port of a device", join(peer, 1, &port));
	answer("bind a free port", join(peer, 40, &port));
	answer("bind a port beyond the table", join(peer, 2000, &port));
	answer("bind a port of nobody", join(NOBODY, 1, &port));
	answer("bind the own port", join(DOMID_SELF, local, &port));
	answer("alloc_unbound of the peer", alloc(peer, DOMID_SELF, &port));
	answer("alloc_unbound of nobody", alloc(NOBODY, DOMID_SELF, &port));
	answer("alloc_unbound for nobody", alloc(DOMID_SELF, NOBODY, &port));
	answer("close it", close_port(port));
	answer("status of the peer", look(peer, FIRST_FREE));
	answer("status of the peer, beyond the table", look(peer, 4000));
	answer("status of nobody", look(NOBODY, 1));
	answer("reset of the peer", OP(reset, &reset));
	answer("current_reservation of the peer", CALL(memory_op, XENMEM_current_reservation, &dom));
	answer("maximum_reservation of the peer", CALL(memory_op, XENMEM_maximum_reservation, &dom));
	answer("maximum_gpfn of the peer", CALL(memory_op, XENMEM_maximum_gpfn, &dom));
	answer("increase_reservation of the peer", CALL(memory_op, XENMEM_increase_reservation, &reservation));
	answer("decrease_reservation of the peer", CALL(memory_op, XENMEM_decrease_reservation, &reservation));
	answer("acquire_resource of the peer", CALL(memory_op, XENMEM_acquire_resource, &resource));
	resource.domid = NOBODY;
	answer("acquire_resource of nobody", CALL(memory_op, XENMEM_acquire_resource, &resource));
	resource.domid = own;
	answer("acquire_resource of the own", CALL(memory_op, XENMEM_acquire_resource, &resource));
	answer("remote_shutdown of the peer", CALL(sched_op, SCHEDOP_remote_shutdown, &remote));
	answer("update_va_mapping for the peer's frames", UPDATE_VA_OF(page, frame(mfn_of(page)) | P, UVMF_INVLPG, peer));
	answer("update_va_mapping for frames of nobody", UPDATE_VA_OF(page, frame(mfn_of(page)) | P, UVMF_INVLPG, NOBODY));
	answer("update_va_mapping for frames by the own number", UPDATE_VA_OF(page, frame(mfn_of(page)) | P, UVMF_INVLPG, own));
	answer("mmu_update with the peer's frames", CALL(mmu_update, &update, 1, &done, peer));
	answer("mmu_update of the peer's tables", CALL(mmu_update, &update, 1, &done, DOMID_SELF | (peer + 1) << 16));
	answer("mmu_update of the tables of nobody", CALL(mmu_update, &update, 1, &done, DOMID_SELF | (NOBODY + 1) << 16));
	struct mmuext_op op = { .cmd = MMUEXT_CLEAR_PAGE };
	op.arg1.mfn = mfn_of(page);
	answer("mmuext_op with the peer's frames", CALL(mmuext_op, &op, 1, &done, peer));
}

static void second(void)
{
	unsigned local;

	/* The first one may not have come so far, and has made and closed a port of its own before. */
	while (join(peer, FIRST_FREE, &local) != 0)
		CALL(sched_op, SCHEDOP_yield);
	value("local port", local);
	answer("pending at once", port_pending(local));
	clear_port(local);
	print_state("bound", local);
	forbidden(local);
	answer("send", send(local));
	wait_for(local);
	print_state("joined again from the other side", local);
	answer("close", close_port(local));
	print_state("closed", local);
	answer("close again", close_port(local));
	answer("send on it", send(local));
}

SCENARIO("pair-ports")
{
	const char *line = (const char *)start_info->cmd_line;
	int is_first = 0;

	for (; *line; line++)
		is_first |= *line == 'f';
	own = own_number();
	peer = is_first ? own + 1 : own - 1;
	if (is_first)
		first();
	else
		second();
}
