/*
 * A copy from and to grants has to clear the flags by which the granting domain sees that they are in use, in every case, refused ones included.
 *
 * Advisory: XSA-230
 * Expected: GTF_reading and GTF_writing are clear after each copy.
 */
#include "../security.h"

SCENARIO("xsa-230-use-flags")
{
	volatile grant_entry_v1_t *table = map_table();
	domid_t self = own_domid();
	char *tables = fresh_page();
	struct gnttab_copy copy = { .flags = GNTCOPY_source_gref | GNTCOPY_dest_gref, .len = 8 };
	unsigned left = 0;

	grant(&table[20], self, mfn_of(fresh_page()), GTF_permit_access | GTF_readonly);
	grant(&table[21], self, mfn_of(fresh_page()), GTF_permit_access);
	copy.source.domid = copy.dest.domid = self;
	copy.source.u.ref = 20;
	copy.dest.u.ref = 21;
	OP(copy, &copy, 1);
	status("copied", copy.status);
	left |= USE(table[20].flags) | USE(table[21].flags);
	copy.len = 5000;
	OP(copy, &copy, 1);
	status("too long", copy.status);
	left |= USE(table[20].flags) | USE(table[21].flags);
	copy.len = 8;
	copy.dest.u.ref = 22;
	OP(copy, &copy, 1);
	status("to an empty entry", copy.status);
	left |= USE(table[20].flags) | USE(table[22].flags);
	make_readonly(tables);
	mmuext(MMUEXT_PIN_L1_TABLE, mfn_of(tables), 0);
	grant(&table[23], self, mfn_of(tables), GTF_permit_access);
	copy.dest.u.ref = 23;
	OP(copy, &copy, 1);
	status("to a page table", copy.status);
	left |= USE(table[20].flags) | USE(table[23].flags);
	mmuext(MMUEXT_UNPIN_TABLE, mfn_of(tables), 0);
	value("uses left", left);
	denied(left == 0);
}
