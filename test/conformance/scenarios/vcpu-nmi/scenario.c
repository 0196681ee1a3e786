/*
 * vcpu_op.send_nmi: a kernel sends itself a non-maskable interrupt.
 *
 * It arrives at the handler of nmi_op or callback_op when the call returns, whether events are masked or not; without a handler it is dropped.
 *
 * Read: `0x105` is the handler of the library; `mask at entry` is 1 because an NMI's gate masks events.
 */
#include "guest.h"

#ifdef __x86_64__
#define SEND "movl $11, %%edi; xorl %%esi, %%esi; xorl %%edx, %%edx; call hypercall_page + 24 * 32"
#else
#define SEND "movl $11, %%ebx; xorl %%ecx, %%ecx; xorl %%edx, %%edx; call hypercall_page + 24 * 32"
#endif

SCENARIO("vcpu-nmi")
{
	struct xennmi_callback nmi = { .handler_address = (word)nmi_entry };

	TRY("send_nmi without a handler", SEND);
	answer("nmi_op.register_callback", CALL(nmi_op, XENNMI_register_callback, &nmi));
	TRY("send_nmi", SEND);
	value("  cs", last_trap.cs);
	value("  mask saved", last_trap.mask);
	value("  mask at entry", last_trap.mask_now);
	vcpu0->evtchn_upcall_mask = 0;
	TRY("send_nmi with events open", SEND);
	value("  mask saved", last_trap.mask);
	value("  mask at entry", last_trap.mask_now);
	vcpu0->evtchn_upcall_mask = 1;
	answer("nmi_op.unregister_callback", CALL(nmi_op, XENNMI_unregister_callback, 0));
	TRY("send_nmi without a handler again", SEND);
	answer("send_nmi with an argument", CALL(vcpu_op, VCPUOP_send_nmi, 0, UNMAPPED));
}
