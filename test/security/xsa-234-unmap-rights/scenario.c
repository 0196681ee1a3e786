/*
 * Two mappings of a grant with different rights whose entries are exchanged before the unmap, so that the writable one would be let go as a read-only one.
 *
 * Advisory: XSA-234
 * Expected: GNTST_general_error (65535) for the entry whose rights are not the mapping's; the page cannot become a table while it is mapped writable.
 */
#include "../security.h"

SCENARIO("xsa-234-unmap-rights")
{
	volatile grant_entry_v1_t *table = map_table();
	domid_t self = own_domid();
	char *page = fresh_page(), *writable = fresh_page(), *readable = fresh_page();
	word mfn = mfn_of(page);
	grant_handle_t w, r;
	int wrong;
	long pinned;

	grant(&table[20], self, mfn, GTF_permit_access);
	status("map for writing", map_ref(self, 20, (word)writable, GNTMAP_host_map));
	w = last_map.handle;
	status("map for reading", map_ref(self, 20, (word)readable, GNTMAP_host_map | GNTMAP_readonly));
	r = last_map.handle;
	wrong = unmap_handle((word)writable, 0, r);
	status("unmap the reading one where the writing one is", wrong);
	status("unmap the writing one where the reading one is", unmap_handle((word)readable, 0, w));
	make_readonly(page);
	pinned = mmuext(MMUEXT_PIN_L1_TABLE, mfn, 0);
	answer("pin while it is mapped writable", pinned);
	status("unmap the writing one", unmap_handle((word)writable, 0, w));
	status("unmap the reading one", unmap_handle((word)readable, 0, r));
	answer("pin now", mmuext(MMUEXT_PIN_L1_TABLE, mfn, 0));
	mmuext(MMUEXT_UNPIN_TABLE, mfn, 0);
	value("uses left", USE(table[20].flags));
	denied(wrong < 0 && pinned != 0);
}
