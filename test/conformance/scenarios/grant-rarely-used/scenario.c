/*
 * grant_table_op: the operations that Linux hardly uses, and what each answers to wrong structures.
 *
 * Read: the answer of the call, then the status as an unsigned 16-bit number.
 */
#include "guest.h"

#define OP(name, request, count) CALL(grant_table_op, GNTTABOP_##name, request, count)

SCENARIO("grant-rarely-used")
{
	struct gnttab_dump_table dump = { .dom = DOMID_SELF };
	struct gnttab_unmap_and_replace replace = { .handle = 5 };
	struct gnttab_get_status_frames status = { .dom = 77, .nr_frames = 1 };
	struct gnttab_swap_grant_ref swap = { .ref_a = 1, .ref_b = 2 };

	answer("dump_table", OP(dump_table, &dump, 1));
	dump.dom = 77;
	answer("dump_table of a domain that does not exist", OP(dump_table, &dump, 1));
	answer("dump_table, unmapped", OP(dump_table, UNMAPPED, 1));
	answer("unmap_and_replace of a bad handle", OP(unmap_and_replace, &replace, 1));
	value("  status", (uint16_t)replace.status);
	answer("unmap_and_replace, unmapped", OP(unmap_and_replace, UNMAPPED, 1));
	answer("unmap_and_replace of none", OP(unmap_and_replace, &replace, 0));
	answer("transfer, unmapped", OP(transfer, UNMAPPED, 1));
	answer("transfer of none", OP(transfer, UNMAPPED, 0));
	answer("get_status_frames of a domain that does not exist", OP(get_status_frames, &status, 1));
	value("  status", (uint16_t)status.status);
	answer("get_status_frames, count 2", OP(get_status_frames, &status, 2));
	answer("get_status_frames, unmapped", OP(get_status_frames, UNMAPPED, 1));
	answer("swap_grant_ref", OP(swap_grant_ref, &swap, 1));
	value("  status", (uint16_t)swap.status);
	answer("swap_grant_ref, unmapped", OP(swap_grant_ref, UNMAPPED, 1));
	answer("cache_flush, unmapped", OP(cache_flush, UNMAPPED, 1));
}
