/*
 * A grant is mapped and unmapped: what the entry shows meanwhile, what the mapping is, what becomes of a grant that is taken back.
 *
 * GTF_reading is set with the first use and cleared with the last, GTF_writing with the first and last that may write. While a grant is in use the entry
 * itself does not matter any more.
 *
 * Read: 8 and 16 in the flags of an entry are GTF_reading and GTF_writing; statuses are unsigned 16-bit numbers, 65535 being GNTST_general_error.
 */
#include "grants.h"

SCENARIO("granted-maps")
{
	volatile grant_entry_v1_t *table = map_table();
	domid_t self = own_domid();
	volatile word *page = fresh_page();
	volatile word *at = fresh_page(), *other = fresh_page();
	word mfn = mfn_of((void *)page);
	grant_handle_t first, second;

	if (!is_dom0())
		value("flags of the console's entry", table[0].flags);
	if (!is_dom0())
		value("flags of the store's entry", table[1].flags);
	page[0] = 0x1234;
	grant(&table[20], self, mfn, GTF_permit_access);
	status("map", map_ref(self, 20, (word)at, GNTMAP_host_map));
	first = last_map.handle;
	value("bus address is the frame's", last_map.dev_bus_addr == frame(mfn));
	value("entry", USE(table[20].flags));
	value("through the mapping", at[0]);
	at[1] = 0x5678;
	value("through the page", page[1]);
	value("flags of the mapping", entry_of((void *)at, 1) & 0xfff);
	value("it may not be executed", entry_of((void *)at, 1) >> 63);
	status("map again, read only", map_ref(self, 20, (word)other, GNTMAP_host_map | GNTMAP_readonly));
	second = last_map.handle;
	value("another handle", second != first);
	value("entry", USE(table[20].flags));
	value("flags of the mapping", entry_of((void *)other, 1) & 0xfff);
	status("unmap the first", unmap_handle((word)at, 0, first));
	value("entry", USE(table[20].flags));
	value("nothing is there", entry_of((void *)at, 1));
	status("unmap it again", unmap_handle((word)at, 0, first));
	status("unmap the second", unmap_handle((word)other, 0, second));
	value("entry", USE(table[20].flags));

	status("read only first", map_ref(self, 20, (word)at, GNTMAP_host_map | GNTMAP_readonly));
	first = last_map.handle;
	value("entry", USE(table[20].flags));
	status("then for writing", map_ref(self, 20, (word)other, GNTMAP_host_map));
	second = last_map.handle;
	value("entry", USE(table[20].flags));
	unmap_handle((word)other, 0, second);
	value("entry without the second", USE(table[20].flags));
	table[20].flags = 0;
	status("map while it is taken back, read only", map_ref(self, 20, (word)other, GNTMAP_host_map | GNTMAP_readonly));
	second = last_map.handle;
	value("entry", table[20].flags);
	unmap_handle((word)other, 0, second);
	status("map while it is taken back, for writing", map_ref(self, 20, (word)other, GNTMAP_host_map));
	value("entry", table[20].flags);
	unmap_handle((word)other, 0, last_map.handle);
	value("entry without that", table[20].flags);
	status("unmap", unmap_handle((word)at, 0, first));
	value("entry", table[20].flags);
	status("map when it is taken back", map_ref(self, 20, (word)at, GNTMAP_host_map));

	grant(&table[21], self, mfn, GTF_permit_access | GTF_readonly);
	status("read-only grant for writing", map_ref(self, 21, (word)at, GNTMAP_host_map));
	value("entry", table[21].flags);
	status("read-only grant", map_ref(self, 21, (word)at, GNTMAP_host_map | GNTMAP_readonly));
	first = last_map.handle;
	status("for writing while it is in use", map_ref(self, 21, (word)other, GNTMAP_host_map));
	value("entry", table[21].flags);
	unmap_handle((word)at, 0, first);
	value("entry after", table[21].flags);

	grant(&table[22], self, mfn, GTF_permit_access);
	status("map for user mode", map_ref(self, 22, (word)at, GNTMAP_host_map | GNTMAP_application_map));
	ONLY64(value("flags of the mapping", entry_of((void *)at, 1) & 0xfff));
	ONLY32(value("flags of the mapping", entry_of((void *)at, 1) & 0xfff));
	unmap_handle((word)at, 0, last_map.handle);
	status("map with available bits", map_ref(self, 22, (word)at, GNTMAP_host_map | (5 << 16)));
	value("flags of the mapping", entry_of((void *)at, 1) & 0xfff);
	unmap_handle((word)at, 0, last_map.handle);
	status("map for a device", map_ref(self, 22, (word)at, GNTMAP_device_map));
	first = last_map.handle;
	value("nothing is there", entry_of((void *)at, 1));
	value("entry", USE(table[22].flags));
	status("unmap with a wrong bus address", unmap_handle(0, frame(mfn + 1), first));
	status("unmap with the right one", unmap_handle(0, frame(mfn), first));
	value("entry", USE(table[22].flags));
	status("map for both", map_ref(self, 22, (word)at, GNTMAP_device_map | GNTMAP_host_map));
	first = last_map.handle;
	status("unmap nothing of it", unmap_handle(0, 0, first));
	status("unmap the host's", unmap_handle((word)at, 0, first));
	value("entry", USE(table[22].flags));
	status("unmap the host's again", unmap_handle((word)at, 0, first));
	status("unmap the device's", unmap_handle(0, frame(mfn), first));
	value("entry", USE(table[22].flags));
	status("and again", unmap_handle(0, frame(mfn), first));
}
