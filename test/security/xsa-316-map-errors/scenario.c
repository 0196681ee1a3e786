/*
 * A map that is refused late, after the grant was pinned: its status has to say so, and nothing of it may stay.
 *
 * Advisory: XSA-316
 * Expected: a status below 0 in each case, and no use left in the entry.
 */
#include "../security.h"

SCENARIO("xsa-316-map-errors")
{
	volatile grant_entry_v1_t *table = map_table();
	domid_t self = own_domid();
	char *page = fresh_page();
	int bad = 0;

	grant(&table[20], self, mfn_of(page), GTF_permit_access);
	bad += map_ref(self, 20, UNMAPPED, GNTMAP_host_map) >= 0;
	status("at an address without tables", last_map.status);
	bad += map_ref(self, 20, XEN_ADDRESS, GNTMAP_host_map | GNTMAP_device_map) >= 0;
	status("at one of Xen's, with a device map", last_map.status);
	bad += map_ref(self, 20, frame(mfn_of(page)), GNTMAP_host_map | GNTMAP_contains_pte) >= 0;
	status("in a page that is no table", last_map.status);
	grant(&table[21], self, 0xffffffff, GTF_permit_access);
	bad += map_ref(self, 21, (word)page, GNTMAP_host_map) >= 0;
	status("a frame that is none", last_map.status);
	value("uses left", USE(table[20].flags) | USE(table[21].flags));
	make_readonly(page);
	answer("the page can become a table", mmuext(MMUEXT_PIN_L1_TABLE, mfn_of(page), 0));
	mmuext(MMUEXT_UNPIN_TABLE, mfn_of(page), 0);
	denied(bad == 0 && !(USE(table[20].flags) | USE(table[21].flags)));
}
