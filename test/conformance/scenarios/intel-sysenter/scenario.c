/*
 * sysenter on Intel's processors: to the guest kernel's callback, from user mode.
 *
 * The processor keeps neither the caller's address nor its stack, so both are 0 on the frame, and cs is null
 * with ring 3. NT and DF stay as they were.
 *
 * Read: 0x104 is the handler of the library for sysenter; the mask at entry shows whether the callback was registered to mask events.
 */
#include "guest.h"

static void show(void)
{
	value("  rip", last_trap.rip);
	value("  cs", last_trap.cs);
	value("  rsp", last_trap.rsp);
	value("  ss", last_trap.ss);
	value("  IF, DF and NT", last_trap.rflags & 0x4600);
	value("  mask saved", last_trap.mask);
	value("  mask at entry", last_trap.mask_now);
}

static long callback(unsigned type, unsigned flags)
{
	struct callback_register request = { .type = type, .flags = flags, .address = CALLBACK(sysenter_entry) };

	return CALL(callback_op, CALLBACKOP_register, &request);
}

SCENARIO("intel-sysenter")
{
	user_mode();
	answer("callback_op.register sysenter", callback(CALLBACKTYPE_sysenter, 0));
	USER_TRY("sysenter", "sysenter");
	show();
	vcpu0->evtchn_upcall_mask = 0;
	USER_TRY("sysenter with events open", "sysenter");
	show();
	answer("register it masking events", callback(CALLBACKTYPE_sysenter, CALLBACKF_mask_events));
	vcpu0->evtchn_upcall_mask = 0;
	USER_TRY("sysenter with events open", "sysenter");
	show();
	vcpu0->evtchn_upcall_mask = 1;
	USER_TRY_FLAGS("sysenter, NT and DF set", "sysenter", 0x4602);
	show();
	USER_TRY("sysexit", ".byte 0x0f, 0x35");
	USER_TRY("syscall, which 32-bit code of Intel's does not have", "syscall");
}
