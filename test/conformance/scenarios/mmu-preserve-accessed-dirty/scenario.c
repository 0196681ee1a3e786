/*
 * MMU_PT_UPDATE_PRESERVE_AD and MMU_MACHPHYS_UPDATE.
 *
 * The first keeps accessed and dirty bits that the processor set in between; the second changes the machine-to-physical table, for frames of
 * the domain only.
 *
 * Read: `stored` has 0x60 where the bits were kept.
 */
#include "guest.h"

SCENARIO("mmu-preserve-accessed-dirty")
{
	char *page = fresh_page();
	word mfn = mfn_of(page), pfn = pfn_of(page);
	pte entry = entry_address(page, 1);
	const volatile word *m2p = (const word *)M2P_ADDRESS;

	answer("fresh entry", write_entry(entry, frame(mfn) | P | RW, 0));
	value("stored", entry_of(page, 1) & 0xfff);
	mmuext(MMUEXT_TLB_FLUSH_LOCAL, 0, 0);
	*(volatile char *)page = 1;
	value("after a store", entry_of(page, 1) & 0xfff);
	answer("preserving", write_entry(entry, frame(mfn) | P | RW, 2));
	value("stored", entry_of(page, 1) & 0xfff);
	answer("not preserving", write_entry(entry, frame(mfn) | P | RW, 0));
	value("stored", entry_of(page, 1) & 0xfff);
	mmuext(MMUEXT_TLB_FLUSH_LOCAL, 0, 0);
	(void)*(volatile char *)page;
	value("after a load", entry_of(page, 1) & 0xfff);
	answer("preserving, not present", write_entry(entry, 0, 2));
	value("stored", entry_of(page, 1) & 0xfff);
	answer("back", write_entry(entry, frame(mfn) | P | RW, 2));

	answer("machphys of an own frame", write_entry(frame(mfn), 0x1234, MMU_MACHPHYS_UPDATE));
	value("m2p", m2p[mfn]);
	answer("machphys, address not at the frame's start", write_entry(frame(mfn) | 0x100, pfn, MMU_MACHPHYS_UPDATE));
	value("m2p is the pfn", m2p[mfn] == pfn);
	answer("machphys of a frame beyond memory", write_entry(frame(0xfffffUL), 0, MMU_MACHPHYS_UPDATE));
	answer("machphys of frame 0", write_entry(0, 0, MMU_MACHPHYS_UPDATE));
	answer("machphys of shared_info", write_entry(start_info->shared_info, 5, MMU_MACHPHYS_UPDATE));
}
