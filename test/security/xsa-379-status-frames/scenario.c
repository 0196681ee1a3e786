/*
 * Status frames after the version of the table was changed: they may not stay accessible to the guest, nor be handed out in version 1.
 *
 * Advisory: XSA-379
 * Expected: in version 1 get_status_frames has none (65535), and a frame number that was one cannot be mapped any more (-EBUSY).
 */
#include "../security.h"

SCENARIO("xsa-379-status-frames")
{
	uint64_t list[1] = { 0 };
	struct gnttab_get_status_frames get = { .dom = DOMID_SELF, .nr_frames = 1 };
	char *at = fresh_page();
	long mapped;

	set_xen_guest_handle(get.frame_list, list);
	use_version(2);
	OP(get_status_frames, &get, 1);
	status("status frames in version 2", get.status);
	use_version(1);
	get.nr_frames = 1;
	OP(get_status_frames, &get, 1);
	status("in version 1", get.status);
	mapped = map_page(at, frame(list[0]) | P | RW);
	value("the old frame is not the guest's any more", mapped != 0);
	denied(get.status < 0 && mapped != 0);
}
