/*
 * machine: sysctl and domctl as a toolstack begins with them: the machine, the list of domains, what is known of one, its life.
 *
 * Counts of pages and times belong to the machine of the run and are not shown.
 *
 * Read: answers; the one domain that there is.
 */
#define __XEN_TOOLS__ 1
#include "guest.h"
#include <xen/domctl.h>
#include <xen/sysctl.h>

static struct xen_sysctl system;
static struct xen_domctl domain;

static long ask(unsigned command)
{
	system.cmd = command;
	system.interface_version = XEN_SYSCTL_INTERFACE_VERSION;
	return CALL(sysctl, &system);
}

static long of(unsigned command, unsigned id)
{
	domain.cmd = command;
	domain.interface_version = XEN_DOMCTL_INTERFACE_VERSION;
	domain.domain = id;
	return CALL(domctl, &domain);
}

static void show(const struct xen_domctl_getdomaininfo *info)
{
	value("  domain", info->domain);
	value("  flags", info->flags);
	value("  has pages", info->tot_pages > 0);
	value("  max_pages", info->max_pages);
	value("  outstanding_pages", info->outstanding_pages);
	value("  shared_info_frame is start_info's", info->shared_info_frame == start_info->shared_info >> 12);
	value("  nr_online_vcpus", info->nr_online_vcpus);
	value("  max_vcpu_id", info->max_vcpu_id);
	value("  ssidref", info->ssidref);
	value("  first word of its handle", *(const uint32_t *)info->handle);
	value("  cpupool", info->cpupool);
	value("  gpaddr_bits", info->gpaddr_bits);
	value("  emulation_flags", info->arch_config.emulation_flags);
	value("  misc_flags", info->arch_config.misc_flags);
}

SCENARIO("machine-toolstack")
{
	static xen_domctl_getdomaininfo_t list[4];

	if (!is_dom0())
		return;
	answer("physinfo", ask(XEN_SYSCTL_physinfo));
	value("  threads_per_core", system.u.physinfo.threads_per_core);
	value("  cores_per_socket", system.u.physinfo.cores_per_socket);
	value("  nr_cpus", system.u.physinfo.nr_cpus);
	value("  max_cpu_id", system.u.physinfo.max_cpu_id);
	value("  nr_nodes", system.u.physinfo.nr_nodes);
	value("  max_node_id", system.u.physinfo.max_node_id);
	value("  capabilities", system.u.physinfo.capabilities);
	value("  arch_capabilities", system.u.physinfo.arch_capabilities);
	value("  scrub_pages", system.u.physinfo.scrub_pages);
	value("  outstanding_pages", system.u.physinfo.outstanding_pages);
	for (unsigned n = 0; n < 8; n++)
		value("  hw_cap", system.u.physinfo.hw_cap[n]);
	answer("sched_id", ask(XEN_SYSCTL_sched_id));
	value("  scheduler", system.u.sched_id.sched_id);
	system.u.getdomaininfolist.first_domain = 0;
	system.u.getdomaininfolist.max_domains = 4;
	set_xen_guest_handle(system.u.getdomaininfolist.buffer, list);
	answer("getdomaininfolist", ask(XEN_SYSCTL_getdomaininfolist));
	value("  domains", system.u.getdomaininfolist.num_domains);
	show(list);
	system.u.getdomaininfolist.first_domain = 1;
	answer("getdomaininfolist from 1", ask(XEN_SYSCTL_getdomaininfolist));
	value("  domains", system.u.getdomaininfolist.num_domains);
	system.u.getdomaininfolist.first_domain = 0;
	set_xen_guest_handle(system.u.getdomaininfolist.buffer, (void *)UNMAPPED);
	answer("getdomaininfolist, buffer unmapped", ask(XEN_SYSCTL_getdomaininfolist));
	answer("sysctl 99", ask(99));
	answer("getdomaininfo 0", of(XEN_DOMCTL_getdomaininfo, 0));
	value("  domain of the call", domain.domain);
	show(&domain.u.getdomaininfo);
	answer("getdomaininfo 1", of(XEN_DOMCTL_getdomaininfo, 1));
	answer("getdomaininfo of a reserved number", of(XEN_DOMCTL_getdomaininfo, DOMID_SELF));
	answer("pausedomain 0", of(XEN_DOMCTL_pausedomain, 0));
	answer("unpausedomain 0", of(XEN_DOMCTL_unpausedomain, 0));
	answer("resumedomain 0", of(XEN_DOMCTL_resumedomain, 0));
	answer("destroydomain 0", of(XEN_DOMCTL_destroydomain, 0));
	answer("pausedomain 5", of(XEN_DOMCTL_pausedomain, 5));
	answer("destroydomain 5", of(XEN_DOMCTL_destroydomain, 5));
	domain.u.max_vcpus.max = 4;
	answer("max_vcpus 0", of(XEN_DOMCTL_max_vcpus, 0));
	answer("get_address_size 0", of(XEN_DOMCTL_get_address_size, 0));
	value("  bits", domain.u.address_size.size);
	domain.u.max_mem.max_memkb = 1048576;
	answer("max_mem 0", of(XEN_DOMCTL_max_mem, 0));
	of(XEN_DOMCTL_getdomaininfo, 0);
	value("  max_pages", domain.u.getdomaininfo.max_pages);
	domain.u.max_mem.max_memkb = ~0ULL;
	of(XEN_DOMCTL_max_mem, 0);
	answer("domctl 99", of(99, 0));
}
