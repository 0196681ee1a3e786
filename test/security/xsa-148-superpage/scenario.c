/*
 * A level 2 entry with the page-size bit, which would map 2 MiB of machine memory, tables and Xen included.
 *
 * Advisory: XSA-148
 * Expected: -EINVAL for a new entry and for the bit alone in an entry that is accepted without it; the old entry stays.
 */
#include "../security.h"

SCENARIO("xsa-148-superpage")
{
	char *page = fresh_page();
	pte place = entry_address(page, 2), old = entry_of(page, 2);
	long changed, fresh, pinned;
	char *table = fresh_page();

	changed = write_entry(place, old | PSE | RW, MMU_NORMAL_PT_UPDATE);
	answer("the page-size bit in an entry in use", changed);
	answer("keeping accessed and dirty", write_entry(place, old | PSE, MMU_PT_UPDATE_PRESERVE_AD));
	value("entry as it was", (entry_of(page, 2) & ~(ACCESSED | DIRTY)) == (old & ~(ACCESSED | DIRTY)));
	*(pte *)table = frame(mfn_of(page) & ~511UL) | P | RW | PSE;
	make_readonly(table);
	pinned = mmuext(MMUEXT_PIN_L2_TABLE, mfn_of(table), 0);
	answer("pin a level 2 table with one", pinned);
	fresh = write_entry(entry_address(page, 3), (entry_of(page, 3) & ~0xfffULL) | P | RW | PSE, MMU_NORMAL_PT_UPDATE);
	answer("the bit at level 3", fresh);
	denied(changed != 0 && fresh != 0 && pinned != 0 && !(entry_of(page, 2) & PSE));
}
