/*
 * Tables of level 2, 3 and 4: each entry must name a table of the level below, or a page that can become one.
 *
 * Read: -EINVAL where a table has another type; a page becomes the type that the entry wants when it is free for it. Counts: as long as a table
 * refers to a page, that page stays a table, pinned or not.
 * Bits: 64
 */
#include "guest.h"

SCENARIO("types-levels")
{
	word *l1 = fresh_page(), *l2 = fresh_page(), *l3 = fresh_page(), *l4 = fresh_page(), *page = fresh_page();

	make_readonly(l1);
	l2[0] = mfn_of(l1) << 12 | P | RW | US;
	make_readonly(l2);
	answer("level 2 pinned as level 1", mmuext(MMUEXT_PIN_L1_TABLE, mfn_of(l2), 0));
	answer("level 2 pinned", mmuext(MMUEXT_PIN_L2_TABLE, mfn_of(l2), 0));
	answer("its level 1 cannot be writable", make_writable(l1));
	answer("its level 1 can be pinned", mmuext(MMUEXT_PIN_L1_TABLE, mfn_of(l1), 0));
	answer("its level 1 unpinned", mmuext(MMUEXT_UNPIN_TABLE, mfn_of(l1), 0));
	answer("still not writable", make_writable(l1));
	answer("level 2 entry for a page of data", write_entry(mfn_of(l2) << 12 | 8, mfn_of(page) << 12 | P | RW | US, 0));
	answer("level 2 entry for the level 1 again", write_entry(mfn_of(l2) << 12 | 8, mfn_of(l1) << 12 | P | RW | US, 0));
	answer("level 2 entry for a level 4", write_entry(mfn_of(l2) << 12 | 16, root_mfn() << 12 | P | US, 0));
	answer("level 2 entry beyond memory", write_entry(mfn_of(l2) << 12 | 16, 0xfffffUL << 12 | P | RW | US, 0));
	answer("level 2 entry of frame 0", write_entry(mfn_of(l2) << 12 | 16, 0UL << 12 | P | RW | US, 0));
	l3[0] = mfn_of(l2) << 12 | P | RW | US;
	make_readonly(l3);
	answer("level 3 pinned", mmuext(MMUEXT_PIN_L3_TABLE, mfn_of(l3), 0));
	answer("level 3 entry for a level 1", write_entry(mfn_of(l3) << 12 | 8, mfn_of(l1) << 12 | P | RW | US, 0));
	answer("level 3 entry beyond memory", write_entry(mfn_of(l3) << 12 | 8, 0xfffffUL << 12 | P | RW | US, 0));
	l4[0] = mfn_of(l3) << 12 | P | RW | US;
	make_readonly(l4);
	answer("level 4 pinned", mmuext(MMUEXT_PIN_L4_TABLE, mfn_of(l4), 0));
	value("its slot 256 is present", l4[256] & P);
	value("its slot 261 is present", l4[261] & P);
	answer("level 4 entry for a level 2", write_entry(mfn_of(l4) << 12 | 8, mfn_of(l2) << 12 | P | RW | US, 0));
	answer("level 4 slot 256", write_entry(mfn_of(l4) << 12 | 256 * 8, 0, 0));
	answer("level 4 slot 271", write_entry(mfn_of(l4) << 12 | 271 * 8, 0, 0));
	answer("level 4 slot 272", write_entry(mfn_of(l4) << 12 | 272 * 8, 0, 0));
	answer("level 4 slot 255", write_entry(mfn_of(l4) << 12 | 255 * 8, 0, 0));
	answer("level 4 slot 256, a level 3", write_entry(mfn_of(l4) << 12 | 256 * 8, mfn_of(l3) << 12 | P | RW | US, 0));
	answer("level 4 slot 511, a level 3", write_entry(mfn_of(l4) << 12 | 511 * 8, mfn_of(l3) << 12 | P | RW | US, 0));
	answer("unpin level 3: the level 4 holds it", mmuext(MMUEXT_UNPIN_TABLE, mfn_of(l3), 0));
	answer("level 3 writable", make_writable(l3));
	answer("unpin level 2", mmuext(MMUEXT_UNPIN_TABLE, mfn_of(l2), 0));
	answer("level 2 writable", make_writable(l2));
	answer("unpin level 4: all are free", mmuext(MMUEXT_UNPIN_TABLE, mfn_of(l4), 0));
	value("level 4 slot 256 is present", l4[256] & P);
	answer("level 4 writable", make_writable(l4));
	answer("level 3 writable", make_writable(l3));
	answer("level 2 writable", make_writable(l2));
	answer("level 1 writable", make_writable(l1));
	l4[256] = 0x123UL << 12 | P;
	l4[1] = mfn_of(page) << 12 | P | RW | US;
	make_readonly(l4);
	answer("level 4 with an entry for a page mapped writable", mmuext(MMUEXT_PIN_L4_TABLE, mfn_of(l4), 0));
	make_writable(l4);
	l4[1] = 0;
	make_readonly(l4);
	answer("level 4 with rubbish in Xen's slot", mmuext(MMUEXT_PIN_L4_TABLE, mfn_of(l4), 0));
	answer("unpin", mmuext(MMUEXT_UNPIN_TABLE, mfn_of(l4), 0));
	make_writable(l4);
	l2[0] = mfn_of(page) << 12 | P | RW | US | PSE;
	l2[1] = 0;
	make_readonly(l2);
	answer("level 2 with a superpage", mmuext(MMUEXT_PIN_L2_TABLE, mfn_of(l2), 0));
	make_writable(l2);
}
