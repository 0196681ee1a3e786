/*
 * map_grant_ref and unmap_grant_ref are refused: flags, domains, references, entries, addresses, handles, lists.
 *
 * Read: statuses are unsigned 16-bit numbers: 65535 general error, 65534 bad domain, 65533 bad reference, 65532 bad handle, 65527 bad page. The call itself
 * answers 0 unless the list cannot be read or written.
 */
#include "grants.h"

SCENARIO("granted-refusals")
{
	volatile grant_entry_v1_t *table = map_table();
	domid_t self = own_domid();
	volatile word *page = fresh_page(), *at = fresh_page();
	word mfn = mfn_of((void *)page);
	struct gnttab_map_grant_ref list[3];
	char *table_page = fresh_page();
	grant_handle_t reading;

	status("no kind of map", map_ref(self, 40, (word)at, 0));
	status("read only alone", map_ref(self, 40, (word)at, GNTMAP_readonly));
	status("DOMID_SELF", map_ref(DOMID_SELF, 40, (word)at, GNTMAP_host_map));
	status("DOMID_IO", map_ref(DOMID_IO, 40, (word)at, GNTMAP_host_map));
	status("DOMID_XEN", map_ref(DOMID_XEN, 40, (word)at, GNTMAP_host_map));
	status("no such domain", map_ref(4321, 40, (word)at, GNTMAP_host_map));
	status("first reference beyond the table", map_ref(self, TABLE_FRAMES * 512, (word)at, GNTMAP_host_map));
	status("last reference of all", map_ref(self, 0xffffffff, (word)at, GNTMAP_host_map));
	status("last reference of the table, empty", map_ref(self, TABLE_FRAMES * 512 - 1, (word)at, GNTMAP_host_map));
	status("an empty entry", map_ref(self, 40, (word)at, GNTMAP_host_map));
	grant(&table[40], self + 1, mfn, GTF_permit_access);
	status("granted to another", map_ref(self, 40, (word)at, GNTMAP_host_map));
	grant(&table[40], self, mfn, GTF_accept_transfer);
	status("an offer", map_ref(self, 40, (word)at, GNTMAP_host_map));
	grant(&table[40], self, mfn, GTF_transitive);
	status("a transitive one, in version 1", map_ref(self, 40, (word)at, GNTMAP_host_map));
	grant(&table[40], self, mfn, GTF_permit_access | GTF_sub_page);
	status("a part of a page", map_ref(self, 40, (word)at, GNTMAP_host_map));
	grant(&table[40], DOMID_SELF, mfn, GTF_permit_access);
	status("granted to DOMID_SELF", map_ref(self, 40, (word)at, GNTMAP_host_map));
	value("entry after all of these", USE(table[40].flags));
	grant(&table[40], self, 0xffffffff, GTF_permit_access);
	status("a frame that is none", map_ref(self, 40, (word)at, GNTMAP_host_map));
	grant(&table[40], self, 3, GTF_permit_access);
	status("a frame of another", map_ref(self, 40, (word)at, GNTMAP_host_map));
	value("entry", USE(table[40].flags));
	grant(&table[40], self, mfn, GTF_permit_access);
	status("at an address without tables", map_ref(self, 40, UNMAPPED, GNTMAP_host_map));
	status("at an address of Xen's", map_ref(self, 40, XEN_ADDRESS, GNTMAP_host_map));
	ONLY64(status("at an address that is not canonical", map_ref(self, 40, NOT_CANONICAL, GNTMAP_host_map)));
	ONLY32(status("at an address of more than 32 bits", map_ref(self, 40, 1ULL << 32 | (word)at, GNTMAP_host_map)));
	value("entry", USE(table[40].flags));

	/* A level 1 table cannot be granted for writing, for reading it can. */
	make_readonly(table_page);
	answer("pin a table", mmuext(MMUEXT_PIN_L1_TABLE, mfn_of(table_page), 0));
	grant(&table[41], self, mfn_of(table_page), GTF_permit_access);
	status("a table, for writing", map_ref(self, 41, (word)at, GNTMAP_host_map));
	value("entry", USE(table[41].flags));
	status("a table, for a device to write", map_ref(self, 41, (word)at, GNTMAP_device_map));
	status("a table, for reading", map_ref(self, 41, (word)at, GNTMAP_host_map | GNTMAP_readonly));
	reading = last_map.handle;
	status("and for writing while it is in use", map_ref(self, 41, (word)page, GNTMAP_host_map));
	value("entry", USE(table[41].flags));
	status("unmap at another address", unmap_handle((word)page, 0, reading));
	status("unmap", unmap_handle((word)at, 0, reading));

	status("a handle far away", unmap_handle((word)at, 0, 0x7fffffff));
	status("the handle of all ones", unmap_handle((word)at, 0, 0xffffffff));
	status("a free handle", unmap_handle((word)at, 0, 200));

	for (int n = 0; n < 3; n++)
		list[n] = (struct gnttab_map_grant_ref){ .dom = self, .ref = n == 1 ? 4000 : 40, .flags = GNTMAP_host_map | GNTMAP_readonly, .host_addr = (word)fresh_page() };
	answer("a list whose second is refused", OP(map_grant_ref, list, 3));
	for (int n = 0; n < 3; n++)
		status("  status", list[n].status);
	status("unmap the first", unmap_handle(list[0].host_addr, 0, list[0].handle));
	status("unmap the third", unmap_handle(list[2].host_addr, 0, list[2].handle));
	answer("list of none", OP(map_grant_ref, list, 0));
	answer("count -1", OP(map_grant_ref, list, -1));
	answer("bits above the command", CALL(grant_table_op, 0x1000 | GNTTABOP_map_grant_ref, list, 1));
	answer("bits above another command", CALL(grant_table_op, 0x1000 | GNTTABOP_query_size, list, 1));
	answer("list at an address of Xen's", OP(map_grant_ref, XEN_ADDRESS, 1));
	make_readonly(table_page);
	answer("a list that cannot be written", OP(unmap_grant_ref, table_page, 1));
}
