/*
 * A page becomes a level 1 table: what may be in it and how it is mapped.
 *
 * A page that is mapped writable cannot become a table; mapped read only it can, when each of its entries is allowed. While it is a table it
 * cannot be mapped writable; when it is none any more, it can.
 *
 * Read: -EINVAL from a pin with a bad entry in the table (-EPERM where the entry names no RAM, -EBUSY where it wants a table writable).
 */
#include "guest.h"

SCENARIO("types-level-1")
{
	pte *table = fresh_page(), *page = fresh_page();
	word mfn = mfn_of(table), data = mfn_of(page);

	answer("pin while mapped writable", mmuext(MMUEXT_PIN_L1_TABLE, mfn, 0));
	table[5] = frame(data) | P | RW;
	answer("read only", make_readonly(table));
	answer("pin", mmuext(MMUEXT_PIN_L1_TABLE, mfn, 0));
	value("entry 5, flags", table[5] & 0xfff);
	answer("pin again", mmuext(MMUEXT_PIN_L1_TABLE, mfn, 0));
	answer("pin as level 2 too", mmuext(MMUEXT_PIN_L2_TABLE, mfn, 0));
	answer("map it writable", make_writable(table));
	answer("entry by mmu_update", write_entry(frame(mfn) | 48, frame(data) | P, 0));
	value("entry 6, flags", table[6] & 0xfff);
	answer("data page as table while this maps it writable", mmuext(MMUEXT_PIN_L1_TABLE, data, 0));
	answer("data page read only here", make_readonly(page));
	answer("pin data page: the other table maps it", mmuext(MMUEXT_PIN_L1_TABLE, data, 0));
	answer("unpin", mmuext(MMUEXT_UNPIN_TABLE, mfn, 0));
	answer("unpin again", mmuext(MMUEXT_UNPIN_TABLE, mfn, 0));
	answer("pin data page now", mmuext(MMUEXT_PIN_L1_TABLE, data, 0));
	answer("pin the table: it wants the data page writable", mmuext(MMUEXT_PIN_L1_TABLE, mfn, 0));
	answer("unpin data page", mmuext(MMUEXT_UNPIN_TABLE, data, 0));
	answer("table writable", make_writable(table));
	answer("data page writable", make_writable(page));

	memset(table, 0, PAGE_SIZE);
	table[0] = frame(0xfffffffffUL) | P;
	make_readonly(table);
	answer("entry of a frame beyond the address width", mmuext(MMUEXT_PIN_L1_TABLE, mfn, 0));
	make_writable(table);
	table[0] = frame(mfn) | P | RW;
	make_readonly(table);
	answer("entry of itself, writable", mmuext(MMUEXT_PIN_L1_TABLE, mfn, 0));
	make_writable(table);
	table[0] = frame(mfn) | P;
	make_readonly(table);
	answer("entry of itself, read only", mmuext(MMUEXT_PIN_L1_TABLE, mfn, 0));
	answer("unpin", mmuext(MMUEXT_UNPIN_TABLE, mfn, 0));
	make_writable(table);
	table[0] = frame(data) | P | 1ULL << 58;
	make_readonly(table);
	answer("entry with bit 58", mmuext(MMUEXT_PIN_L1_TABLE, mfn, 0));
	answer("unpin", mmuext(MMUEXT_UNPIN_TABLE, mfn, 0));
	make_writable(table);
	table[0] = frame(data) | P | GLOBAL;
	make_readonly(table);
	answer("entry with the global bit", mmuext(MMUEXT_PIN_L1_TABLE, mfn, 0));
	value("entry 0, flags", table[0] & 0xfff);
	mmuext(MMUEXT_UNPIN_TABLE, mfn, 0);
	make_writable(table);
	table[0] = 0;
	table[511] = frame(root_mfn()) | P | RW;
	make_readonly(table);
	answer("last entry: a level 4 table, writable", mmuext(MMUEXT_PIN_L1_TABLE, mfn, 0));
	make_writable(table);
	memset(table, 0, PAGE_SIZE);
	make_readonly(table);
	answer("empty table", mmuext(MMUEXT_PIN_L1_TABLE, mfn, 0));
	fault_base = (word)table;
	TRY_WITH("store to the table", "mov" W " $0, (%%" R "ax)", table, 0, 0);
	answer("unpin", mmuext(MMUEXT_UNPIN_TABLE, mfn, 0));
	TRY_WITH("store to the page, still mapped read only", "mov" W " $0, (%%" R "ax)", table, 0, 0);
	answer("writable", make_writable(table));
}
