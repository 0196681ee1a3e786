/*
 * Version 2 of the table: status words of their own, parts of pages, grants that hand on others.
 *
 * Read: 8 and 16 in a status word are GTF_reading and GTF_writing; statuses are unsigned 16-bit numbers.
 */
#include "grants.h"

static struct gnttab_copy request;

static int copy_from(domid_t self, grant_ref_t ref, unsigned offset, unsigned length, word dest)
{
	request = (struct gnttab_copy){ .flags = GNTCOPY_source_gref, .len = length };
	request.source.domid = self;
	request.source.u.ref = ref;
	request.source.offset = offset;
	request.dest.domid = DOMID_SELF;
	request.dest.u.gmfn = dest;
	OP(copy, &request, 1);
	return request.status;
}

SCENARIO("grantversion-2")
{
	volatile grant_entry_v2_t *table;
	volatile uint16_t *words;
	domid_t self = own_domid();
	volatile word *page = fresh_page(), *at = fresh_page();
	char *to = fresh_page();
	grant_handle_t reading;
	word mfn = mfn_of((void *)page), dest = mfn_of(to);

	use_version(2);
	table = map_table();
	words = map_status();
	if (!is_dom0())
		value("flags of the console's entry", table[0].hdr.flags);
	if (!is_dom0())
		value("its status", words[0]);
	table[70].full_page.frame = mfn;
	table[70].hdr.domid = self;
	table[70].hdr.flags = GTF_permit_access;
	status("map", map_ref(self, 70, (word)at, GNTMAP_host_map));
	value("entry", table[70].hdr.flags);
	value("status", words[70]);
	status("unmap", unmap_handle((word)at, 0, last_map.handle));
	value("status", words[70]);
	status("map read only", map_ref(self, 70, (word)at, GNTMAP_host_map | GNTMAP_readonly));
	value("status", words[70]);
	table[70].hdr.flags = 0;
	reading = last_map.handle;
	status("for writing while it is taken back", map_ref(self, 70, (word)fresh_page(), GNTMAP_host_map));
	value("status", words[70]);
	status("unmap that", unmap_handle(last_map.host_addr, 0, last_map.handle));
	value("status", words[70]);
	status("unmap", unmap_handle((word)at, 0, reading));
	value("status", words[70]);
	status("last reference", map_ref(self, TABLE_FRAMES * 256, (word)at, GNTMAP_host_map));

	table[71].sub_page.frame = mfn;
	table[71].sub_page.page_off = 16;
	table[71].sub_page.length = 32;
	table[71].hdr.domid = self;
	table[71].hdr.flags = GTF_permit_access | GTF_sub_page;
	page[3] = 99;
	status("map a part of a page", map_ref(self, 71, (word)at, GNTMAP_host_map));
	status("copy the part", copy_from(self, 71, 16, 32, dest));
	value("copied", to[8]);
	value("status", words[71]);
	status("copy before it", copy_from(self, 71, 15, 4, dest));
	status("copy beyond it", copy_from(self, 71, 16, 33, dest));

	table[72].transitive.trans_domid = self;
	table[72].transitive.gref = 71;
	table[72].hdr.domid = self;
	table[72].hdr.flags = GTF_transitive;
	status("hand on one's own", copy_from(self, 72, 16, 4, dest));
	table[72].transitive.trans_domid = 4321;
	status("hand on of a domain that does not exist", copy_from(self, 72, 16, 4, dest));
	value("status", words[72]);
	status("map a transitive one", map_ref(self, 72, (word)at, GNTMAP_host_map));
	table[73].full_page.frame = 1ULL << 40;
	table[73].hdr.domid = self;
	table[73].hdr.flags = GTF_permit_access;
	status("a frame of 40 bits", map_ref(self, 73, (word)at, GNTMAP_host_map));
	value("status", words[73]);
	table[74].full_page.frame = mfn;
	table[74].hdr.domid = self;
	table[74].hdr.flags = GTF_permit_access | GTF_readonly;
	status("read only, for writing", map_ref(self, 74, (word)at, GNTMAP_host_map));
	value("status", words[74]);
	map_page(status_page, 0);
	use_version(1);
	value("version 1 again", OP(query_size, &(struct gnttab_query_size){ .dom = DOMID_SELF }, 1));
}
