/*
 * GNTTABOP_transfer of a frame that is in use, mapped or a table: it may not change hands.
 *
 * Advisory: XSA-284
 * Expected: GNTST_bad_page (65527), and the frame stays with its uses.
 */
#include "../security.h"

SCENARIO("xsa-284-transfer")
{
	volatile grant_entry_v1_t *table = map_table();
	domid_t self = own_domid();
	char *mapped = fresh_page(), *pinned = fresh_page();
	struct gnttab_transfer give = { .domid = self, .ref = 20 };
	int first;

	grant(&table[20], self, pfn_of(mapped), GTF_accept_transfer);
	give.mfn = mfn_of(mapped);
	OP(transfer, &give, 1);
	first = give.status;
	status("one that is mapped", give.status);
	map_page(pinned, 0);
	mmuext(MMUEXT_PIN_L1_TABLE, mfn_of(pinned), 0);
	give.mfn = mfn_of(pinned);
	OP(transfer, &give, 1);
	status("one that is pinned", give.status);
	value("the offer is still open", table[20].flags);
	mapped[0] = 1;
	answer("unpin", mmuext(MMUEXT_UNPIN_TABLE, mfn_of(pinned), 0));
	denied(first < 0 && give.status < 0);
	grant(&table[20], 0, 0, 0);
}
