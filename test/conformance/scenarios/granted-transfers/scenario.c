/*
 * GNTTABOP_transfer: a frame goes to the domain that offered to take one, here to the domain itself. It is gone whether it is taken or not.
 *
 * Read: statuses are unsigned 16-bit numbers: 65535 general error, 65534 bad domain, 65527 bad page. The flags of an offer become 2 | 4 | 8.
 */
#include "grants.h"

static struct gnttab_transfer request;

static int give(word mfn, domid_t to, grant_ref_t ref)
{
	request = (struct gnttab_transfer){ .mfn = mfn, .domid = to, .ref = ref };
	OP(transfer, &request, 1);
	return request.status;
}

SCENARIO("granted-transfers")
{
	volatile grant_entry_v1_t *table = map_table();
	domid_t self = own_domid(), all = DOMID_SELF;
	char *one = fresh_page(), *two = fresh_page(), *three = fresh_page(), *four = fresh_page();
	word mfn = mfn_of(one);
	long before = CALL(memory_op, XENMEM_current_reservation, &all);

	one[7] = 77;
	status("a frame that is mapped", give(mfn, self, 90));
	status("a frame of another", give(3, self, 90));
	status("no frame", give((word)-1, self, 90));
	map_page(one, 0);
	grant(&table[90], self, pfn_of(one), GTF_accept_transfer);
	status("to itself", give(mfn, self, 90));
	value("flags of the offer", table[90].flags);
	value("its frame", table[90].frame == mfn);
	value("pseudo-physical number", ((word *)M2P_ADDRESS)[mfn] == pfn_of(one));
	answer("map it", map_page(one, frame(mfn) | P | RW));
	value("what is in it", one[7]);
	value("pages", CALL(memory_op, XENMEM_current_reservation, &all) - before);
	map_page(one, 0);
	status("the same offer again", give(mfn, self, 90));
	value("pages", CALL(memory_op, XENMEM_current_reservation, &all) - before);
	answer("map it", map_page(one, frame(mfn) | P | RW));
	map_page(two, 0);
	status("to a domain that does not exist", give(mfn_of(two), 4321, 90));
	value("pages", CALL(memory_op, XENMEM_current_reservation, &all) - before);
	map_page(three, 0);
	grant(&table[91], self + 1, 0, GTF_accept_transfer);
	status("to an offer for another", give(mfn_of(three), self, 91));
	map_page(four, 0);
	status("to a reference beyond the table", give(mfn_of(four), self, TABLE_FRAMES * 512));
	value("pages", CALL(memory_op, XENMEM_current_reservation, &all) - before);
	status("a page of Xen's", give(start_info->shared_info >> 12, self, 91));
	grant(&table[90], 0, 0, 0);
}
