/*
 * GNTTABOP_copy between pages of the domain itself, by frame and by grant.
 *
 * Read: statuses are unsigned 16-bit numbers: 65535 general error, 65534 bad domain, 65533 bad reference, 65528 permission denied, 65527 bad page, 65526 bad
 * copy argument.
 */
#include "grants.h"

static struct gnttab_copy request;

static int copy(unsigned flags, domid_t from, word source, domid_t to, word dest, unsigned length)
{
	request.flags = flags;
	request.len = length;
	request.source.domid = from;
	request.dest.domid = to;
	if (flags & GNTCOPY_source_gref)
		request.source.u.ref = source;
	else
		request.source.u.gmfn = source;
	if (flags & GNTCOPY_dest_gref)
		request.dest.u.ref = dest;
	else
		request.dest.u.gmfn = dest;
	OP(copy, &request, 1);
	return request.status;
}

SCENARIO("granted-copies")
{
	volatile grant_entry_v1_t *table = map_table();
	domid_t self = own_domid();
	char *from = fresh_page(), *to = fresh_page(), *tables = fresh_page();
	word source = mfn_of(from), dest = mfn_of(to);
	struct gnttab_copy list[3];

	from[10] = 42;
	request.source.offset = 8;
	request.dest.offset = 100;
	status("by frame", copy(0, DOMID_SELF, source, DOMID_SELF, dest, 16));
	value("copied", to[102]);
	status("by frame, own number", copy(0, self, source, DOMID_SELF, dest, 16));
	status("by frame to own number", copy(0, DOMID_SELF, source, self, dest, 16));
	grant(&table[60], self, source, GTF_permit_access | GTF_readonly);
	grant(&table[61], self, dest, GTF_permit_access);
	from[10] = 43;
	status("from a grant", copy(GNTCOPY_source_gref, self, 60, DOMID_SELF, dest, 16));
	value("copied", to[102]);
	value("entry after", USE(table[60].flags));
	from[10] = 44;
	status("to a grant", copy(GNTCOPY_dest_gref, DOMID_SELF, source, self, 61, 16));
	value("copied", to[102]);
	value("entry after", USE(table[61].flags));
	status("both", copy(GNTCOPY_source_gref | GNTCOPY_dest_gref, self, 60, DOMID_SELF, 61, 16));
	status("DOMID_SELF with a grant", copy(GNTCOPY_source_gref, DOMID_SELF, 60, DOMID_SELF, dest, 16));
	status("to a read-only grant", copy(GNTCOPY_dest_gref, DOMID_SELF, dest, self, 60, 16));
	status("from an empty entry", copy(GNTCOPY_source_gref, self, 62, DOMID_SELF, dest, 16));
	status("from beyond the table", copy(GNTCOPY_source_gref, self, 2048, DOMID_SELF, dest, 16));
	status("from a domain that does not exist", copy(GNTCOPY_source_gref, 4321, 60, DOMID_SELF, dest, 16));
	status("from no frame", copy(0, DOMID_SELF, (word)-1, DOMID_SELF, dest, 16));
	status("from a frame of another", copy(0, DOMID_SELF, 3, DOMID_SELF, dest, 16));
	status("nothing", copy(0, DOMID_SELF, source, DOMID_SELF, dest, 0));
	request.source.offset = 4090;
	status("beyond the source", copy(0, DOMID_SELF, source, DOMID_SELF, dest, 16));
	request.source.offset = 0;
	request.dest.offset = 4081;
	status("beyond the destination", copy(0, DOMID_SELF, source, DOMID_SELF, dest, 16));
	request.dest.offset = 4080;
	status("to its end", copy(0, DOMID_SELF, source, DOMID_SELF, dest, 16));
	request.dest.offset = 0;
	status("a whole page", copy(0, DOMID_SELF, source, DOMID_SELF, dest, 4096));
	status("a page onto itself", copy(0, DOMID_SELF, source, DOMID_SELF, source, 4096));
	make_readonly(tables);
	mmuext(MMUEXT_PIN_L1_TABLE, mfn_of(tables), 0);
	status("from a table", copy(0, DOMID_SELF, mfn_of(tables), DOMID_SELF, dest, 16));
	status("to a table", copy(0, DOMID_SELF, source, DOMID_SELF, mfn_of(tables), 16));
	mmuext(MMUEXT_UNPIN_TABLE, mfn_of(tables), 0);
	grant(&table[63], self, mfn_of(tables), GTF_permit_access);
	status("while it is mapped", map_ref(self, 63, (word)fresh_page(), GNTMAP_host_map | GNTMAP_readonly));
	table[63].flags = 0;
	status("from a grant in use that was taken back", copy(GNTCOPY_source_gref, self, 63, DOMID_SELF, dest, 16));
	status("to it", copy(GNTCOPY_dest_gref, DOMID_SELF, source, self, 63, 16));
	value("entry after", table[63].flags);
	status("unmap", unmap_handle(last_map.host_addr, 0, last_map.handle));
	for (int n = 0; n < 3; n++)
		list[n] = (struct gnttab_copy){ .flags = n == 1 ? GNTCOPY_source_gref : 0,
						.len = 8,
						.source = { .u.gmfn = n == 1 ? 62 : source, .domid = DOMID_SELF },
						.dest = { .u.gmfn = dest, .domid = DOMID_SELF } };
	answer("a list whose second is refused", OP(copy, list, 3));
	for (int n = 0; n < 3; n++)
		status("  status", list[n].status);
}
