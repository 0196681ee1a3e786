/*
 * memory_op: giving frames up and getting frames.
 *
 * The answer is the number of extents done; fewer than asked is no errno. A frame that is still mapped loses its allocation but not its mapping: it is freed
 * with its last use.
 *
 * Read: counts; -EINVAL and -EFAULT for what cannot be started.
 */
#include "guest.h"

static struct xen_memory_reservation request;

static long call(unsigned operation, xen_pfn_t *list, word count, unsigned order, domid_t domain)
{
	request = (struct xen_memory_reservation){ .nr_extents = count, .extent_order = order, .domid = domain };
	set_xen_guest_handle(request.extent_start, list);
	return CALL(memory_op, operation, &request);
}

SCENARIO("memory-reservation")
{
	char *a = fresh_page(), *b = fresh_page();
	domid_t self = DOMID_SELF;
	word before = CALL(memory_op, XENMEM_current_reservation, &self), pfn_a = pfn_of(a), mfn_a = mfn_of(a);
	xen_pfn_t list[4] = { mfn_a, 0, 0, 0 };
	struct xen_memory_exchange exchange = { .nr_exchanged = 0 };

	map_page(a, 0);
	answer("decrease by one", call(XENMEM_decrease_reservation, list, 1, 0, DOMID_SELF));
	value("  pages less", before - CALL(memory_op, XENMEM_current_reservation, &self));
	answer("decrease by the same", call(XENMEM_decrease_reservation, list, 1, 0, DOMID_SELF));
	answer("map the freed frame", map_page(a, frame(mfn_a) | P | RW));
	list[0] = pfn_a;
	answer("populate_physmap of one", call(XENMEM_populate_physmap, list, 1, 0, DOMID_SELF));
	value("  pages less", before - CALL(memory_op, XENMEM_current_reservation, &self));
	value("  m2p of the frame is its pfn", ((const word *)M2P_ADDRESS)[list[0]] == pfn_a);
	((word *)start_info->mfn_list)[pfn_a] = list[0];
	answer("map it", map_page(a, frame(list[0]) | P | RW));
	list[0] = mfn_of(b);
	answer("decrease by a mapped frame", call(XENMEM_decrease_reservation, list, 1, 0, DOMID_SELF));
	value("  pages less", before - CALL(memory_op, XENMEM_current_reservation, &self));
	*(volatile char *)b = 1;
	answer("  map it again", map_page(b, frame(mfn_of(b)) | P | RW));
	map_page(b, 0);
	value("  pages less", before - CALL(memory_op, XENMEM_current_reservation, &self));
	answer("increase by one", call(XENMEM_increase_reservation, list, 1, 0, DOMID_SELF));
	value("  pages less", before - CALL(memory_op, XENMEM_current_reservation, &self));
	((word *)start_info->mfn_list)[pfn_of(b)] = list[0];
	answer("  machphys", write_entry(frame(list[0]), pfn_of(b), MMU_MACHPHYS_UPDATE));
	answer("  map it", map_page(b, frame(list[0]) | P | RW));
	list[0] = 0xfffff;
	answer("decrease by a frame beyond memory", call(XENMEM_decrease_reservation, list, 1, 0, DOMID_SELF));
	list[0] = 0;
	answer("decrease by frame 0", call(XENMEM_decrease_reservation, list, 1, 0, DOMID_SELF));
	answer("decrease by none", call(XENMEM_decrease_reservation, list, 0, 0, DOMID_SELF));
	answer("decrease, list unmapped", call(XENMEM_decrease_reservation, (xen_pfn_t *)UNMAPPED, 1, 0, DOMID_SELF));
	answer("decrease, list in Xen", call(XENMEM_decrease_reservation, (xen_pfn_t *)XEN_ADDRESS, 1, 0, DOMID_SELF));
	answer("decrease, domain that does not exist", call(XENMEM_decrease_reservation, list, 1, 0, 77));
	answer("decrease, too many extents", call(XENMEM_decrease_reservation, list, -1UL / 4 + 1, 0, DOMID_SELF));
	answer("decrease, structure unmapped", CALL(memory_op, XENMEM_decrease_reservation, UNMAPPED));
	answer("increase, structure unmapped", CALL(memory_op, XENMEM_increase_reservation, UNMAPPED));
	answer("populate_physmap, structure unmapped", CALL(memory_op, XENMEM_populate_physmap, UNMAPPED));
	answer("populate_physmap of order 30", call(XENMEM_populate_physmap, list, 1, 30, DOMID_SELF));
	answer("populate_physmap, domain that does not exist", call(XENMEM_populate_physmap, list, 1, 0, 77));
	answer("populate_physmap, list unmapped", call(XENMEM_populate_physmap, (xen_pfn_t *)UNMAPPED, 1, 0, DOMID_SELF));
	answer("exchange, structure unmapped", CALL(memory_op, XENMEM_exchange, UNMAPPED));
	exchange.nr_exchanged = 5;
	exchange.in.domid = exchange.out.domid = DOMID_SELF;
	answer("exchange, done already", CALL(memory_op, XENMEM_exchange, &exchange));
	exchange.nr_exchanged = 0;
	exchange.in.nr_extents = 1;
	answer("exchange of different sizes", CALL(memory_op, XENMEM_exchange, &exchange));
	exchange.in.domid = exchange.out.domid = 77;
	exchange.out.nr_extents = 1;
	answer("exchange of a domain that does not exist", CALL(memory_op, XENMEM_exchange, &exchange));
	exchange.in.domid = exchange.out.domid = DOMID_SELF;
	map_page(a, 0);
	list[0] = ((word *)start_info->mfn_list)[pfn_a];
	list[1] = pfn_a;
	set_xen_guest_handle(exchange.in.extent_start, list);
	set_xen_guest_handle(exchange.out.extent_start, list + 1);
	answer("exchange of one", CALL(memory_op, XENMEM_exchange, &exchange));
	value("  done", exchange.nr_exchanged);
	value("  m2p of the new frame is the pfn", ((const word *)M2P_ADDRESS)[list[1]] == pfn_a);
	((word *)start_info->mfn_list)[pfn_a] = list[1];
	answer("map it", map_page(a, frame(list[1]) | P | RW));
	exchange.nr_exchanged = 0;
	list[0] = list[1];
	list[1] = pfn_a;
	answer("exchange of one that is mapped", CALL(memory_op, XENMEM_exchange, &exchange));
	value("  done", exchange.nr_exchanged);
}
