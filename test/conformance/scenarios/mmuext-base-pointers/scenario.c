/*
 * MMUEXT_NEW_BASEPTR, MMUEXT_NEW_USER_BASEPTR.
 *
 * The new table need not be pinned: it is audited when it is loaded. A table that does not map the code that runs is accepted as well, so the one
 * here is a copy of the builder's. A user base of 0 means none.
 *
 * Read: -EINVAL for a frame that is no level 4 table and cannot become one.
 * Bits: 64
 */
#include "guest.h"

SCENARIO("mmuext-base-pointers")
{
	word *copy = fresh_page(), *page = fresh_page(), *old = (word *)start_info->pt_base;
	word root = root_mfn();

	answer("page mapped writable", mmuext(MMUEXT_NEW_BASEPTR, mfn_of(page), 0));
	answer("beyond memory", mmuext(MMUEXT_NEW_BASEPTR, 0xfffff, 0));
	answer("frame 0", mmuext(MMUEXT_NEW_BASEPTR, 0, 0));
	answer("level 3 table", mmuext(MMUEXT_NEW_BASEPTR, (old[511] >> 12) & 0xffffffffff, 0));
	answer("the one in use", mmuext(MMUEXT_NEW_BASEPTR, root, 0));
	for (int slot = 0; slot < 512; slot++)
		if (slot < 256 || slot > 271)
			copy[slot] = old[slot];
	answer("copy, still writable", mmuext(MMUEXT_NEW_BASEPTR, mfn_of(copy), 0));
	make_readonly(copy);
	answer("copy", mmuext(MMUEXT_NEW_BASEPTR, mfn_of(copy), 0));
	value("cr3 is the copy", ({ word cr3; asm volatile("movq %%cr3, %0" : "=r"(cr3)); cr3 >> 12; }) == mfn_of(copy));
	answer("copy writable while in use", make_writable(copy));
	answer("back", mmuext(MMUEXT_NEW_BASEPTR, root, 0));
	answer("copy writable", make_writable(copy));

	answer("user: none", mmuext(MMUEXT_NEW_USER_BASEPTR, 0, 0));
	answer("user: page mapped writable", mmuext(MMUEXT_NEW_USER_BASEPTR, mfn_of(page), 0));
	answer("user: beyond memory", mmuext(MMUEXT_NEW_USER_BASEPTR, 0xfffff, 0));
	answer("user: the kernel's", mmuext(MMUEXT_NEW_USER_BASEPTR, root, 0));
	answer("user: the kernel's again", mmuext(MMUEXT_NEW_USER_BASEPTR, root, 0));
	memset(copy, 0, PAGE_SIZE);
	make_readonly(copy);
	answer("user: an empty table", mmuext(MMUEXT_NEW_USER_BASEPTR, mfn_of(copy), 0));
	value("  Xen's slot 256 in it", copy[256] & P);
	answer("  writable", make_writable(copy));
	answer("  pinned too", mmuext(MMUEXT_PIN_L4_TABLE, mfn_of(copy), 0));
	answer("user: none", mmuext(MMUEXT_NEW_USER_BASEPTR, 0, 0));
	answer("  still pinned", make_writable(copy));
	answer("  unpinned", mmuext(MMUEXT_UNPIN_TABLE, mfn_of(copy), 0));
	answer("  writable", make_writable(copy));
}
