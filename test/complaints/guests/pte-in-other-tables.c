/*
 * Complaint 2: an entry is changed through an address whose level 1 table exists in the kernel's first page tables, but not in the ones that are
 * loaded: the slot of the level 4 table was never copied.
 */
#include "complaint.h"

/* In slot 0 of level 4: nothing there at the start. */
#define LAZY 0xf8684000UL

static void *table(void)
{
	void *page = fresh_page();

	make_readonly(page);
	return page;
}

static void run(void)
{
	word *second = fresh_page(), *first = (word *)start_info->pt_base;
	void *l3, *l2, *l1;

	/* The second process's top table: the kernel's half is copied before the kernel maps anything in slot 0. */
	for (unsigned slot = 0; slot < 512; slot++)
		second[slot] = slot < 256 || slot > 271 ? first[slot] : 0;
	make_readonly(second);
	mmuext(MMUEXT_PIN_L4_TABLE, mfn_of(second), 0);
	l3 = table(), l2 = table(), l1 = table();
	write_entry(frame(mfn_of(l2)) + ((LAZY >> 21) & 511) * 8, frame(mfn_of(l1)) | P | RW | US, MMU_NORMAL_PT_UPDATE);
	write_entry(frame(mfn_of(l3)) + ((LAZY >> 30) & 511) * 8, frame(mfn_of(l2)) | P | RW | US, MMU_NORMAL_PT_UPDATE);
	write_entry(frame(mfn_of(first)), frame(mfn_of(l3)) | P | RW | US, MMU_NORMAL_PT_UPDATE);
	UPDATE_VA(LAZY, frame(mfn_of(fresh_page())) | P | RW, UVMF_INVLPG);
	mmuext(MMUEXT_NEW_BASEPTR, mfn_of(second), 0);
	UPDATE_VA(LAZY, frame(mfn_of(fresh_page())) | P | RW, UVMF_INVLPG); /* refused */
	*(volatile char *)LAZY = 1; /* and the same without a hypercall */
}
