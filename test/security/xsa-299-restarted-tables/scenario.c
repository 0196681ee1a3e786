/*
 * Tables whose audit fails half way, named again while what was done is undone: no count may be left wrong.
 *
 * Advisory: XSA-299, XSA-310
 * Expected: -EBUSY for the bad table each time; the good tables below it can become ordinary memory again.
 */
#include "../security.h"

SCENARIO("xsa-299-restarted-tables")
{
	pte *l2 = fresh_page(), *good = fresh_page(), *bad = fresh_page();
	long first, second, back;

	make_readonly(good);
	bad[0] = frame(mfn_of(l2)) | P | RW;
	for (int n = 0; n < 200; n++)
		l2[n] = frame(mfn_of(good)) | P | RW | US;
	l2[200] = frame(mfn_of(bad)) | P | RW | US;
	make_readonly(bad);
	make_readonly(l2);
	first = mmuext(MMUEXT_PIN_L2_TABLE, mfn_of(l2), 0);
	answer("a table whose last entry is bad", first);
	second = mmuext(MMUEXT_PIN_L2_TABLE, mfn_of(l2), 0);
	answer("again", second);
	answer("the good table alone", mmuext(MMUEXT_PIN_L1_TABLE, mfn_of(good), 0));
	answer("unpin", mmuext(MMUEXT_UNPIN_TABLE, mfn_of(good), 0));
	back = make_writable(good);
	answer("writable again", back);
	answer("the other too", make_writable(l2));
	denied(first != 0 && second != 0 && back == 0);
}
