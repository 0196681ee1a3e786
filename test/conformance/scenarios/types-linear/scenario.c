/*
 * Linear page tables: an entry that names a table of its own level, read only, so that the tables appear as an array.
 *
 * Xen allows one level of it: a table may name itself, or another table in use of its level which names none and is named... not the other way
 * round too. pv-linear-pt may be switched off on Xen's command line; Debian leaves it on.
 *
 * Read: -EINVAL where the chain would get longer or the entry is writable.
 * Bits: 64
 */
#include "guest.h"

SCENARIO("types-linear")
{
	word *a = fresh_page(), *b = fresh_page(), *c = fresh_page(), *l2 = fresh_page(), *l3 = fresh_page();
	word at_a = mfn_of(a) << 12, at_b = mfn_of(b) << 12, at_c = mfn_of(c) << 12;

	make_readonly(a);
	make_readonly(b);
	make_readonly(c);
	make_readonly(l2);
	make_readonly(l3);
	answer("pin a", mmuext(MMUEXT_PIN_L4_TABLE, mfn_of(a), 0));
	answer("pin b", mmuext(MMUEXT_PIN_L4_TABLE, mfn_of(b), 0));
	answer("pin c", mmuext(MMUEXT_PIN_L4_TABLE, mfn_of(c), 0));
	answer("a names itself, writable", write_entry(at_a | 8, at_a | P | RW | US, 0));
	answer("a names itself, read only", write_entry(at_a | 8, at_a | P | US, 0));
	value("stored", a[1] & 0xfff);
	answer("a names itself twice", write_entry(at_a | 16, at_a | P | US, 0));
	answer("made writable in place", write_entry(at_a | 16, at_a | P | RW | US, 0));
	answer("slot 2 cleared", write_entry(at_a | 16, 0, 0));
	answer("a names b, writable", write_entry(at_a | 24, at_b | P | RW | US, 0));
	answer("a names b, read only", write_entry(at_a | 24, at_b | P | US, 0));
	answer("b names c: b is named", write_entry(at_b | 24, at_c | P | US, 0));
	answer("b names a", write_entry(at_b | 24, at_a | P | US, 0));
	answer("c names a: a names b", write_entry(at_c | 24, at_a | P | US, 0));
	answer("c names b", write_entry(at_c | 24, at_b | P | US, 0));
	answer("b names itself", write_entry(at_b | 24, at_b | P | US, 0));
	answer("unpin b: held by a and c", mmuext(MMUEXT_UNPIN_TABLE, mfn_of(b), 0));
	answer("b writable", make_writable(b));
	answer("unpin a", mmuext(MMUEXT_UNPIN_TABLE, mfn_of(a), 0));
	answer("a writable", make_writable(a));
	answer("b names itself cleared", write_entry(at_b | 24, 0, 0));
	answer("c names b no more", write_entry(at_c | 24, 0, 0));
	answer("b writable now", make_writable(b));
	answer("unpin c", mmuext(MMUEXT_UNPIN_TABLE, mfn_of(c), 0));
	answer("c writable", make_writable(c));
	answer("pin level 2", mmuext(MMUEXT_PIN_L2_TABLE, mfn_of(l2), 0));
	answer("level 2 names itself", write_entry(mfn_of(l2) << 12 | 8, mfn_of(l2) << 12 | P | US, 0));
	answer("level 2 names the level 4 in use", write_entry(mfn_of(l2) << 12 | 16, root_mfn() << 12 | P | US, 0));
	answer("unpin level 2", mmuext(MMUEXT_UNPIN_TABLE, mfn_of(l2), 0));
	answer("level 2 writable", make_writable(l2));
	answer("pin level 3", mmuext(MMUEXT_PIN_L3_TABLE, mfn_of(l3), 0));
	answer("level 3 names itself", write_entry(mfn_of(l3) << 12 | 8, mfn_of(l3) << 12 | P | US, 0));
	answer("level 4 in use: slot 5 names it", write_entry(root_mfn() << 12 | 40, root_mfn() << 12 | P | US, 0));
	value("the table seen through itself is the same", *(volatile word *)((5UL << 39) | (5UL << 30) | (5UL << 21) | (5UL << 12) | 40) == ((const word *)start_info->pt_base)[5]);
	answer("slot 5 cleared", write_entry(root_mfn() << 12 | 40, 0, 0));
}
