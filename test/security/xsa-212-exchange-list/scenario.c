/*
 * XENMEM_exchange with lists in Xen's own memory, reached by an index that goes beyond what was checked.
 *
 * Advisory: XSA-212
 * Expected: -EFAULT for lists of Xen's, -EINVAL for more exchanged than there are; no frame is given up.
 */
#include "../security.h"

SCENARIO("xsa-212-exchange-list")
{
	static xen_pfn_t given[2], wanted[2];
	struct xen_memory_exchange exchange = { .in = { .nr_extents = 1, .domid = DOMID_SELF }, .out = { .nr_extents = 1, .domid = DOMID_SELF } };
	domid_t self = DOMID_SELF;
	long before = CALL(memory_op, XENMEM_current_reservation, &self), out, in, beyond;

	given[0] = mfn_of(fresh_page());
	set_xen_guest_handle(exchange.in.extent_start, given);
	set_xen_guest_handle(exchange.out.extent_start, (xen_pfn_t *)XEN_ADDRESS);
	out = CALL(memory_op, XENMEM_exchange, &exchange);
	answer("frames into Xen's memory", out);
	set_xen_guest_handle(exchange.out.extent_start, wanted);
	set_xen_guest_handle(exchange.in.extent_start, (xen_pfn_t *)XEN_ADDRESS);
	in = CALL(memory_op, XENMEM_exchange, &exchange);
	answer("frames from Xen's memory", in);
	set_xen_guest_handle(exchange.in.extent_start, given);
	exchange.nr_exchanged = 2;
	beyond = CALL(memory_op, XENMEM_exchange, &exchange);
	answer("more exchanged than there are", beyond);
	exchange.nr_exchanged = ~0UL / sizeof(word);
	answer("so many that the address wraps", CALL(memory_op, XENMEM_exchange, &exchange));
	exchange.nr_exchanged = 0;
	exchange.in.nr_extents = exchange.out.nr_extents = ~0UL >> 3;
	answer("lists longer than memory", CALL(memory_op, XENMEM_exchange, &exchange));
	value("pages as before", CALL(memory_op, XENMEM_current_reservation, &self) == before);
	denied(out < 0 && in < 0 && beyond < 0);
}
