/*
 * A second vCPU: its context, up, down, what it sees, and events from one vCPU to the other.
 *
 * A port brings up its application processors with these calls. Both vCPUs share one physical processor here, so the order of what they do is
 * Xen's; what is printed waits for what it needs and does not depend on it.
 *
 * Read: `runs` is 1 when the second vCPU went on; `its number` is what it found in its own state.
 */
#include "guest.h"

static vcpu_guest_context_t context;
/* Each grows down from the next one's start. */
static char stack[3][8192] __attribute__((aligned(16)));
static volatile unsigned alive, third_alive, go_down, seen_pending;

/* The second vCPU lives here: it counts, and goes down when it is told to. */
static void __attribute__((noreturn, used)) second(void)
{
	for (;;) {
		alive++;
		if (shared->vcpu_info[1].evtchn_upcall_pending)
			seen_pending = 1;
		if (go_down) {
			go_down = 0;
			CALL(vcpu_op, VCPUOP_down, 1, 0);
		}
		CALL(sched_op, SCHEDOP_yield, 0);
	}
}

static void __attribute__((noreturn, used)) third(void)
{
	for (;;) {
		third_alive++;
		CALL(sched_op, SCHEDOP_yield, 0);
	}
}

/* Lets it run until a condition holds, or for long enough. */
#define UNTIL(condition)                                                                                                   \
	for (unsigned n = 0; n < 4000 && !(condition); n++)                                                              \
		CALL(sched_op, SCHEDOP_yield, 0)

static unsigned runs(volatile unsigned *count)
{
	unsigned before = *count;

	UNTIL(*count != before);
	return *count != before;
}

static void fill(void (*entry)(void), char *top, unsigned flags)
{
	context = (vcpu_guest_context_t){ .flags = VGCF_in_kernel | flags };
	context.kernel_ss = FLAT_KERNEL_SS;
	context.kernel_sp = (word)top;
	context.user_regs.cs = FLAT_KERNEL_CS;
	context.user_regs.ss = FLAT_KERNEL_SS;
#ifdef __x86_64__
	context.user_regs.rip = (word)entry;
	context.user_regs.rsp = (word)(top - 64);
	context.user_regs.rflags = 0x1000;
#else
	context.user_regs.eip = (word)entry;
	context.user_regs.esp = (word)(top - 64);
	context.user_regs.eflags = 0x1000;
	context.user_regs.ds = context.user_regs.es = FLAT_DATA;
	context.event_callback_cs = context.failsafe_callback_cs = FLAT_KERNEL_CS;
#endif
	context.ctrlreg[3] = xen_pfn_to_cr3(mfn_of((void *)start_info->pt_base));
}

SCENARIO("smp-second-vcpu")
{
	struct vcpu_runstate_info state;
	struct evtchn_bind_ipi ipi = { .vcpu = 1 };
	struct evtchn_bind_virq virq = { .virq = VIRQ_TIMER, .vcpu = 1 };
	struct evtchn_send send;
	struct evtchn_close close;
	struct evtchn_unmask unmask;

	shared->vcpu_info[1].evtchn_upcall_mask = 1;
	answer("is_up", CALL(vcpu_op, VCPUOP_is_up, 1, 0));
	answer("up without a context", CALL(vcpu_op, VCPUOP_up, 1, 0));
	answer("get_runstate_info", CALL(vcpu_op, VCPUOP_get_runstate_info, 1, &state));
	value("  state", state.state);
	answer("initialise, unmapped", CALL(vcpu_op, VCPUOP_initialise, 1, UNMAPPED));
	fill(second, stack[1], 0);
	context.ctrlreg[3] = 0;
	answer("initialise without tables", CALL(vcpu_op, VCPUOP_initialise, 1, &context));
	fill(second, stack[1], 0);
	ONLY64(context.user_regs.rip = NOT_CANONICAL;)
	ONLY64(answer("initialise with an address that is not canonical", CALL(vcpu_op, VCPUOP_initialise, 1, &context));)
	fill(second, stack[1], 0);
	answer("initialise", CALL(vcpu_op, VCPUOP_initialise, 1, &context));
	answer("initialise again", CALL(vcpu_op, VCPUOP_initialise, 1, &context));
	answer("is_up", CALL(vcpu_op, VCPUOP_is_up, 1, 0));
	value("runs", alive != 0);
	answer("up", CALL(vcpu_op, VCPUOP_up, 1, 0));
	answer("is_up", CALL(vcpu_op, VCPUOP_is_up, 1, 0));
	value("runs", runs(&alive));
	answer("up again", CALL(vcpu_op, VCPUOP_up, 1, 0));

	answer("bind_ipi to it", CALL(event_channel_op, EVTCHNOP_bind_ipi, &ipi));
	unmask.port = ipi.port;
	answer("unmask", CALL(event_channel_op, EVTCHNOP_unmask, &unmask));
	send.port = ipi.port;
	answer("send", CALL(event_channel_op, EVTCHNOP_send, &send));
	UNTIL(seen_pending);
	value("it sees the event", seen_pending);
	value("vCPU 0 does not", vcpu0->evtchn_upcall_pending);
	close.port = ipi.port;
	answer("close", CALL(event_channel_op, EVTCHNOP_close, &close));
	answer("bind_virq of its timer", CALL(event_channel_op, EVTCHNOP_bind_virq, &virq));
	answer("bind_virq of its timer again", CALL(event_channel_op, EVTCHNOP_bind_virq, &virq));
	virq.vcpu = 2;
	answer("bind_virq of a vCPU that does not exist", CALL(event_channel_op, EVTCHNOP_bind_virq, &virq));
	close.port = virq.port;

	go_down = 1;
	UNTIL(CALL(vcpu_op, VCPUOP_is_up, 1, 0) == 0);
	answer("is_up after it went down", CALL(vcpu_op, VCPUOP_is_up, 1, 0));
	answer("initialise after it went down", CALL(vcpu_op, VCPUOP_initialise, 1, &context));
	answer("up once more", CALL(vcpu_op, VCPUOP_up, 1, 0));
	value("runs", runs(&alive));
	answer("down, by vCPU 0", CALL(vcpu_op, VCPUOP_down, 1, 0));
	answer("is_up", CALL(vcpu_op, VCPUOP_is_up, 1, 0));

	/* A context that says that it is online: up, but nobody wakes it, not even the call that would bring it up. */
	fill(third, stack[2], VGCF_online);
	answer("initialise another, VGCF_online", CALL(vcpu_op, VCPUOP_initialise, 2, &context));
	answer("is_up", CALL(vcpu_op, VCPUOP_is_up, 2, 0));
	answer("up", CALL(vcpu_op, VCPUOP_up, 2, 0));
	value("runs", runs(&third_alive));
	answer("down", CALL(vcpu_op, VCPUOP_down, 2, 0));
	answer("is_up", CALL(vcpu_op, VCPUOP_is_up, 2, 0));
	answer("up", CALL(vcpu_op, VCPUOP_up, 2, 0));
	value("runs", runs(&third_alive));
	answer("down", CALL(vcpu_op, VCPUOP_down, 2, 0));
}
