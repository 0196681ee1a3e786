/*
 * memory_op: questions about the domain's and the machine's memory.
 *
 * Read: -ESRCH or -EPERM for other domains, -EFAULT for structures; the number of pages is the configured one.
 */
#include "guest.h"

SCENARIO("memory-queries")
{
	domid_t self = DOMID_SELF, none = 77, io = DOMID_IO;
	static struct xen_memory_map map;
	static char buffer[4096];
	struct xen_machphys_mapping mapping;
	struct xen_machphys_mfn_list list = { .max_extents = 1 };
	xen_pfn_t extents[1] = { 0 };
	struct xen_add_to_physmap add = { .domid = DOMID_SELF, .space = XENMAPSPACE_shared_info };
	struct xen_remove_from_physmap remove = { .domid = DOMID_SELF, .gpfn = 5 };
	struct xen_vnuma_topology_info numa = { .domid = DOMID_SELF };

	answer("current_reservation", CALL(memory_op, XENMEM_current_reservation, &self));
	answer("current_reservation of no domain", CALL(memory_op, XENMEM_current_reservation, &none));
	answer("current_reservation of DOMID_IO", CALL(memory_op, XENMEM_current_reservation, &io));
	answer("current_reservation, unmapped", CALL(memory_op, XENMEM_current_reservation, UNMAPPED));
	answer("maximum_reservation", CALL(memory_op, XENMEM_maximum_reservation, &self));
	answer("maximum_reservation of no domain", CALL(memory_op, XENMEM_maximum_reservation, &none));
	answer("maximum_gpfn", CALL(memory_op, XENMEM_maximum_gpfn, &self));
	shared->arch.max_pfn = 0x1234;
	answer("maximum_gpfn after max_pfn was set", CALL(memory_op, XENMEM_maximum_gpfn, &self));
	shared->arch.max_pfn = 0;
	value("maximum_ram_page is more than the domain's", CALL(memory_op, XENMEM_maximum_ram_page, 0) > (long)start_info->nr_pages);
	answer("machphys_mapping", CALL(memory_op, XENMEM_machphys_mapping, &mapping));
	value("  start", mapping.v_start);
	value("  end", mapping.v_end);
	value("  last frame", mapping.max_mfn);
	answer("machphys_mapping, unmapped", CALL(memory_op, XENMEM_machphys_mapping, UNMAPPED));
	set_xen_guest_handle(list.extent_start, extents);
	answer("machphys_mfn_list of one", CALL(memory_op, XENMEM_machphys_mfn_list, &list));
	value("  extents", list.nr_extents);
	set_xen_guest_handle(list.extent_start, (xen_pfn_t *)UNMAPPED);
	answer("machphys_mfn_list, list unmapped", CALL(memory_op, XENMEM_machphys_mfn_list, &list));
	answer("machphys_mfn_list, unmapped", CALL(memory_op, XENMEM_machphys_mfn_list, UNMAPPED));
	map.nr_entries = 32;
	set_xen_guest_handle(map.buffer, (void *)buffer);
	answer("memory_map", CALL(memory_op, XENMEM_memory_map, &map));
	value("  entries", map.nr_entries);
	answer("memory_map, unmapped", CALL(memory_op, XENMEM_memory_map, UNMAPPED));
	answer("machine_memory_map, unmapped", CALL(memory_op, XENMEM_machine_memory_map, UNMAPPED));
	answer("add_to_physmap (translated guests)", CALL(memory_op, XENMEM_add_to_physmap, &add));
	answer("add_to_physmap, unmapped", CALL(memory_op, XENMEM_add_to_physmap, UNMAPPED));
	answer("remove_from_physmap", CALL(memory_op, XENMEM_remove_from_physmap, &remove));
	answer("remove_from_physmap, unmapped", CALL(memory_op, XENMEM_remove_from_physmap, UNMAPPED));
	answer("get_vnumainfo", CALL(memory_op, XENMEM_get_vnumainfo, &numa));
	answer("get_vnumainfo, unmapped", CALL(memory_op, XENMEM_get_vnumainfo, UNMAPPED));
	answer("operation 29", CALL(memory_op, 29, buffer));
	answer("operation 63", CALL(memory_op, 63, buffer));
	answer("operation 8 (removed)", CALL(memory_op, 8, buffer));
}
