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
	char name[] = "operation 00, unmapped";

	answer("irq_status_query 5000", CALL(physdev_op, PHYSDEVOP_irq_status_query, &query));
	answer("irq_status_query, unmapped", CALL(physdev_op, PHYSDEVOP_irq_status_query, UNMAPPED));
	answer("eoi 5000", CALL(physdev_op, PHYSDEVOP_eoi, &eoi));
	answer("eoi, unmapped", CALL(physdev_op, PHYSDEVOP_eoi, UNMAPPED));
	answer("pirq_eoi_gmfn_v1 beyond memory", CALL(physdev_op, PHYSDEVOP_pirq_eoi_gmfn_v1, &page));
	answer("pirq_eoi_gmfn_v2 beyond memory", CALL(physdev_op, PHYSDEVOP_pirq_eoi_gmfn_v2, &page));
	answer("get_free_pirq of type 0", CALL(physdev_op, PHYSDEVOP_get_free_pirq, &free));
	answer("old: notify page", CALL(physdev_op, 3, zero));
	for (unsigned operation = 0; operation < 40; operation++) {
		if (operation == 17 || operation == 28)
			continue;
		name[10] = '0' + operation / 10;
		name[11] = '0' + operation % 10;
		answer(name, CALL(physdev_op, operation, UNMAPPED));
	}
}
