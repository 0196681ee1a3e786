/*
 * Changing the version of the table: what stays, what keeps it from changing; status frames; swap_grant_ref.
 *
 * Read: statuses are unsigned 16-bit numbers; 65524 is GNTST_eagain.
 */
#include "grants.h"

SCENARIO("grantversion-changes")
{
	volatile grant_entry_v1_t *one = map_table();
	volatile grant_entry_v2_t *two = (volatile void *)one;
	domid_t self = own_domid();
	word mfn = mfn_of(fresh_page());
	char *at = fresh_page();
	uint64_t list[4];
	struct gnttab_set_version set = { .version = 2 };
	struct gnttab_get_status_frames get = { .dom = DOMID_SELF, .nr_frames = 1 };
	struct gnttab_swap_grant_ref swap = { .ref_a = 80, .ref_b = 81 };
	struct gnttab_query_size size = { .dom = DOMID_SELF };

	set_xen_guest_handle(get.frame_list, list);
	grant(&one[5], 7, 0x123, GTF_permit_access | GTF_readonly);
	grant(&one[6], 7, 0x124, GTF_accept_transfer);
	grant(&one[80], self, mfn, GTF_permit_access);
	status("map", map_ref(self, 80, (word)at, GNTMAP_host_map));
	answer("to version 2 while one is in use", OP(set_version, &set, 1));
	value("  version", set.version);
	answer("swap with one in use", OP(swap_grant_ref, &swap, 1));
	status("  status", swap.status);
	swap = (struct gnttab_swap_grant_ref){ .ref_a = 81, .ref_b = 80 };
	answer("swap the other way", OP(swap_grant_ref, &swap, 1));
	status("  status", swap.status);
	swap.ref_a = 80;
	answer("swap with itself", OP(swap_grant_ref, &swap, 1));
	status("  status", swap.status);
	status("unmap", unmap_handle((word)at, 0, last_map.handle));
	swap = (struct gnttab_swap_grant_ref){ .ref_a = 80, .ref_b = 81 };
	answer("swap", OP(swap_grant_ref, &swap, 1));
	status("  status", swap.status);
	value("  entry 80", one[80].flags);
	value("  entry 81", one[81].flags);
	swap.ref_b = TABLE_FRAMES * 512;
	answer("swap with one beyond the table", OP(swap_grant_ref, &swap, 1));
	status("  status", swap.status);
	set.version = 2;
	answer("to version 2", OP(set_version, &set, 1));
	value("  version", set.version);
	value("  entry 5, flags", two[5].hdr.flags);
	value("  entry 5, domain", two[5].hdr.domid);
	value("  entry 5, frame", two[5].full_page.frame);
	value("  entry 6, flags", two[6].hdr.flags);
	value("  entry 81, flags", two[81].hdr.flags);
	answer("to version 2 again", OP(set_version, &set, 1));
	answer("query_size", OP(query_size, &size, 1));
	value("  frames", size.nr_frames);
	answer("status frames", OP(get_status_frames, &get, 1));
	status("  status", get.status);
	get.nr_frames = 2;
	answer("two status frames", OP(get_status_frames, &get, 1));
	status("  status", get.status);
	get.nr_frames = 0;
	answer("no status frame", OP(get_status_frames, &get, 1));
	status("  status", get.status);
	get.nr_frames = 1;
	set_xen_guest_handle(get.frame_list, (uint64_t *)UNMAPPED);
	answer("status frames, list unmapped", OP(get_status_frames, &get, 1));
	status("  status", get.status);
	map_status();
	set.version = 1;
	answer("to version 1 with a status frame mapped", OP(set_version, &set, 1));
	value("  version", set.version);
	map_page(status_page, 0);
	two[5].full_page.frame = 1ULL << 32;
	answer("to version 1 with a frame of 33 bits", OP(set_version, &set, 1));
	value("  version", set.version);
	set.version = 1;
	two[5].full_page.frame = 0x125;
	two[6].hdr.flags = GTF_transitive;
	answer("to version 1 with a transitive entry", OP(set_version, &set, 1));
	set.version = 1;
	two[6].hdr.flags = GTF_accept_transfer;
	answer("to version 1", OP(set_version, &set, 1));
	value("  version", set.version);
	value("  entry 5, flags", one[5].flags);
	value("  entry 5, frame", one[5].frame);
	value("  entry 6, flags", one[6].flags);
	grant(&one[5], 0, 0, 0);
}
