/*
 * An exception for which the kernel has no entry in its trap table: Xen ends the domain.
 *
 * Read: the guest does not come to the line behind it.
 */
#include "guest.h"

SCENARIO("end-no-handler")
{
	text("clears the trap table", "");
	CALL(set_trap_table, 0);
	TRY("ud2", "ud2");
	text("still here", "");
}
