/*
 * sched_op in its old form: shutdown, with the reason as the argument.
 *
 * Read: the guest does not come to the line behind it.
 */
#include "guest.h"

SCENARIO("end-compat-shutdown")
{
	text("powers off", "");
	CALL(sched_op_compat, SCHEDOP_shutdown, SHUTDOWN_poweroff);
	text("still here", "");
}
