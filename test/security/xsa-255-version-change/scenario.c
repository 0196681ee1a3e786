/*
 * The table goes from version 2 back to version 1 while the guest has a status frame mapped, which Xen would free under it.
 *
 * Advisory: XSA-255
 * Expected: -EBUSY, and version 2 stays in force with its status frames.
 */
#include "../security.h"

SCENARIO("xsa-255-version-change")
{
	struct gnttab_set_version set = { .version = 2 };
	struct gnttab_get_version version = { .dom = DOMID_SELF };
	volatile uint16_t *words;
	long back;

	answer("to version 2", OP(set_version, &set, 1));
	words = map_status();
	words[100] = 0x55;
	set.version = 1;
	back = OP(set_version, &set, 1);
	answer("back to version 1", back);
	OP(get_version, &version, 1);
	value("version", version.version);
	value("the status frame is still there", words[100]);
	words[100] = 0;
	map_page(status_page, 0);
	set.version = 1;
	answer("when it is not mapped", OP(set_version, &set, 1));
	denied(back != 0 && version.version == 2);
}
