/*
 * multicall: a list of calls, each with its result; what it does with bad lists and calls that make no sense in it.
 *
 * Read: each entry's result as the call alone would give it; the list itself fails only where it cannot be read or written.
 */
#include "guest.h"

SCENARIO("multicall-lists")
{
	static multicall_entry_t list[5];
	char *page = fresh_page();

	answer("empty", CALL(multicall, list, 0));
	list[0] = (multicall_entry_t){ .op = __HYPERVISOR_xen_version, .args = { XENVER_version } };
	list[1] = (multicall_entry_t){ .op = 63 };
	list[2] = (multicall_entry_t){ .op = __HYPERVISOR_update_va_mapping, .args = { (word)page, frame(root_mfn()) | P | RW, 0, 0 } };
	list[3] = (multicall_entry_t){ .op = __HYPERVISOR_multicall, .args = { (word)list, 1 } };
	list[4] = (multicall_entry_t){ .op = __HYPERVISOR_xen_version, .args = { XENVER_pagesize } };
	answer("five calls", CALL(multicall, list, 5));
	answer("  xen_version.version", list[0].result);
	answer("  number 63", list[1].result);
	answer("  update_va_mapping of a table, writable", list[2].result);
	answer("  multicall", list[3].result);
	answer("  xen_version.pagesize", list[4].result);
#ifdef __x86_64__
	list[0] = (multicall_entry_t){ .op = 1ULL << 32 | __HYPERVISOR_xen_version, .args = { XENVER_pagesize } };
	answer("number above 32 bits", CALL(multicall, list, 1));
	answer("  result", list[0].result);
#endif
	list[0] = (multicall_entry_t){ .op = __HYPERVISOR_sched_op, .args = { SCHEDOP_yield } };
	answer("yield", CALL(multicall, list, 1));
	answer("  result", list[0].result);
	answer("list unmapped", CALL(multicall, UNMAPPED, 1));
	answer("list unmapped, no calls", CALL(multicall, UNMAPPED, 0));
	answer("list in Xen", CALL(multicall, XEN_ADDRESS, 1));
	ONLY64(answer("list not canonical", CALL(multicall, NOT_CANONICAL, 1));)
	memcpy(page, list, sizeof list[0]);
	make_readonly(page);
	answer("list read only", CALL(multicall, page, 1));
	make_writable(page);
}
