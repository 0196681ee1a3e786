/*
 * Complaint 18: a fault a few bytes behind the page that maps shared_info, through an index that is too large.
 */
#include "complaint.h"

static NOINLINE word *entry(word *base, unsigned index) { return &base[index]; }

static void run(void)
{
	/* A page table of its own for an address far from everything else. */
	static char *const at = (char *)0xffffffffc0000000UL;
	void *l2 = fresh_page(), *l1 = fresh_page();
	pte l3_place = entry_address((void *)start_info, 3);

	make_readonly(l2), make_readonly(l1);
	write_entry(frame(mfn_of(l2)), frame(mfn_of(l1)) | P | RW | US, MMU_NORMAL_PT_UPDATE);
	write_entry((l3_place & ~0xfffULL) + 511 * 8, frame(mfn_of(l2)) | P | RW | US, MMU_NORMAL_PT_UPDATE);
	UPDATE_VA(at, start_info->shared_info | P | RW, UVMF_INVLPG);
	*entry((word *)at, 512 + 2) = 1;
}
