/*
 * Extents of enormous order, over which Xen would loop without end.
 *
 * Advisory: XSA-158
 * Expected: none is given or taken; an order beyond the limit answers 0 extents at once.
 */
#include "../security.h"

SCENARIO("xsa-158-extent-order")
{
	static xen_pfn_t frames[1];
	struct xen_memory_reservation request = { .nr_extents = 1, .domid = DOMID_SELF };
	unsigned orders[] = { 20, 31, 32, 63, 64, 255 };
	long given = 0, taken = 0;

	set_xen_guest_handle(request.extent_start, frames);
	frames[0] = mfn_of(fresh_page());
	for (unsigned n = 0; n < sizeof(orders) / sizeof(*orders); n++) {
		request.extent_order = orders[n];
		given += CALL(memory_op, XENMEM_increase_reservation, &request) > 0;
		taken += CALL(memory_op, XENMEM_decrease_reservation, &request) > 0;
	}
	value("given", given);
	value("taken", taken);
	denied(given == 0 && taken == 0);
}
