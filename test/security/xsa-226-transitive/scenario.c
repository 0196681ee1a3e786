/*
 * Grants that hand on each other in a circle, or themselves, which used to be followed without end.
 *
 * Advisory: XSA-226
 * Expected: GNTST_general_error (65535), and no use left in the entries.
 */
#include "../security.h"

SCENARIO("xsa-226-transitive")
{
	volatile grant_entry_v2_t *table;
	volatile uint16_t *words;
	domid_t self = own_domid();
	struct gnttab_copy copy = { .flags = GNTCOPY_source_gref, .len = 8 };

	use_version(2);
	table = map_table();
	words = map_status();
	for (int n = 0; n < 2; n++) {
		table[20 + n].transitive.trans_domid = self;
		table[20 + n].transitive.gref = 21 - n;
		table[20 + n].hdr.domid = self;
		table[20 + n].hdr.flags = GTF_transitive;
	}
	copy.source.domid = self;
	copy.source.u.ref = 20;
	copy.dest.domid = DOMID_SELF;
	copy.dest.u.gmfn = mfn_of(fresh_page());
	answer("two in a circle", OP(copy, &copy, 1));
	status("  status", copy.status);
	table[20].transitive.gref = 20;
	answer("one on itself", OP(copy, &copy, 1));
	status("  status", copy.status);
	value("uses left", words[20] | words[21]);
	denied(copy.status < 0 && !(words[20] | words[21]));
	table[20].hdr.flags = table[21].hdr.flags = 0;
	map_page(status_page, 0);
	use_version(1);
}
