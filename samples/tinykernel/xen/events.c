/* Event channels, in place of interrupt controllers. */
#include "cpu.h"

#define BITS 64

static void (*handlers[EVENT_WORDS * BITS])(void);

/* Input on the console: who waits for it, wakes up. */
static void console_input(void)
{
}

void events_init(void)
{
	for (unsigned word = 0; word < EVENT_WORDS; word++)
		HYPERVISOR_shared_info->evtchn_mask[word] = ~0UL;
	if (!(xen_start_info->flags & SIF_INITDOMAIN))
		events_handle(xen_start_info->console.domU.evtchn, console_input);
}

void events_handle(uint32_t port, void (*handler)(void))
{
	struct evtchn_port unmask = { .port = port };

	handlers[port] = handler;
	BUG_ON(HYPERVISOR_event_channel_op(EVTCHNOP_unmask, &unmask));
}

/* Calls the handlers of all pending ports. Events are masked meanwhile; new ones set upcall_pending again. */
void events_dispatch(void)
{
	unsigned long words, bits;

	this_vcpu->evtchn_upcall_pending = 0;
	words = __atomic_exchange_n(&this_vcpu->evtchn_pending_sel, 0, __ATOMIC_SEQ_CST);
	for (; words; words &= words - 1) {
		unsigned word = __builtin_ctzl(words);
		unsigned long *pending = &HYPERVISOR_shared_info->evtchn_pending[word];

		bits = __atomic_load_n(pending, __ATOMIC_SEQ_CST) & ~HYPERVISOR_shared_info->evtchn_mask[word];
		for (; bits; bits &= bits - 1) {
			unsigned bit = __builtin_ctzl(bits);

			__atomic_fetch_and(pending, ~(1UL << bit), __ATOMIC_SEQ_CST);
			if (handlers[word * BITS + bit])
				handlers[word * BITS + bit]();
		}
	}
}
