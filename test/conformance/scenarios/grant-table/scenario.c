/*
 * grant_table_op: the table itself, and what is refused without another domain.
 *
 * Most errors are a status in the structure (-3 bad domain and so on, see grant_table.h); the call itself fails only for counts and structures.
 *
 * Read: the answer of the call, then the status as an unsigned 16-bit number.
 */
#include "guest.h"

#define OP(name, request, count) CALL(grant_table_op, GNTTABOP_##name, request, count)

SCENARIO("grant-table")
{
	static xen_pfn_t frames[64];
	struct gnttab_query_size size = { .dom = DOMID_SELF };
	struct gnttab_setup_table setup = { .dom = DOMID_SELF, .nr_frames = 1 };
	struct gnttab_get_version version = { .dom = DOMID_SELF };
	struct gnttab_set_version set = { .version = 3 };
	struct gnttab_map_grant_ref map = { .dom = 77, .flags = GNTMAP_host_map, .host_addr = (word)frames };
	struct gnttab_unmap_grant_ref unmap = { .handle = 5 };
	struct gnttab_copy copy = { .len = 8 };
	struct gnttab_transfer transfer = { .domid = 77 };
	struct gnttab_get_status_frames status = { .dom = DOMID_SELF, .nr_frames = 1 };
	struct gnttab_swap_grant_ref swap = { .ref_a = 100000 };
	struct gnttab_cache_flush cache = { .op = 1 };

	answer("query_size", OP(query_size, &size, 1));
	value("  status", (uint16_t)size.status);
	value("  most frames", size.max_nr_frames);
	answer("query_size, count 2", OP(query_size, &size, 2));
	answer("query_size, count 0", OP(query_size, &size, 0));
	answer("query_size, unmapped", OP(query_size, UNMAPPED, 1));
	size.dom = 77;
	answer("query_size of a domain that does not exist", OP(query_size, &size, 1));
	value("  status", (uint16_t)size.status);
	set_xen_guest_handle(setup.frame_list, frames);
	answer("setup_table of 1 frame", OP(setup_table, &setup, 1));
	value("  status", (uint16_t)setup.status);
	answer("setup_table, count 2", OP(setup_table, &setup, 2));
	answer("setup_table, unmapped", OP(setup_table, UNMAPPED, 1));
	setup.nr_frames = 64;
	answer("setup_table of 64 frames", OP(setup_table, &setup, 1));
	value("  status", (uint16_t)setup.status);
	value("  frames differ", frames[0] != frames[63]);
	setup.nr_frames = 65;
	answer("setup_table of 65 frames", OP(setup_table, &setup, 1));
	value("  status", (uint16_t)setup.status);
	setup.nr_frames = 1;
	setup.dom = 77;
	answer("setup_table of a domain that does not exist", OP(setup_table, &setup, 1));
	value("  status", (uint16_t)setup.status);
	setup.dom = DOMID_SELF;
	set_xen_guest_handle(setup.frame_list, (xen_pfn_t *)UNMAPPED);
	answer("setup_table, list unmapped", OP(setup_table, &setup, 1));
	value("  status", (uint16_t)setup.status);
	answer("the first frame of the table can be mapped", map_page(fresh_page(), frame(frames[0]) | P | RW));
	answer("get_version", OP(get_version, &version, 1));
	value("  version", version.version);
	version.dom = 77;
	answer("get_version of a domain that does not exist", OP(get_version, &version, 1));
	answer("get_version, unmapped", OP(get_version, UNMAPPED, 1));
	answer("set_version 3", OP(set_version, &set, 1));
	set.version = 0;
	answer("set_version 0", OP(set_version, &set, 1));
	set.version = 1;
	answer("set_version 1", OP(set_version, &set, 1));
	value("  version", set.version);
	answer("set_version, unmapped", OP(set_version, UNMAPPED, 1));
	answer("map_grant_ref of a domain that does not exist", OP(map_grant_ref, &map, 1));
	value("  status", (uint16_t)map.status);
	map.flags = 0;
	answer("map_grant_ref without flags", OP(map_grant_ref, &map, 1));
	value("  status", (uint16_t)map.status);
	answer("map_grant_ref, count 0", OP(map_grant_ref, &map, 0));
	answer("map_grant_ref, unmapped", OP(map_grant_ref, UNMAPPED, 1));
	answer("unmap_grant_ref of a bad handle", OP(unmap_grant_ref, &unmap, 1));
	value("  status", (uint16_t)unmap.status);
	answer("unmap_grant_ref, unmapped", OP(unmap_grant_ref, UNMAPPED, 1));
	copy.source.domid = copy.dest.domid = 77;
	copy.flags = GNTCOPY_source_gref;
	answer("copy from a domain that does not exist", OP(copy, &copy, 1));
	value("  status", (uint16_t)copy.status);
	answer("copy, unmapped", OP(copy, UNMAPPED, 1));
	answer("transfer of frame 0", OP(transfer, &transfer, 1));
	value("  status", (uint16_t)transfer.status);
	answer("get_status_frames with version 1", OP(get_status_frames, &status, 1));
	value("  status", (uint16_t)status.status);
	answer("swap_grant_ref of bad references", OP(swap_grant_ref, &swap, 1));
	value("  status", (uint16_t)swap.status);
	answer("cache_flush", OP(cache_flush, &cache, 1));
	answer("operation 13", CALL(grant_table_op, 13, &size, 1));
	answer("operation 99", CALL(grant_table_op, 99, &size, 1));
	answer("count -1", OP(query_size, &size, -1));
}
