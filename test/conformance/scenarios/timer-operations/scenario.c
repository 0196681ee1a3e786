/*
 * set_timer_op, the singleshot and the periodic timer: VIRQ_TIMER arrives.
 *
 * Read: times are not printed; `arrived` says that the event became pending before system time had gone on by two seconds, `early` that it came before
 * the deadline.
 */
#include "guest.h"

static uint64_t now(void)
{
	volatile struct vcpu_time_info *t = &vcpu0->time;
	uint32_t version;
	uint64_t result;

	do {
		uint32_t low, high;
		uint64_t delta;

		version = t->version;
		asm volatile("lfence; rdtsc" : "=a"(low), "=d"(high));
		delta = ((uint64_t)high << 32 | low) - t->tsc_timestamp;
		if (t->tsc_shift >= 0)
			delta <<= t->tsc_shift;
		else
			delta >>= -t->tsc_shift;
		result = t->system_time + (delta >> 32) * t->tsc_to_system_mul + (((delta & 0xffffffff) * t->tsc_to_system_mul) >> 32);
	} while ((version & 1) || version != t->version);
	return result;
}

static void wait(const char *name, unsigned port, uint64_t deadline)
{
	uint64_t start = now(), end;

	while (!port_pending(port) && now() < start + 2000000000UL)
		CALL(sched_op, SCHEDOP_yield);
	end = now();
	print(name);
	print("\n");
	value("  arrived", port_pending(port));
	value("  early", end < deadline);
	clear_port(port);
}

SCENARIO("timer-operations")
{
	struct evtchn_bind_virq virq = { .virq = VIRQ_TIMER };
	struct vcpu_set_singleshot_timer single = { .flags = 0 };
	struct vcpu_set_periodic_timer periodic = { .period_ns = 1000000 };
	uint64_t start = now();

	answer("bind_virq timer", CALL(event_channel_op, EVTCHNOP_bind_virq, &virq));
	mask_port(virq.port);
	CALL(vcpu_op, VCPUOP_stop_periodic_timer, 0, 0);
	clear_port(virq.port);
	value("time goes on", now() >= start);
	answer("set_timer_op in 1 ms", SET_TIMER(start = now() + 1000000));
	wait("timer", virq.port, start);
	answer("set_timer_op in the past", SET_TIMER(1));
	wait("timer", virq.port, 0);
	answer("set_timer_op 0: off", SET_TIMER(0));
	answer("set_timer_op far away", SET_TIMER(now() + 3600000000000UL));
	value("  pending", port_pending(virq.port));
	answer("set_timer_op 0: off", SET_TIMER(0));
	single.timeout_abs_ns = start = now() + 1000000;
	answer("set_singleshot_timer in 1 ms", CALL(vcpu_op, VCPUOP_set_singleshot_timer, 0, &single));
	wait("timer", virq.port, start);
	single.timeout_abs_ns = now() + 3600000000000UL;
	answer("set_singleshot_timer far away", CALL(vcpu_op, VCPUOP_set_singleshot_timer, 0, &single));
	answer("stop_singleshot_timer", CALL(vcpu_op, VCPUOP_stop_singleshot_timer, 0, 0));
	answer("set_periodic_timer of 1 ms", CALL(vcpu_op, VCPUOP_set_periodic_timer, 0, &periodic));
	wait("timer", virq.port, 0);
	wait("timer again", virq.port, 0);
	answer("stop_periodic_timer", CALL(vcpu_op, VCPUOP_stop_periodic_timer, 0, 0));
	answer("send to the timer's port", CALL(event_channel_op, EVTCHNOP_send, &virq.port));
	answer("close", CALL(event_channel_op, EVTCHNOP_close, &virq.port));
}
