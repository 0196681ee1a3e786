/*
 * The entry that maps a grant is overwritten without an unmap: the frame is let go, the grant stays in use, and the unmap finds another entry.
 *
 * A debug build of Xen raises #GP at the store, which ends this guest: it has an image of its own. The release shows only when the unmap comes, by its status.
 *
 * Read: status 65535 is GNTST_general_error, and the entry keeps GTF_reading and GTF_writing for ever.
 */
#include "grants.h"

SCENARIO("grantlost-overwritten")
{
	volatile grant_entry_v1_t *table = map_table();
	domid_t self = own_domid();
	char *page = fresh_page(), *at = fresh_page(), *more = fresh_page();
	word mfn = mfn_of(page), was = mfn_of(at);
	grant_handle_t handle;

	grant(&table[110], self, mfn, GTF_permit_access);
	status("map", map_ref(self, 110, (word)at, GNTMAP_host_map));
	handle = last_map.handle;
	answer("its entry is overwritten", map_page(at, frame(was) | P | RW));
	status("unmap", unmap_handle((word)at, 0, handle));
	value("entry", USE(table[110].flags));
	answer("nothing there", map_page(at, 0));
	status("unmap", unmap_handle((word)at, 0, handle));
	answer("the grant's frame by hand", map_page(at, frame(mfn) | P | RW));
	status("unmap what looks like it", unmap_handle((word)at, 0, handle));
	value("entry", USE(table[110].flags));

	grant(&table[111], self, mfn, GTF_permit_access);
	status("map read only", map_ref(self, 111, (word)more, GNTMAP_host_map | GNTMAP_readonly));
	answer("made writable by hand", map_page(more, frame(mfn) | P | RW));
	status("unmap", unmap_handle((word)more, 0, last_map.handle));
	answer("made read only again", map_page(more, frame(mfn) | P));
	status("unmap", unmap_handle((word)more, 0, last_map.handle));
	value("entry", USE(table[111].flags));
}
