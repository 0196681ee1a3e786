/*
 * mmuext_op: flushes, clearing and copying pages, the list itself, unknown operations.
 *
 * Read: `done` counts requests carried out; -EINVAL for frames, -ENOSYS for an unknown operation. dom0 may flush caches, a domU without devices
 * may not.
 */
#include "guest.h"

SCENARIO("mmuext-operations")
{
	word *page = fresh_page(), *from = fresh_page();
	word mask = 1, mfn = mfn_of(page);
	unsigned done = 77;
	struct mmuext_op list[3] = { { .cmd = MMUEXT_TLB_FLUSH_LOCAL }, { .cmd = 99 }, { .cmd = MMUEXT_TLB_FLUSH_LOCAL } };

	answer("no requests", CALL(mmuext_op, list, 0, &done, DOMID_SELF));
	value("done", done);
	answer("second of three unknown", CALL(mmuext_op, list, 3, &done, DOMID_SELF));
	value("done", done);
	answer("list at an unmapped address", CALL(mmuext_op, UNMAPPED, 1, &done, DOMID_SELF));
	value("done", done);
	ONLY64(answer("list at an address that is not canonical", CALL(mmuext_op, NOT_CANONICAL, 1, &done, DOMID_SELF));)
	answer("done at an unmapped address", CALL(mmuext_op, list, 1, UNMAPPED, DOMID_SELF));
	answer("done at an address of Xen", CALL(mmuext_op, list, 1, XEN_ADDRESS, DOMID_SELF));
	answer("of a domain that does not exist", CALL(mmuext_op, list, 1, &done, 77));
	answer("of DOMID_IO", CALL(mmuext_op, list, 1, &done, DOMID_IO));
	answer("of DOMID_XEN", CALL(mmuext_op, list, 1, &done, DOMID_XEN));
	answer("tlb_flush_local", mmuext(MMUEXT_TLB_FLUSH_LOCAL, 0, 0));
	answer("tlb_flush_all", mmuext(MMUEXT_TLB_FLUSH_ALL, 0, 0));
	answer("tlb_flush_multi", mmuext(MMUEXT_TLB_FLUSH_MULTI, 0, (word)&mask));
	answer("tlb_flush_multi, mask unmapped", mmuext(MMUEXT_TLB_FLUSH_MULTI, 0, UNMAPPED));
	answer("tlb_flush_multi, mask null", mmuext(MMUEXT_TLB_FLUSH_MULTI, 0, 0));
	answer("invlpg_local", mmuext(MMUEXT_INVLPG_LOCAL, (word)page, 0));
	answer("invlpg_local, address of Xen", mmuext(MMUEXT_INVLPG_LOCAL, XEN_ADDRESS, 0));
	ONLY64(answer("invlpg_local, not canonical", mmuext(MMUEXT_INVLPG_LOCAL, NOT_CANONICAL, 0));)
	answer("invlpg_all", mmuext(MMUEXT_INVLPG_ALL, (word)page, 0));
	answer("invlpg_all, address of Xen", mmuext(MMUEXT_INVLPG_ALL, XEN_ADDRESS, 0));
	answer("invlpg_multi", mmuext(MMUEXT_INVLPG_MULTI, (word)page, (word)&mask));
	answer("invlpg_multi, mask unmapped", mmuext(MMUEXT_INVLPG_MULTI, (word)page, UNMAPPED));
	answer("flush_cache", mmuext(MMUEXT_FLUSH_CACHE, 0, 0));
	answer("flush_cache_global", mmuext(MMUEXT_FLUSH_CACHE_GLOBAL, 0, 0));
	page[3] = 0x55;
	answer("clear_page", mmuext(MMUEXT_CLEAR_PAGE, mfn, 0));
	value("word 3", page[3]);
	answer("clear_page of a table", mmuext(MMUEXT_CLEAR_PAGE, root_mfn(), 0));
	answer("clear_page beyond memory", mmuext(MMUEXT_CLEAR_PAGE, 0xfffff, 0));
	answer("clear_page of frame 0", mmuext(MMUEXT_CLEAR_PAGE, 0, 0));
	from[3] = 0x77;
	answer("copy_page", mmuext(MMUEXT_COPY_PAGE, mfn, mfn_of(from)));
	value("word 3", page[3]);
	answer("copy_page to itself", mmuext(MMUEXT_COPY_PAGE, mfn, mfn));
	answer("copy_page from a table", mmuext(MMUEXT_COPY_PAGE, mfn, root_mfn()));
	answer("copy_page to a table", mmuext(MMUEXT_COPY_PAGE, root_mfn(), mfn));
	answer("copy_page from beyond memory", mmuext(MMUEXT_COPY_PAGE, mfn, 0xfffff));
	answer("mark_super", mmuext(MMUEXT_MARK_SUPER, mfn & ~511UL, 0));
	answer("unmark_super", mmuext(MMUEXT_UNMARK_SUPER, mfn & ~511UL, 0));
	answer("operation 14", mmuext(14, 0, 0));
	answer("operation 21", mmuext(21, 0, 0));
	answer("operation 255", mmuext(255, 0, 0));
	answer("operation 0x10006: only the low bits count", mmuext(0x10006, 0, 0));
	answer("pin beyond memory", mmuext(MMUEXT_PIN_L1_TABLE, 0xfffff, 0));
	answer("pin frame 0", mmuext(MMUEXT_PIN_L1_TABLE, 0, 0));
	answer("pin shared_info", mmuext(MMUEXT_PIN_L1_TABLE, start_info->shared_info >> 12, 0));
	answer("pin frame of all ones", mmuext(MMUEXT_PIN_L1_TABLE, -1UL, 0));
	answer("unpin beyond memory", mmuext(MMUEXT_UNPIN_TABLE, 0xfffff, 0));
	answer("unpin a page of data", mmuext(MMUEXT_UNPIN_TABLE, mfn, 0));
	answer("pin the level 4 in use", mmuext(MMUEXT_PIN_L4_TABLE, root_mfn(), 0));
	answer("pin it as level 3", mmuext(MMUEXT_PIN_L3_TABLE, root_mfn(), 0));
}
