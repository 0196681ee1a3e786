/*
 * Grants and the other uses of a frame: what is mapped by a grant stays writable memory, cannot become a table, and is not taken from the domain.
 *
 * Read: -EBUSY and -EINVAL where the mapping by the grant forbids the other use.
 */
#include "grants.h"

SCENARIO("granted-frames")
{
	volatile grant_entry_v1_t *table = map_table();
	domid_t self = own_domid();
	char *page = fresh_page(), *at = fresh_page(), *given = fresh_page();
	word mfn = mfn_of(page);
	struct xen_memory_reservation back = { .nr_extents = 1, .domid = DOMID_SELF };
	xen_pfn_t one = mfn;
	struct gnttab_cache_flush flush = { .op = GNTTAB_CACHE_CLEAN, .length = 64 };

	grant(&table[50], self, mfn, GTF_permit_access);
	status("map", map_ref(self, 50, (word)at, GNTMAP_host_map));
	answer("the page read only", make_readonly(page));
	answer("as a table: the grant's mapping is writable", mmuext(MMUEXT_PIN_L1_TABLE, mfn, 0));
	status("unmap", unmap_handle((word)at, 0, last_map.handle));
	answer("as a table now", mmuext(MMUEXT_PIN_L1_TABLE, mfn, 0));
	status("map for writing while it is one", map_ref(self, 50, (word)at, GNTMAP_host_map));
	status("map for reading while it is one", map_ref(self, 50, (word)at, GNTMAP_host_map | GNTMAP_readonly));
	answer("unpin", mmuext(MMUEXT_UNPIN_TABLE, mfn, 0));
	answer("the page writable", make_writable(page));
	answer("the page not mapped", map_page(page, 0));
	set_xen_guest_handle(back.extent_start, &one);
	answer("give the frame back", CALL(memory_op, XENMEM_decrease_reservation, &back));
	value("its pseudo-physical number is gone", ((word *)M2P_ADDRESS)[mfn] == (word)-1 || ((word *)M2P_ADDRESS)[mfn] == pfn_of(page));
	status("map it again", map_ref(self, 50, (word)page, GNTMAP_host_map | GNTMAP_readonly));
	if (last_map.status == 0)
		status("unmap it", unmap_handle((word)page, 0, last_map.handle));

	mfn = mfn_of(given);
	flush.a.dev_bus_addr = frame(mfn);
	answer("flush a page of one's own", OP(cache_flush, &flush, 1));
	flush.op = GNTTAB_CACHE_INVAL;
	answer("drop it", OP(cache_flush, &flush, 1));
	flush.op = GNTTAB_CACHE_INVAL | GNTTAB_CACHE_CLEAN;
	answer("both", OP(cache_flush, &flush, 1));
	flush.op = GNTTAB_CACHE_SOURCE_GREF | GNTTAB_CACHE_CLEAN;
	answer("by reference", OP(cache_flush, &flush, 1));
	flush.op = 0;
	answer("neither", OP(cache_flush, &flush, 1));
	flush.op = GNTTAB_CACHE_CLEAN;
	flush.offset = 4096;
	answer("offset 4096", OP(cache_flush, &flush, 1));
	flush.offset = 4000;
	flush.length = 97;
	answer("beyond the page", OP(cache_flush, &flush, 1));
	flush.length = 96;
	answer("to its end", OP(cache_flush, &flush, 1));
	flush.a.dev_bus_addr = 0xffffffffff000ULL;
	answer("no frame", OP(cache_flush, &flush, 1));
	answer("list of none", OP(cache_flush, &flush, 0));
}
