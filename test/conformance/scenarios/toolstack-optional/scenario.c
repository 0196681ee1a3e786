/*
 * Calls that a build of Xen has or has not, or that serve device models and profilers: kexec_op, xsm_op, xenoprof_op, argo_op, xenpmu_op, dm_op, hypfs_op.
 *
 * Debian's Xen has no FLASK and no Argo: -ENOSYS. A virtual PMU exists where the `vpmu` option allows one: -EOPNOTSUPP. The others want a
 * privilege. As dom0 only a few of them are called, those that change nothing.
 *
 * Read: per operation with a structure of zeros, then with one that is not mapped.
 */
#include "guest.h"
#include <xen/xenoprof.h>

static const struct operation kexec[] = {
	{ "kexec", 0 }, { "kexec_load_v1", 1 }, { "kexec_unload_v1", 2 }, { "kexec_get_range", 3 }, { "kexec_load", 4 }, { "kexec_unload", 5 },
	{ "kexec_status", 6 }, { "99 (not assigned)", 99 }
};
static const struct operation flask[] = {
	{ "LOAD", 1 }, { "GETENFORCE", 2 }, { "SETENFORCE", 3 }, { "CONTEXT_TO_SID", 4 }, { "SID_TO_CONTEXT", 5 }, { "ACCESS", 6 }, { "CREATE", 7 },
	{ "RELABEL", 8 }, { "USER", 9 }, { "POLICYVERS", 10 }, { "GETBOOL", 11 }, { "SETBOOL", 12 }, { "COMMITBOOLS", 13 }, { "MLS", 14 },
	{ "DISABLE", 15 }, { "GETAVC_THRESHOLD", 16 }, { "SETAVC_THRESHOLD", 17 }, { "AVC_HASHSTATS", 18 }, { "AVC_CACHESTATS", 19 }, { "MEMBER", 20 },
	{ "ADD_OCONTEXT", 21 }, { "DEL_OCONTEXT", 22 }, { "GET_PEER_SID", 23 }, { "RELABEL_DOMAIN", 24 }, { "DEVICETREE_LABEL", 25 }, { "99 (not assigned)", 99 }
};
static const struct operation xenoprof[] = {
	{ "init", 0 }, { "reset_active_list", 1 }, { "reset_passive_list", 2 }, { "set_active", 3 }, { "set_passive", 4 }, { "reserve_counters", 5 },
	{ "counter", 6 }, { "setup_events", 7 }, { "enable_virq", 8 }, { "start", 9 }, { "stop", 10 }, { "disable_virq", 11 },
	{ "release_counters", 12 }, { "shutdown", 13 }, { "get_buffer", 14 }, { "set_backtrace", 15 }, { "get_ibs_caps", 16 }, { "ibs_counter", 17 }, { "99 (not assigned)", 99 }
};
static const struct operation argo[] = {
	{ "register_ring", 1 }, { "unregister_ring", 2 }, { "sendv", 3 }, { "notify", 4 }, { "99 (not assigned)", 99 }
};
static const struct operation pmu[] = {
	{ "mode_get", 0 }, { "mode_set", 1 }, { "feature_get", 2 }, { "feature_set", 3 }, { "init", 4 }, { "finish", 5 }, { "lvtpc_set", 6 },
	{ "flush", 7 }, { "99 (not assigned)", 99 }
};
static const struct operation dm[] = {
	{ "create_ioreq_server", 1 }, { "get_ioreq_server_info", 2 }, { "map_io_range_to_ioreq_server", 3 }, { "unmap_io_range_from_ioreq_server", 4 },
	{ "set_ioreq_server_state", 5 }, { "destroy_ioreq_server", 6 }, { "track_dirty_vram", 7 }, { "set_pci_intx_level", 8 },
	{ "set_isa_irq_level", 9 }, { "set_pci_link_route", 10 }, { "modified_memory", 11 }, { "set_mem_type", 12 }, { "inject_event", 13 },
	{ "inject_msi", 14 }, { "map_mem_type_to_ioreq_server", 15 }, { "remote_shutdown", 16 }, { "relocate_memory", 17 },
	{ "pin_memory_cacheattr", 18 }, { "set_irq_level", 19 }, { "nr_vcpus", 20 }, { "99 (not assigned)", 99 }
};
static const struct operation hypfs[] = {
	{ "get_version", 0 }, { "read", 1 }, { "write_contents", 2 }, { "99 (not assigned)", 99 }
};

#define EACH(list) for (const struct operation *one = list; one < list + sizeof list / sizeof list[0]; one++)

static word zero[512];

static void *zeros(void)
{
	memset(zero, 0, sizeof zero);
	return zero;
}

static void device_model(void)
{
	static struct {
		uint32_t op, pad;
		char rest[248];
	} request;
	struct {
		void *place;
		word size;
	} buffer = { &request, sizeof request };

	EACH(dm)
	{
		memset(&request, 0, sizeof request);
		request.op = one->number;
		answer_of(one, "no such domain", CALL(dm_op, 77, 1, &buffer));
		answer_of(one, "own domain", CALL(dm_op, DOMID_SELF, 1, &buffer));
		if (!is_dom0())
			answer_of(one, "domain 0", CALL(dm_op, 0, 1, &buffer));
	}
	answer("dm_op, no buffers", CALL(dm_op, 77, 0, &buffer));
	answer("dm_op, buffers unmapped", CALL(dm_op, DOMID_SELF, 1, UNMAPPED));
	answer("dm_op, 100 buffers", CALL(dm_op, DOMID_SELF, 100, &buffer));
}

static void profiler(void)
{
	static struct xenoprof_init init;

	answer("xenoprof_op.init", CALL(xenoprof_op, XENOPROF_init, &init));
	value("  events", init.num_events);
	value("  is the profiler", init.is_primary);
	text("  processor", init.cpu_type);
}

SCENARIO("toolstack-optional")
{
	EACH(flask)
	{
		*(uint32_t *)zeros() = one->number;
		answer_of(one, "xsm_op", CALL(xsm_op, zero));
	}
	EACH(argo)
	answer_of(one, "argo_op", CALL(argo_op, one->number, zeros(), zero, 0, 0));
	device_model();
	profiler();
	if (is_dom0())
		return;
	EACH(kexec)
	{
		answer_of(one, "kexec_op", CALL(kexec_op, one->number, zeros()));
		answer_of(one, "kexec_op, unmapped", CALL(kexec_op, one->number, UNMAPPED));
	}
	EACH(xenoprof)
	{
		answer_of(one, "xenoprof_op", CALL(xenoprof_op, one->number, zeros()));
		answer_of(one, "xenoprof_op, unmapped", CALL(xenoprof_op, one->number, UNMAPPED));
	}
	EACH(pmu)
	{
		answer_of(one, "xenpmu_op", CALL(xenpmu_op, one->number, zeros()));
		answer_of(one, "xenpmu_op, unmapped", CALL(xenpmu_op, one->number, UNMAPPED));
	}
	EACH(hypfs)
	{
		answer_of(one, "hypfs_op", CALL(hypfs_op, one->number, zeros(), 1, zeros(), 100));
		answer_of(one, "hypfs_op, unmapped", CALL(hypfs_op, one->number, UNMAPPED, 1, UNMAPPED, 100));
	}
}
