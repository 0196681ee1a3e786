/*
 * Page tables of a 32-bit guest: three levels, a top table of four entries, the last of which leads to Xen's part too.
 *
 * A level 3 table must name a level 2 table in its fourth entry, and that table cannot be used elsewhere; its last slots are Xen's. Level 3 entries
 * have hardly any flags.
 *
 * Read: -EINVAL for what cannot be a table.
 * Bits: 32
 */
#include "guest.h"

static void try_l3(const char *name, pte *l3, pte last)
{
	l3[3] = last;
	answer("read only", make_readonly(l3));
	answer(name, mmuext(MMUEXT_PIN_L3_TABLE, mfn_of(l3), 0));
	mmuext(MMUEXT_UNPIN_TABLE, mfn_of(l3), 0);
	answer("writable", make_writable(l3));
}

SCENARIO("types-pae")
{
	pte *l3 = fresh_page(), *a = fresh_page(), *b = fresh_page(), *l1 = fresh_page(), *data = fresh_page();
	pte *old = (pte *)start_info->pt_base;

	make_readonly(a);
	make_readonly(b);
	try_l3("empty", l3, 0);
	try_l3("fourth entry: an empty table", l3, frame(mfn_of(a)) | P);
	try_l3("fourth entry writable", l3, frame(mfn_of(a)) | P | RW);
	try_l3("fourth entry of the user", l3, frame(mfn_of(a)) | P | US);
	try_l3("fourth entry with accessed", l3, frame(mfn_of(a)) | P | ACCESSED);
	try_l3("fourth entry with available 0", l3, frame(mfn_of(a)) | P | 0x200);
	try_l3("fourth entry no-execute", l3, frame(mfn_of(a)) | P | NX);
	try_l3("fourth entry of a page of data", l3, frame(mfn_of(data)) | P);
	try_l3("fourth entry of no RAM", l3, frame(0xfffff) | P);
	l3[0] = frame(mfn_of(b)) | P;
	try_l3("first entry too", l3, frame(mfn_of(a)) | P);
	l3[0] = frame(mfn_of(a)) | P;
	try_l3("first and fourth the same", l3, frame(mfn_of(a)) | P);
	l3[0] = frame(mfn_of(b)) | P | RW;
	try_l3("first entry writable", l3, frame(mfn_of(a)) | P);
	l3[0] = 0;
	l3[4] = frame(mfn_of(b)) | P;
	try_l3("a fifth entry", l3, frame(mfn_of(a)) | P);
	l3[4] = 0;
	l3[3] = frame(mfn_of(a)) | P;
	make_readonly(l3);
	answer("pin", mmuext(MMUEXT_PIN_L3_TABLE, mfn_of(l3), 0));
	answer("pin the fourth entry's table", mmuext(MMUEXT_PIN_L2_TABLE, mfn_of(a), 0));
	answer("set entry 0", write_entry(frame(mfn_of(l3)), frame(mfn_of(b)) | P, 0));
	answer("set entry 1 to the table of entry 0", write_entry(frame(mfn_of(l3)) | 8, frame(mfn_of(b)) | P, 0));
	answer("set entry 2 to the table of entry 3", write_entry(frame(mfn_of(l3)) | 16, frame(mfn_of(a)) | P, 0));
	answer("clear entry 3", write_entry(frame(mfn_of(l3)) | 24, 0, 0));
	answer("set entry 3 to another table", write_entry(frame(mfn_of(l3)) | 24, frame(mfn_of(b)) | P, 0));
	answer("set entry 4", write_entry(frame(mfn_of(l3)) | 32, frame(mfn_of(b)) | P, 0));
	make_readonly(l1);
	answer("level 2, slot 0", write_entry(frame(mfn_of(a)), frame(mfn_of(l1)) | P | RW | US, 0));
	answer("level 2, slot 427", write_entry(frame(mfn_of(a)) | 427 * 8, frame(mfn_of(l1)) | P | RW | US, 0));
	answer("level 2, slot 428: Xen's", write_entry(frame(mfn_of(a)) | 428 * 8, frame(mfn_of(l1)) | P | RW | US, 0));
	answer("level 2, slot 511: Xen's", write_entry(frame(mfn_of(a)) | 511 * 8, frame(mfn_of(l1)) | P | RW | US, 0));
	answer("level 2, slot 428 of another table", write_entry(frame(mfn_of(b)) | 428 * 8, frame(mfn_of(l1)) | P | RW | US, 0));
	answer("level 2, slot 0: page size", write_entry(frame(mfn_of(a)), frame(mfn_of(l1)) | P | RW | US | PSE, 0));
	answer("level 2, slot 0: itself, read only", write_entry(frame(mfn_of(a)) | 8, frame(mfn_of(a)) | P, 0));
	answer("level 2, slot 0: itself, writable", write_entry(frame(mfn_of(a)) | 8, frame(mfn_of(a)) | P | RW, 0));
	answer("new_baseptr of a page of data", mmuext(MMUEXT_NEW_BASEPTR, mfn_of(data), 0));
	answer("new_baseptr of a level 2 table", mmuext(MMUEXT_NEW_BASEPTR, mfn_of(b), 0));
	answer("new_baseptr of the one in use", mmuext(MMUEXT_NEW_BASEPTR, root_mfn(), 0));
	answer("new_user_baseptr", mmuext(MMUEXT_NEW_USER_BASEPTR, root_mfn(), 0));
	answer("new_user_baseptr of none", mmuext(MMUEXT_NEW_USER_BASEPTR, 0, 0));
	answer("pin level 4", mmuext(MMUEXT_PIN_L4_TABLE, root_mfn(), 0));
	answer("unpin", mmuext(MMUEXT_UNPIN_TABLE, mfn_of(l3), 0));
	value("entries of the table in use, flags", (old[0] & 0xfff) | (old[3] & 0xfff) << 12);
}
