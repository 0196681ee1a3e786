/*
 * domctl: the calls with which a toolstack makes and controls domains, made by a domain that is none.
 *
 * Xen copies the structure, compares its version, looks the domain up and only then asks whether the caller may: so an unprivileged domain can tell a
 * domain that exists (-EPERM) from one that does not (-ESRCH). As dom0 only what fails before anything is done is tried.
 *
 * Read: per operation the answer for domain 0, for one that does not exist, and with a wrong version.
 */
#define __XEN_TOOLS__
#include "guest.h"
#include <xen/domctl.h>

static const struct operation operations[] = {
	{ "createdomain", XEN_DOMCTL_createdomain }, { "destroydomain", XEN_DOMCTL_destroydomain }, { "pausedomain", XEN_DOMCTL_pausedomain },
	{ "unpausedomain", XEN_DOMCTL_unpausedomain }, { "getdomaininfo", XEN_DOMCTL_getdomaininfo }, { "setvcpuaffinity", XEN_DOMCTL_setvcpuaffinity },
	{ "shadow_op", XEN_DOMCTL_shadow_op }, { "max_mem", XEN_DOMCTL_max_mem }, { "setvcpucontext", XEN_DOMCTL_setvcpucontext },
	{ "getvcpucontext", XEN_DOMCTL_getvcpucontext }, { "getvcpuinfo", XEN_DOMCTL_getvcpuinfo }, { "max_vcpus", XEN_DOMCTL_max_vcpus },
	{ "scheduler_op", XEN_DOMCTL_scheduler_op }, { "setdomainhandle", XEN_DOMCTL_setdomainhandle }, { "setdebugging", XEN_DOMCTL_setdebugging },
	{ "irq_permission", XEN_DOMCTL_irq_permission }, { "iomem_permission", XEN_DOMCTL_iomem_permission },
	{ "ioport_permission", XEN_DOMCTL_ioport_permission }, { "hypercall_init", XEN_DOMCTL_hypercall_init },
	{ "settimeoffset", XEN_DOMCTL_settimeoffset }, { "getvcpuaffinity", XEN_DOMCTL_getvcpuaffinity },
	{ "real_mode_area", XEN_DOMCTL_real_mode_area }, { "resumedomain", XEN_DOMCTL_resumedomain }, { "sendtrigger", XEN_DOMCTL_sendtrigger },
	{ "subscribe", XEN_DOMCTL_subscribe }, { "gethvmcontext", XEN_DOMCTL_gethvmcontext }, { "sethvmcontext", XEN_DOMCTL_sethvmcontext },
	{ "set_address_size", XEN_DOMCTL_set_address_size }, { "get_address_size", XEN_DOMCTL_get_address_size },
	{ "assign_device", XEN_DOMCTL_assign_device }, { "bind_pt_irq", XEN_DOMCTL_bind_pt_irq }, { "memory_mapping", XEN_DOMCTL_memory_mapping },
	{ "ioport_mapping", XEN_DOMCTL_ioport_mapping }, { "set_ext_vcpucontext", XEN_DOMCTL_set_ext_vcpucontext },
	{ "get_ext_vcpucontext", XEN_DOMCTL_get_ext_vcpucontext }, { "set_opt_feature", XEN_DOMCTL_set_opt_feature },
	{ "test_assign_device", XEN_DOMCTL_test_assign_device }, { "set_target", XEN_DOMCTL_set_target },
	{ "deassign_device", XEN_DOMCTL_deassign_device }, { "unbind_pt_irq", XEN_DOMCTL_unbind_pt_irq },
	{ "get_device_group", XEN_DOMCTL_get_device_group }, { "debug_op", XEN_DOMCTL_debug_op },
	{ "gethvmcontext_partial", XEN_DOMCTL_gethvmcontext_partial }, { "vm_event_op", XEN_DOMCTL_vm_event_op },
	{ "mem_sharing_op", XEN_DOMCTL_mem_sharing_op }, { "gettscinfo", XEN_DOMCTL_gettscinfo }, { "settscinfo", XEN_DOMCTL_settscinfo },
	{ "getpageframeinfo3", XEN_DOMCTL_getpageframeinfo3 }, { "setvcpuextstate", XEN_DOMCTL_setvcpuextstate },
	{ "getvcpuextstate", XEN_DOMCTL_getvcpuextstate }, { "set_access_required", XEN_DOMCTL_set_access_required },
	{ "audit_p2m", XEN_DOMCTL_audit_p2m }, { "set_virq_handler", XEN_DOMCTL_set_virq_handler },
	{ "set_broken_page_p2m", XEN_DOMCTL_set_broken_page_p2m }, { "setnodeaffinity", XEN_DOMCTL_setnodeaffinity },
	{ "getnodeaffinity", XEN_DOMCTL_getnodeaffinity }, { "cacheflush", XEN_DOMCTL_cacheflush }, { "get_vcpu_msrs", XEN_DOMCTL_get_vcpu_msrs },
	{ "set_vcpu_msrs", XEN_DOMCTL_set_vcpu_msrs }, { "setvnumainfo", XEN_DOMCTL_setvnumainfo }, { "psr_cmt_op", XEN_DOMCTL_psr_cmt_op },
	{ "monitor_op", XEN_DOMCTL_monitor_op }, { "psr_alloc", XEN_DOMCTL_psr_alloc }, { "soft_reset", XEN_DOMCTL_soft_reset },
	{ "vuart_op", XEN_DOMCTL_vuart_op }, { "get_cpu_policy", XEN_DOMCTL_get_cpu_policy }, { "set_cpu_policy", XEN_DOMCTL_set_cpu_policy },
	{ "vmtrace_op", XEN_DOMCTL_vmtrace_op }, { "get_paging_mempool_size", XEN_DOMCTL_get_paging_mempool_size },
	{ "set_paging_mempool_size", XEN_DOMCTL_set_paging_mempool_size }, { "gdbsx_guestmemio", XEN_DOMCTL_gdbsx_guestmemio },
	{ "gdbsx_pausevcpu", XEN_DOMCTL_gdbsx_pausevcpu }, { "gdbsx_unpausevcpu", XEN_DOMCTL_gdbsx_unpausevcpu },
	{ "gdbsx_domstatus", XEN_DOMCTL_gdbsx_domstatus }, { "49 (not assigned)", 49 }
};

static long domctl(uint32_t command, uint32_t version, domid_t domain)
{
	static struct xen_domctl request;

	memset(&request, 0, sizeof request);
	request.cmd = command;
	request.interface_version = version;
	request.domain = domain;
	return CALL(domctl, &request);
}

SCENARIO("toolstack-domctl")
{
	answer("structure unmapped", CALL(domctl, UNMAPPED));
	answer("structure in Xen", CALL(domctl, XEN_ADDRESS));
	for (unsigned n = 0; n < sizeof operations / sizeof operations[0]; n++) {
		answer_of(&operations[n], "wrong version", domctl(operations[n].number, 1, 0));
		if (is_dom0())
			continue;
		answer_of(&operations[n], "domain 0", domctl(operations[n].number, XEN_DOMCTL_INTERFACE_VERSION, 0));
		answer_of(&operations[n], "no such domain", domctl(operations[n].number, XEN_DOMCTL_INTERFACE_VERSION, 77));
	}
}
