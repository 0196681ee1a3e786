/*
 * Linear page tables one below the other, so that taking the first apart would go down without end.
 *
 * Advisory: XSA-240
 * Expected: a table that leads to one of its own level is accepted; one that leads to that table in turn is refused with -EINVAL.
 */
#include "../security.h"

SCENARIO("xsa-240-linear-chain")
{
	pte *one = fresh_page(), *two = fresh_page(), *three = fresh_page();
	long second, third;

	make_readonly(one);
	answer("a level 2 table", mmuext(MMUEXT_PIN_L2_TABLE, mfn_of(one), 0));
	two[0] = frame(mfn_of(one)) | P;
	make_readonly(two);
	second = mmuext(MMUEXT_PIN_L2_TABLE, mfn_of(two), 0);
	answer("one that leads to it", second);
	three[0] = frame(mfn_of(two)) | P;
	make_readonly(three);
	third = mmuext(MMUEXT_PIN_L2_TABLE, mfn_of(three), 0);
	answer("one that leads to that", third);
	answer("the first leading to itself", write_entry(frame(mfn_of(one)), frame(mfn_of(one)) | P, MMU_NORMAL_PT_UPDATE));
	answer("the first leading to the second", write_entry(frame(mfn_of(one)) | 8, frame(mfn_of(two)) | P, MMU_NORMAL_PT_UPDATE));
	answer("unpin the second", mmuext(MMUEXT_UNPIN_TABLE, mfn_of(two), 0));
	answer("unpin the first", mmuext(MMUEXT_UNPIN_TABLE, mfn_of(one), 0));
	denied(third != 0);
}
