/*
 * Event channel ports until there are no more: the failure has to be told, and the ports given have to work.
 *
 * Advisory: XSA-317
 * Expected: -ENOSPC for a domU that used up its ports; every port before it differs, and all can be closed.
 */
#include "../security.h"

SCENARIO("xsa-317-ports")
{
	struct evtchn_alloc_unbound alloc = { .dom = DOMID_SELF, .remote_dom = DOMID_SELF };
	struct evtchn_close close;
	unsigned given = 0, first = 0, last = 0, closed = 0;
	long end = 0;

	while (given < 1200 && (end = CALL(event_channel_op, EVTCHNOP_alloc_unbound, &alloc)) == 0) {
		if (given++ == 0)
			first = alloc.port;
		else if (alloc.port <= last)
			break;
		last = alloc.port;
	}
	if (!is_dom0())
		answer("the end", end);
	if (!is_dom0())
		value("ports given", given);
	for (close.port = first; close.port <= last; close.port++)
		closed += CALL(event_channel_op, EVTCHNOP_close, &close) == 0;
	value("all can be closed", closed >= given);
	denied(end < 0 || given == 1200);
}
