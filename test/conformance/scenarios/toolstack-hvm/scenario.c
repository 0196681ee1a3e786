/*
 * hvm_op: parameters and services of HVM guests, asked for by a PV guest for itself and for others.
 *
 * Read: -EINVAL where the domain is no HVM guest, -EPERM or -ESRCH where it is another one, -EFAULT for the structure.
 */
#include "guest.h"

static const struct operation operations[] = {
	{ "set_param", 0 }, { "get_param", 1 }, { "flush_tlbs", 5 }, { "pagetable_dying", 9 }, { "get_time", 10 }, { "xentrace", 11 },
	{ "set_mem_access", 12 }, { "get_mem_access", 13 }, { "get_mem_type", 15 }, { "set_evtchn_upcall_vector", 23 }, { "guest_request_vm_event", 24 },
	{ "altp2m", 25 }, { "2", 2 }, { "99 (not assigned)", 99 }
};

SCENARIO("toolstack-hvm")
{
	static word request[64];

	for (unsigned n = 0; n < sizeof operations / sizeof operations[0]; n++) {
		memset(request, 0, sizeof request);
		*(domid_t *)request = DOMID_SELF;
		answer_of(&operations[n], "own domain", CALL(hvm_op, operations[n].number, request));
		memset(request, 0, sizeof request);
		*(domid_t *)request = 77;
		answer_of(&operations[n], "no such domain", CALL(hvm_op, operations[n].number, request));
		memset(request, 0, sizeof request);
		if (!is_dom0())
			answer_of(&operations[n], "domain 0", CALL(hvm_op, operations[n].number, request));
		answer_of(&operations[n], "unmapped", CALL(hvm_op, operations[n].number, UNMAPPED));
	}
}
