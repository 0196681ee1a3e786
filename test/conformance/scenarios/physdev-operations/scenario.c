/*
 * physdev_op: what is asked about interrupts and devices without having any.
 *
 * Read: -ENOSYS for what this Xen does not have, -EFAULT for structures.
 */
#include "guest.h"

SCENARIO("physdev-operations")
{
	static word zero[32];
	struct physdev_irq_status_query query = { .irq = 5000 };
	struct physdev_eoi eoi = { .irq = 5000 };
	struct physdev_get_free_pirq free = { .type = 0 };
	struct physdev_pirq_eoi_gmfn page = { .gmfn = 0xfffff };
	struct physdev_map_pirq map = { .domid = DOMID_SELF, .type = MAP_PIRQ_TYPE_GSI, .index = 5, .pirq = -1 };
	struct physdev_unmap_pirq unmap = { .domid = DOMID_SELF, .pirq = 5 };
	struct physdev_setup_gsi gsi = { .gsi = 5 };
	char name[] = "operation 00, unmapped";

	answer("irq_status_query 5000", CALL(physdev_op, PHYSDEVOP_irq_status_query, &query));
	answer("irq_status_query, unmapped", CALL(physdev_op, PHYSDEVOP_irq_status_query, UNMAPPED));
	answer("eoi 5000", CALL(physdev_op, PHYSDEVOP_eoi, &eoi));
	answer("eoi, unmapped", CALL(physdev_op, PHYSDEVOP_eoi, UNMAPPED));
	answer("pirq_eoi_gmfn_v1 beyond memory", CALL(physdev_op, PHYSDEVOP_pirq_eoi_gmfn_v1, &page));
	answer("pirq_eoi_gmfn_v2 beyond memory", CALL(physdev_op, PHYSDEVOP_pirq_eoi_gmfn_v2, &page));
	answer("get_free_pirq of type 0", CALL(physdev_op, PHYSDEVOP_get_free_pirq, &free));
	value("  number", free.pirq);
	for (query.irq = 0; CALL(physdev_op, PHYSDEVOP_irq_status_query, &query) == 0; query.irq++)
		;
	value("interrupts that have a status", query.irq);
	free.type = MAP_PIRQ_TYPE_GSI;
	answer("get_free_pirq of a GSI", CALL(physdev_op, PHYSDEVOP_get_free_pirq, &free));
	value("  number", free.pirq);
	if (!is_dom0()) {
		answer("map_pirq of a GSI for itself", CALL(physdev_op, PHYSDEVOP_map_pirq, &map));
		map.type = 9;
		answer("map_pirq of type 9 for itself", CALL(physdev_op, PHYSDEVOP_map_pirq, &map));
		answer("unmap_pirq of its own", CALL(physdev_op, PHYSDEVOP_unmap_pirq, &unmap));
		answer("setup_gsi 5", CALL(physdev_op, PHYSDEVOP_setup_gsi, &gsi));
		answer("restore_msi of 0:0.0", CALL(physdev_op, PHYSDEVOP_restore_msi, zero));
		answer("manage_pci_add of 0:0.0", CALL(physdev_op, PHYSDEVOP_manage_pci_add, zero));
		answer("apic_read", CALL(physdev_op, PHYSDEVOP_apic_read, zero));
	}
	answer("old: notify page", CALL(physdev_op, 3, zero));
	for (unsigned operation = 0; operation < 40; operation++) {
		if (operation == 17 || operation == 28)
			continue;
		name[10] = '0' + operation / 10;
		name[11] = '0' + operation % 10;
		answer(name, CALL(physdev_op, operation, UNMAPPED));
	}
}
