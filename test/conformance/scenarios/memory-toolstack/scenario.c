/*
 * memory_op: operations for toolstacks, device models and HVM guests, made by a PV guest for itself, for dom0 and for no domain.
 *
 * Read: as the names say; -EPERM, -ESRCH, -EOPNOTSUPP or -ENOSYS by what Xen looks at first.
 */
#include "guest.h"

static const struct operation operations[] = {
	{ "set_memory_map", 13 }, { "set_pod_target", 16 }, { "get_pod_target", 17 }, { "get_sharing_freed_pages", 18 },
	{ "get_sharing_shared_pages", 19 }, { "paging_op", 20 }, { "access_op", 21 }, { "sharing_op", 22 }, { "add_to_physmap_batch", 23 },
	{ "claim_pages", 24 }, { "machphys_compat_mfn_list", 25 }, { "reserved_device_memory_map", 27 }, { "acquire_resource", 28 }
};

SCENARIO("memory-toolstack")
{
	static word request[64];
	struct xen_machphys_mfn_list list = { .max_extents = 1 };
	xen_pfn_t extents[4] = { 0 };

	for (unsigned n = 0; n < sizeof operations / sizeof operations[0]; n++) {
		unsigned number = operations[n].number;

		memset(request, 0, sizeof request);
		*(domid_t *)request = 77;
		if (number == 24)
			((domid_t *)request)[sizeof(word) + 4] = 77;
		answer_of(&operations[n], "no such domain", CALL(memory_op, number, request));
		memset(request, 0, sizeof request);
		if (!is_dom0())
			answer_of(&operations[n], "zeros: domain 0", CALL(memory_op, number, request));
		memset(request, 0, sizeof request);
		*(domid_t *)request = DOMID_SELF;
		if (!is_dom0())
			answer_of(&operations[n], "own domain", CALL(memory_op, number, request));
		answer_of(&operations[n], "unmapped", CALL(memory_op, number, UNMAPPED));
	}
	set_xen_guest_handle(list.extent_start, extents);
	answer("machphys_compat_mfn_list of one", CALL(memory_op, 25, &list));
	value("  extents", list.nr_extents);
}
