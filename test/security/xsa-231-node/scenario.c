/*
 * NUMA nodes that the machine does not have, asked for with memory, which used to index an array of Xen's beyond its end.
 *
 * Advisory: XSA-231
 * Expected: none of the extents is given: 0, or -EINVAL from exchange.
 */
#include "../security.h"

SCENARIO("xsa-231-node")
{
	static xen_pfn_t frames[1], wanted[1];
	struct xen_memory_reservation more = { .nr_extents = 1, .domid = DOMID_SELF };
	struct xen_memory_exchange exchange = { .in = { .nr_extents = 1, .domid = DOMID_SELF }, .out = { .nr_extents = 1, .domid = DOMID_SELF } };
	unsigned nodes[] = { 1, 63, 64, 200, 254 };
	long given = 0;

	set_xen_guest_handle(more.extent_start, frames);
	for (unsigned n = 0; n < sizeof(nodes) / sizeof(*nodes); n++) {
		more.mem_flags = XENMEMF_exact_node(nodes[n]);
		given += CALL(memory_op, XENMEM_increase_reservation, &more) > 0;
	}
	value("extents from nodes that do not exist", given);
	frames[0] = mfn_of(fresh_page());
	set_xen_guest_handle(exchange.in.extent_start, frames);
	set_xen_guest_handle(exchange.out.extent_start, wanted);
	exchange.out.mem_flags = XENMEMF_exact_node(200);
	answer("exchange for one of node 200", CALL(memory_op, XENMEM_exchange, &exchange));
	denied(given == 0);
}
