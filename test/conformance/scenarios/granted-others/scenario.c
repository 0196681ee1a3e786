/*
 * Tables and frames of other domains: a domU may not look at domain 0's table, domain 0 may look at that of no domain that does not exist.
 *
 * Read: status 65528 is GNTST_permission_denied.
 */
#include "grants.h"

SCENARIO("granted-others")
{
	struct gnttab_query_size size = { .dom = 0 };
	struct gnttab_setup_table setup = { .dom = 0, .nr_frames = 1 };
	struct gnttab_get_version version = { .dom = 0 };
	struct gnttab_get_status_frames get = { .dom = 0 };
	static xen_pfn_t frames[4];

	set_xen_guest_handle(setup.frame_list, frames);
	answer("query_size of domain 0", OP(query_size, &size, 1));
	status("  status", size.status);
	answer("setup_table of domain 0", OP(setup_table, &setup, 1));
	status("  status", setup.status);
	answer("get_version of domain 0", OP(get_version, &version, 1));
	answer("get_status_frames of domain 0", OP(get_status_frames, &get, 1));
	status("  status", get.status);
	size.dom = DOMID_IO;
	answer("query_size of DOMID_IO", OP(query_size, &size, 1));
	status("  status", size.status);
}
