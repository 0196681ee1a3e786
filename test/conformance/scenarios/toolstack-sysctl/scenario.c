/*
 * sysctl: the machine as a whole, asked about or set by a domain that is no control domain.
 *
 * Read: the version is compared before the caller is: -EACCES, then -EPERM. As dom0 only what fails before anything is done is tried.
 */
#define __XEN_TOOLS__
#include "guest.h"
#include <xen/sysctl.h>

static const struct operation operations[] = {
	{ "readconsole", XEN_SYSCTL_readconsole }, { "tbuf_op", XEN_SYSCTL_tbuf_op }, { "physinfo", XEN_SYSCTL_physinfo },
	{ "sched_id", XEN_SYSCTL_sched_id }, { "perfc_op", XEN_SYSCTL_perfc_op }, { "getdomaininfolist", XEN_SYSCTL_getdomaininfolist },
	{ "debug_keys", XEN_SYSCTL_debug_keys }, { "getcpuinfo", XEN_SYSCTL_getcpuinfo }, { "availheap", XEN_SYSCTL_availheap },
	{ "get_pmstat", XEN_SYSCTL_get_pmstat }, { "cpu_hotplug", XEN_SYSCTL_cpu_hotplug }, { "pm_op", XEN_SYSCTL_pm_op },
	{ "page_offline_op", XEN_SYSCTL_page_offline_op }, { "lockprof_op", XEN_SYSCTL_lockprof_op }, { "cputopoinfo", XEN_SYSCTL_cputopoinfo },
	{ "numainfo", XEN_SYSCTL_numainfo }, { "cpupool_op", XEN_SYSCTL_cpupool_op }, { "scheduler_op", XEN_SYSCTL_scheduler_op },
	{ "coverage_op", XEN_SYSCTL_coverage_op }, { "psr_cmt_op", XEN_SYSCTL_psr_cmt_op }, { "pcitopoinfo", XEN_SYSCTL_pcitopoinfo },
	{ "psr_alloc", XEN_SYSCTL_psr_alloc }, { "get_cpu_levelling_caps", XEN_SYSCTL_get_cpu_levelling_caps },
	{ "get_cpu_featureset", XEN_SYSCTL_get_cpu_featureset }, { "livepatch_op", XEN_SYSCTL_livepatch_op },
	{ "get_cpu_policy", XEN_SYSCTL_get_cpu_policy }, { "99 (not assigned)", 99 }
};

static long sysctl(uint32_t command, uint32_t version)
{
	static struct xen_sysctl request;

	memset(&request, 0, sizeof request);
	request.cmd = command;
	request.interface_version = version;
	return CALL(sysctl, &request);
}

SCENARIO("toolstack-sysctl")
{
	answer("structure unmapped", CALL(sysctl, UNMAPPED));
	answer("structure in Xen", CALL(sysctl, XEN_ADDRESS));
	for (unsigned n = 0; n < sizeof operations / sizeof operations[0]; n++) {
		answer_of(&operations[n], "wrong version", sysctl(operations[n].number, 1));
		if (!is_dom0())
			answer_of(&operations[n], "right version", sysctl(operations[n].number, XEN_SYSCTL_INTERFACE_VERSION));
	}
}
