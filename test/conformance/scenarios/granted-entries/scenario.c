/*
 * GNTMAP_contains_pte: the mapping's place is the machine address of a level 1 entry. And unmap_and_replace, by which another mapping takes its place.
 *
 * Read: statuses are unsigned 16-bit numbers, 65535 being GNTST_general_error.
 */
#include "grants.h"

SCENARIO("granted-entries")
{
	volatile grant_entry_v1_t *table = map_table();
	domid_t self = own_domid();
	volatile word *page = fresh_page(), *at = fresh_page(), *third = fresh_page();
	word mfn = mfn_of((void *)page), instead = mfn_of((void *)third);
	struct gnttab_unmap_and_replace replace;
	pte place = entry_address((void *)at, 1);

	page[0] = 77;
	third[0] = 88;
	grant(&table[30], self, mfn, GTF_permit_access);
	status("map by entry", map_ref(self, 30, place, GNTMAP_host_map | GNTMAP_contains_pte));
	value("through it", at[0]);
	status("unmap by address", unmap_handle((word)at, 0, last_map.handle));
	status("unmap by entry", unmap_handle(place, 0, last_map.handle));
	value("nothing is there", entry_of((void *)at, 1));
	status("misaligned", map_ref(self, 30, place + 4, GNTMAP_host_map | GNTMAP_contains_pte));
	status("in a page that is no table", map_ref(self, 30, frame(mfn), GNTMAP_host_map | GNTMAP_contains_pte));
	status("in a level 2 table", map_ref(self, 30, entry_address((void *)at, 2), GNTMAP_host_map | GNTMAP_contains_pte));
	status("in no frame at all", map_ref(self, 30, 0xfffffffff000ULL, GNTMAP_host_map | GNTMAP_contains_pte));
	value("entry after", USE(table[30].flags));

	status("map by address", map_ref(self, 30, (word)at, GNTMAP_host_map));
	replace = (struct gnttab_unmap_and_replace){ .host_addr = (word)at, .new_addr = (word)third, .handle = last_map.handle };
	answer("unmap and replace", OP(unmap_and_replace, &replace, 1));
	status("  status", replace.status);
	value("what is there now", at[0]);
	value("its frame is the other's", (entry_of((void *)at, 1) >> 12 & 0xffffffffff) == instead);
	value("where it was is nothing", entry_of((void *)third, 1));
	value("entry", USE(table[30].flags));
	answer("the same handle again", OP(unmap_and_replace, &replace, 1));
	status("  status", replace.status);

	status("map by address", map_ref(self, 30, (word)third, GNTMAP_host_map));
	replace = (struct gnttab_unmap_and_replace){ .host_addr = (word)third, .new_addr = 0, .handle = last_map.handle };
	answer("replace by nothing", OP(unmap_and_replace, &replace, 1));
	status("  status", replace.status);
	value("nothing is there", entry_of((void *)third, 1));

	status("map by entry", map_ref(self, 30, entry_address((void *)third, 1), GNTMAP_host_map | GNTMAP_contains_pte));
	replace = (struct gnttab_unmap_and_replace){ .host_addr = entry_address((void *)third, 1), .new_addr = (word)at, .handle = last_map.handle };
	answer("replace what was mapped by entry", OP(unmap_and_replace, &replace, 1));
	status("  status", replace.status);
	status("unmap it", unmap_handle(entry_address((void *)third, 1), 0, last_map.handle));

	status("map by address", map_ref(self, 30, (word)third, GNTMAP_host_map));
	replace = (struct gnttab_unmap_and_replace){ .host_addr = (word)third, .new_addr = UNMAPPED, .handle = last_map.handle };
	answer("replace by an address without tables", OP(unmap_and_replace, &replace, 1));
	status("  status", replace.status);
	replace.host_addr = (word)page;
	replace.new_addr = (word)at;
	answer("replace at another address", OP(unmap_and_replace, &replace, 1));
	status("  status", replace.status);
	value("what was to take its place is gone", entry_of((void *)at, 1));
	status("unmap it", unmap_handle((word)third, 0, last_map.handle));
	value("entry", USE(table[30].flags));
}
