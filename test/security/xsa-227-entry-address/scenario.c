/*
 * map_grant_ref with GNTMAP_contains_pte at an address that is not that of a whole entry: the halves of two entries would be overwritten.
 *
 * Advisory: XSA-227
 * Expected: GNTST_general_error (65535), and both entries as they were.
 */
#include "../security.h"

SCENARIO("xsa-227-entry-address")
{
	volatile grant_entry_v1_t *table = map_table();
	domid_t self = own_domid();
	char *page = fresh_page(), *next = page + PAGE_SIZE;
	pte place = entry_address(page, 1), first = entry_of(page, 1), second;
	int refused = 1;

	fresh_page();
	second = entry_of(next, 1);
	grant(&table[20], self, mfn_of(page), GTF_permit_access);
	for (int off = 1; off < 8; off++)
		refused &= map_ref(self, 20, place + off, GNTMAP_host_map | GNTMAP_contains_pte) < 0;
	value("refused at each of seven offsets", refused);
	status("  status of the last", last_map.status);
	value("entries as they were", (entry_of(page, 1) ^ first) <= (ACCESSED | DIRTY) && (entry_of(next, 1) ^ second) <= (ACCESSED | DIRTY));
	value("uses", USE(table[20].flags));
	denied(refused && !USE(table[20].flags));
}
