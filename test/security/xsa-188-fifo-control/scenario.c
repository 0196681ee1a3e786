/*
 * EVTCHNOP_init_control with a frame that does not exist, then what follows on a structure that the failed call would have freed.
 *
 * Advisory: XSA-188
 * Expected: -EINVAL for the bad frame, -EOPNOTSUPP (no FIFO channels) for expand_array, and again -EINVAL; the two-level channels go on.
 */
#include "../security.h"

SCENARIO("xsa-188-fifo-control")
{
	struct evtchn_init_control init = { .control_gfn = 0xfffffffUL, .offset = 0, .vcpu = 0 };
	struct evtchn_expand_array expand = { .array_gfn = 0xfffffffUL };
	struct evtchn_alloc_unbound port = { .dom = DOMID_SELF, .remote_dom = DOMID_SELF };
	long first = CALL(event_channel_op, EVTCHNOP_init_control, &init), second, array;

	answer("init_control with no frame", first);
	array = CALL(event_channel_op, EVTCHNOP_expand_array, &expand);
	answer("expand_array", array);
	second = CALL(event_channel_op, EVTCHNOP_init_control, &init);
	answer("init_control again", second);
	init.control_gfn = mfn_of(fresh_page());
	init.offset = PAGE_SIZE - 8;
	answer("at the end of a page", CALL(event_channel_op, EVTCHNOP_init_control, &init));
	init.offset = 4;
	answer("at an offset that is no multiple of 8", CALL(event_channel_op, EVTCHNOP_init_control, &init));
	init.offset = 0;
	init.vcpu = 33;
	answer("for a vCPU that does not exist", CALL(event_channel_op, EVTCHNOP_init_control, &init));
	answer("a port of two levels", CALL(event_channel_op, EVTCHNOP_alloc_unbound, &port));
	denied(first != 0 && second != 0 && array != 0);
}
