/* Xen's timer, as periodic source of ticks: one deadline after the other. */
#include "cpu.h"

static uint64_t period, deadline;

/* ns since the machine started. */
static uint64_t system_time(void)
{
	volatile struct vcpu_time_info *time = &this_vcpu->time;
	uint32_t version;
	uint64_t delta, now;

	do {
		version = time->version;
		barrier();
		delta = read_tsc() - time->tsc_timestamp;
		if (time->tsc_shift >= 0)
			delta <<= time->tsc_shift;
		else
			delta >>= -time->tsc_shift;
		now = time->system_time + (uint64_t)((unsigned __int128)delta * time->tsc_to_system_mul >> 32);
		barrier();
	} while (version & 1 || version != time->version);
	return now;
}

static void tick(void)
{
	uint64_t now = system_time();

	this_cpu()->ticks++;
	deadline += period;
	if (deadline <= now)
		deadline = now + period;	/* ticks that came while the domain did not run are lost, as an interval timer loses them */
	BUG_ON(HYPERVISOR_set_timer_op(deadline));
}

void timer_init(unsigned hertz)
{
	struct evtchn_bind_virq timer = { .virq = VIRQ_TIMER };

	period = 1000000000 / hertz;
	deadline = system_time() + period;
	BUG_ON(HYPERVISOR_event_channel_op(EVTCHNOP_bind_virq, &timer));
	events_handle(timer.port, tick);
	BUG_ON(HYPERVISOR_set_timer_op(deadline));
}
