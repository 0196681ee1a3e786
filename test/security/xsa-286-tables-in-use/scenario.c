/*
 * An upper entry is changed, and the next call names an address below it: Xen may not use the tables that were there before.
 *
 * Advisory: XSA-286
 * Expected: -EINVAL once the way is gone, and the entry of the table that was taken out does not change.
 */
#include "../security.h"

SCENARIO("xsa-286-tables-in-use")
{
	char *data = fresh_page();
	volatile pte *l1 = fresh_page(), *l2 = fresh_page();
	int slot = 5;
	pte upper = entry_address(data, 3);
	word base = ONLY64(0xffffffff80000000UL & ~((1UL << 39) - 1)) ONLY32(0);
	word address;
	pte place;
	long gone, there;

	/* A level 2 table of its own below an empty entry of level 3: of the 512 GiB before the kernel in a 64-bit guest, of the first GiB in a 32-bit one. */
	ONLY64(place = (upper & ~0xfffULL) | 8 * 7);
	ONLY64(address = base + (7UL << 30));
	ONLY32(place = frame(root_mfn()) | 8 * 0);
	ONLY32(address = base; (void)upper);
	address += (word)slot << 21;
	make_readonly((void *)l1);
	l2[slot] = frame(mfn_of((void *)l1)) | P | RW | US;
	make_readonly((void *)l2);
	answer("the way", write_entry(place, frame(mfn_of((void *)l2)) | P ONLY64(| RW | US), MMU_NORMAL_PT_UPDATE));
	there = UPDATE_VA(address, frame(mfn_of(data)) | P | US, UVMF_INVLPG);
	answer("an entry below it", there);
	value("is there", l1[0] != 0);
	answer("the way is taken away", write_entry(place, 0, MMU_NORMAL_PT_UPDATE));
	gone = UPDATE_VA(address, 0, UVMF_INVLPG);
	answer("the same address again", gone);
	denied(there == 0 && gone != 0);
}
