/*
 * What wakes a vcpu that blocks or polls: timers of both kinds, ports polled and not polled, timeouts, and one that is left over.
 *
 * Times are compared with generous limits only; each wait has a one-shot timer that ends it in any case.
 *
 * Bits: 64
 *
 * Read: a periodic timer stands still while its vcpu sleeps; who polls more than one port is woken by any event.
 */
#include "guest.h"

#define MS 1000000UL

static unsigned timer, a, b;
static vcpu_runstate_info_t area __attribute__((aligned(64)));

static unsigned long now(void)
{
	unsigned version;
	unsigned long result;

	do {
		unsigned low, high;

		version = vcpu0->time.version;
		asm volatile("rdtsc" : "=a"(low), "=d"(high) : : "memory");
		unsigned long delta = ((unsigned long)high << 32 | low) - vcpu0->time.tsc_timestamp;
		delta = vcpu0->time.tsc_shift >= 0 ? delta << vcpu0->time.tsc_shift : delta >> -vcpu0->time.tsc_shift;
		result = vcpu0->time.system_time + (unsigned long)((__uint128_t)delta * vcpu0->time.tsc_to_system_mul >> 32);
	} while (version & 1 || version != vcpu0->time.version);
	return result;
}

static unsigned ipi(void)
{
	struct evtchn_bind_ipi request = { .vcpu = 0 };

	CALL(event_channel_op, EVTCHNOP_bind_ipi, &request);
	return request.port;
}

static void open_port(unsigned port)
{
	struct evtchn_unmask request = { .port = port };

	CALL(event_channel_op, EVTCHNOP_unmask, &request);
}

static void forget(void)
{
	clear_port(timer);
	clear_port(a);
	clear_port(b);
	vcpu0->evtchn_upcall_pending = 0;
	vcpu0->evtchn_pending_sel = 0;
	vcpu0->evtchn_upcall_mask = 1;
}

static void once(unsigned long ms) { CALL(set_timer_op, ms ? now() + ms * MS : 0); }

static long periodic(unsigned long ns)
{
	struct vcpu_set_periodic_timer request = { .period_ns = ns };

	return CALL(vcpu_op, VCPUOP_set_periodic_timer, 0, &request);
}

static long poll(unsigned count, unsigned long timeout)
{
	evtchn_port_t list[2] = { a, b };
	struct sched_poll request = { .nr_ports = count, .timeout = timeout };

	set_xen_guest_handle(request.ports, list);
	return CALL(sched_op, SCHEDOP_poll, &request);
}

/* How long something took: less than the limit or not. */
#define SHORTER(name, ms, what)                                                                                            \
	do {                                                                                                               \
		unsigned long start = now();                                                                               \
		answer(name, what);                                                                                        \
		value("  woken before the last timer", now() - start < (ms) * MS);                                         \
	} while (0)

SCENARIO("sleep-wake")
{
	struct evtchn_bind_virq virq = { .virq = VIRQ_TIMER, .vcpu = 0 };
	struct vcpu_register_runstate_memory_area where = { .addr.v = &area };
	unsigned long before;

	vcpu0->evtchn_upcall_mask = 1;
	CALL(event_channel_op, EVTCHNOP_bind_virq, &virq);
	timer = virq.port;
	a = ipi();
	b = ipi();
	/* The scenarios before have masked ports with these numbers. */
	open_port(timer);
	open_port(a);
	open_port(b);
	forget();

	/* A domU's console back end wakes it as well: nothing can be said of timers then. */
	if (is_dom0()) {
		answer("set_periodic_timer", periodic(1 * MS));
		value("  one event at once", port_pending(timer));
		forget();
		/* The block opens events and the callback closes the port; the upcall comes before it returns. */
		/* How long it takes is not told: the tick that was under way may still come. */
		once(200);
		answer("block with a periodic timer of 1 ms", CALL(sched_op, SCHEDOP_block));
		CALL(vcpu_op, VCPUOP_stop_periodic_timer, 0);
		forget();
	}
	once(30);
	upcalls = 0;
	SHORTER("block", 150, CALL(sched_op, SCHEDOP_block));
	value("  upcalls", upcalls);
	value("  mask after it", vcpu0->evtchn_upcall_mask);
	forget();

	once(300);
	SHORTER("poll with a timeout", 150, poll(1, now() + 20 * MS));
	SHORTER("poll, timeout in the past", 100, poll(1, 1));
	once(0);
	forget();
	once(30);
	SHORTER("poll of one port, another comes", 120, poll(1, now() + 200 * MS));
	forget();
	once(30);
	SHORTER("poll of two ports, another comes", 120, poll(2, now() + 200 * MS));
	forget();
	once(30);
	SHORTER("poll of no port, one comes", 120, poll(0, now() + 200 * MS));
	forget();
	/* The timeout of the poll before this one still runs. */
	once(600);
	SHORTER("poll of one port without a timeout, one left over", 400, poll(1, 0));
	once(0);
	forget();
	vcpu0->evtchn_upcall_pending = 1;
	SHORTER("poll with an upcall pending but masked", 120, poll(1, now() + 200 * MS));
	vcpu0->evtchn_upcall_pending = 0;
	forget();

	answer("vm_assist runstate_update_flag", CALL(vm_assist, VMASST_CMD_enable, VMASST_TYPE_runstate_update_flag));
	answer("register_runstate_memory_area", CALL(vcpu_op, VCPUOP_register_runstate_memory_area, 0, &where));
	value("  state", area.state);
	before = area.time[RUNSTATE_blocked];
	once(30);
	CALL(sched_op, SCHEDOP_block);
	value("  state after a block", area.state);
	value("  update flag", (area.state_entry_time & XEN_RUNSTATE_UPDATE) != 0);
	value("  at least 15 ms more blocked", area.time[RUNSTATE_blocked] - before >= 15 * MS);
	value("  entry time lies in the past, not far", now() - area.state_entry_time < 500 * MS);
	value("  was offline before it began", area.time[RUNSTATE_offline] != 0);
	forget();
	where.addr.v = 0;
	answer("area off", CALL(vcpu_op, VCPUOP_register_runstate_memory_area, 0, &where));
	answer("vm_assist off", CALL(vm_assist, VMASST_CMD_disable, VMASST_TYPE_runstate_update_flag));
	for (unsigned n = 0; n < 3; n++) {
		struct evtchn_close close = { .port = n == 0 ? timer : n == 1 ? a : b };

		CALL(event_channel_op, EVTCHNOP_close, &close);
	}
}
