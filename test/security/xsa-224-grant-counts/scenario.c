/*
 * A grant that is mapped for the processor and for a device at once and unmapped in parts, which used to leave the page's counts too low: the page
 * could become a page table while it was still mapped writable.
 *
 * Advisory: XSA-224
 * Expected: as long as one of the two maps is there the page cannot be pinned (-EINVAL); after the last it can.
 */
#include "../security.h"

SCENARIO("xsa-224-grant-counts")
{
	volatile grant_entry_v1_t *table = map_table();
	domid_t self = own_domid();
	char *page = fresh_page(), *at = fresh_page();
	word mfn = mfn_of(page);
	long host_gone, device_gone, again;

	grant(&table[20], self, mfn, GTF_permit_access);
	status("map both", map_ref(self, 20, (word)at, GNTMAP_host_map | GNTMAP_device_map));
	make_readonly(page);
	status("unmap the host's alone", unmap_handle((word)at, 0, last_map.handle));
	host_gone = mmuext(MMUEXT_PIN_L1_TABLE, mfn, 0);
	answer("pin: a device may still write", host_gone);
	status("unmap the device's", unmap_handle(0, frame(mfn), last_map.handle));
	answer("pin now", mmuext(MMUEXT_PIN_L1_TABLE, mfn, 0));
	mmuext(MMUEXT_UNPIN_TABLE, mfn, 0);
	status("map both", map_ref(self, 20, (word)at, GNTMAP_host_map | GNTMAP_device_map));
	status("unmap the device's alone", unmap_handle(0, frame(mfn), last_map.handle));
	device_gone = mmuext(MMUEXT_PIN_L1_TABLE, mfn, 0);
	answer("pin: it is still mapped", device_gone);
	status("unmap the device's again", unmap_handle(0, frame(mfn), last_map.handle));
	again = mmuext(MMUEXT_PIN_L1_TABLE, mfn, 0);
	answer("pin: still", again);
	status("unmap with both, the device's done", unmap_handle((word)at, frame(mfn), last_map.handle));
	answer("pin now", mmuext(MMUEXT_PIN_L1_TABLE, mfn, 0));
	mmuext(MMUEXT_UNPIN_TABLE, mfn, 0);
	denied(host_gone != 0 && device_gone != 0 && again != 0);
}
