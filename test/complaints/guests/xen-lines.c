/*
 * No complaint: calls for which a debug build of Xen logs lines that no scenario of test/conformance makes it log, run as dom0 (test/explain/xen-lines).
 */
#include "complaint.h"

static word read_msr(unsigned msr)
{
	unsigned low, high;

	asm volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(msr));
	return low | (word)high << 32;
}

static void run(void)
{
	static word frames[1];
	void *page = fresh_page();
	struct xen_memory_reservation more = { .nr_extents = 1, .extent_order = 18, .domid = DOMID_SELF };
	mmu_update_t own = { .ptr = entry_address(page, 1), .val = entry_of(page, 1) };

	print("[xen-lines]\n");
	value("rdmsr LSTAR before there is a handler", read_msr(0xc0000082));
	answer("level 4 entry 256", write_entry((entry_address(page, 4) & ~0xfffULL) + 256 * 8, frame(mfn_of(page)) | P, MMU_NORMAL_PT_UPDATE));
	answer("own number as foreign domain", CALL(mmu_update, &own, 1, 0, 0));
	answer("shared_info without caching", map_page(page, start_info->shared_info | P | RW | PCD));
	set_xen_guest_handle(more.extent_start, frames);
	answer("increase_reservation of 2^18 pages", CALL(memory_op, XENMEM_increase_reservation, &more));
	print("[end]\n");
}
