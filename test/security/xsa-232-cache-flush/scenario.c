/*
 * GNTTABOP_cache_flush of pages whose owner has no grant table: Xen's own, and those that nobody owns.
 *
 * Advisory: XSA-232
 * Expected: -EPERM or -EINVAL, and Xen goes on.
 */
#include "../security.h"

SCENARIO("xsa-232-cache-flush")
{
	struct gnttab_cache_flush flush = { .op = GNTTAB_CACHE_CLEAN, .length = 64 };
	word own_m2p = 0;
	long low, far, none;

	flush.a.dev_bus_addr = 0x100000;
	low = OP(cache_flush, &flush, 1);
	value("a page of Xen's or nobody's is refused", low == -1 || low == -22);
	flush.a.dev_bus_addr = 0x200000;
	far = OP(cache_flush, &flush, 1);
	value("another", far == -1 || far == -22);
	flush.a.dev_bus_addr = ~0xfffULL >> 12;
	none = OP(cache_flush, &flush, 1);
	answer("no page at all", none);
	flush.a.dev_bus_addr = frame(mfn_of(&own_m2p));
	answer("one of its own, on the stack", OP(cache_flush, &flush, 1));
	denied(low != 0 && far != 0 && none != 0);
}
