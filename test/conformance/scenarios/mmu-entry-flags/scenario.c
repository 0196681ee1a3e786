/*
 * Flag bits of page-table entries.
 *
 * Xen accepts only some bits of an entry: caching attributes need access to I/O memory, the page-size bit is no page size in level 1 (it is
 * PAT there) and refused above (no superpages for PV), global is dropped, the software bits are the guest's, a guest page is always given the
 * user bit. What Xen stored is read back through the read-only mapping of the table.
 *
 * Read: refused entries give -EINVAL and are not stored; `stored` shows the low 12 bits and NX of what is.
 */
#include "guest.h"

static void try_flags(const char *name, char *page, pte flags, int level)
{
	pte old = entry_of(page, level), frame = old & 0xffffffffff000ULL, stored;

	answer(name, write_entry(entry_address(page, level), frame | flags, 0));
	stored = entry_of(page, level);
	value("  stored", (stored & 0xfff) | (stored >> 52 << 12));
	if (!(stored & P))
		answer("  restored", write_entry(entry_address(page, level), old, 0));
}

SCENARIO("mmu-entry-flags")
{
	char *page = fresh_page();

	try_flags("level 1: present", page, P, 1);
	try_flags("level 1: present, writable", page, P | RW, 1);
	try_flags("level 1: user", page, P | RW | US, 1);
	try_flags("level 1: accessed and dirty", page, P | RW | ACCESSED | DIRTY, 1);
	try_flags("level 1: write-through", page, P | RW | PWT, 1);
	try_flags("level 1: cache-disable", page, P | RW | PCD, 1);
	try_flags("level 1: PAT", page, P | RW | PSE, 1);
	try_flags("level 1: global", page, P | RW | GLOBAL, 1);
	try_flags("level 1: available 0", page, P | RW | 0x200, 1);
	try_flags("level 1: available 1", page, P | RW | 0x400, 1);
	try_flags("level 1: available 2", page, P | RW | 0x800, 1);
	try_flags("level 1: no execute", page, P | RW | NX, 1);
	try_flags("level 1: bit 52", page, P | RW | 1ULL << 52, 1);
	try_flags("level 1: bit 58", page, P | RW | 1ULL << 58, 1);
	try_flags("level 1: bit 62", page, P | RW | 1ULL << 62, 1);
	try_flags("level 1: back", page, P | RW, 1);
	try_flags("level 2: as it is", page, P | RW | US, 2);
	try_flags("level 2: without the user bit", page, P | RW, 2);
	try_flags("level 2: page size", page, P | RW | US | PSE, 2);
	try_flags("level 2: global", page, P | RW | US | GLOBAL, 2);
	try_flags("level 2: write-through", page, P | RW | US | PWT, 2);
	try_flags("level 2: cache-disable", page, P | RW | US | PCD, 2);
	try_flags("level 2: available 1", page, P | RW | US | 0x400, 2);
	try_flags("level 2: bit 58", page, P | RW | US | 1ULL << 58, 2);
	try_flags("level 2: back", page, P | RW | US, 2);
	try_flags("level 3: page size", page, P | RW | US | PSE, 3);
	try_flags("level 3: global", page, P | RW | US | GLOBAL, 3);
	try_flags("level 3: available 2", page, P | RW | US | 0x800, 3);
	try_flags("level 3: back", page, P | RW | US, 3);
	ONLY64(try_flags("level 4: page size", page, P | RW | US | PSE, 4);)
	ONLY64(try_flags("level 4: global", page, P | RW | US | GLOBAL, 4);)
	ONLY64(try_flags("level 4: available 0", page, P | RW | US | 0x200, 4);)
	ONLY64(try_flags("level 4: back", page, P | RW | US, 4);)
}
