/*
 * vcpu_op.register_vcpu_info: the vcpu's part of shared_info moves into a page of the guest, once.
 *
 * Read: what was set moves along; every selector bit is set then, so that nothing is lost; a second time is refused.
 */
#include "guest.h"

SCENARIO("vcpu-info-moved")
{
	char *page = fresh_page();
	struct vcpu_register_vcpu_info request = { .mfn = mfn_of(page), .offset = 128 };
	volatile vcpu_info_t *moved = (void *)(page + 128);

	vcpu0->arch.cr2 = 0x12345;
	vcpu0->evtchn_upcall_pending = 0;
	answer("register", CALL(vcpu_op, VCPUOP_register_vcpu_info, 0, &request));
	value("cr2 came along", moved->arch.cr2);
	value("mask", moved->evtchn_upcall_mask);
	value("pending byte", moved->evtchn_upcall_pending);
	value("selector is all ones", moved->evtchn_pending_sel == -1UL);
	value("old mask", vcpu0->evtchn_upcall_mask);
	answer("register again", CALL(vcpu_op, VCPUOP_register_vcpu_info, 0, &request));
	moved->evtchn_upcall_pending = 0;
	moved->evtchn_pending_sel = 0;
	vcpu0 = moved;
	fault_base = 0;
	TRY_WITH("page fault", "movb (%%" R "ax), %%al", 0x4321, 0, 0);
	value("cr2 is in the new place", moved->arch.cr2);
	answer("the page is held as writable: pin", mmuext(MMUEXT_PIN_L1_TABLE, mfn_of(page), 0));
	make_readonly(page);
	answer("mapped read only: pin", mmuext(MMUEXT_PIN_L1_TABLE, mfn_of(page), 0));
	make_writable(page);
}
