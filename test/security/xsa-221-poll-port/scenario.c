/*
 * SCHEDOP_poll of one port that was never allocated, beyond the groups of ports that exist.
 *
 * Advisory: XSA-221
 * Expected: -EINVAL for a port beyond the layout, and for one that nothing is behind.
 */
#include "../security.h"

SCENARIO("xsa-221-poll-port")
{
	evtchn_port_t ports[2] = { 0x7fffffff, 1000 };
	struct sched_poll poll = { .nr_ports = 1, .timeout = 1 };
	long huge;

	set_xen_guest_handle(poll.ports, ports);
	huge = CALL(sched_op, SCHEDOP_poll, &poll);
	answer("port 0x7fffffff", huge);
	ports[0] = 0xffffffff;
	answer("port 0xffffffff", CALL(sched_op, SCHEDOP_poll, &poll));
	ports[0] = 5000;
	answer("port 5000", CALL(sched_op, SCHEDOP_poll, &poll));
	poll.nr_ports = 2;
	answer("two, the first bad", CALL(sched_op, SCHEDOP_poll, &poll));
	poll.nr_ports = 129;
	answer("129 ports", CALL(sched_op, SCHEDOP_poll, &poll));
	denied(huge < 0);
}
