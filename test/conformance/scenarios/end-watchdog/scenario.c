/*
 * A watchdog set with a timeout of 0: it fires at once, and Xen ends the domain.
 *
 * Read: the guest does not come to the line behind it.
 */
#include "guest.h"

SCENARIO("end-watchdog")
{
	struct sched_watchdog watchdog = { .id = 0, .timeout = 0 };

	text("sets the watchdog", "");
	CALL(sched_op, SCHEDOP_watchdog, &watchdog);
	for (int n = 0; n < 1000; n++)
		CALL(sched_op, SCHEDOP_yield);
	text("still here", "");
}
