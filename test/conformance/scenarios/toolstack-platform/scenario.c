/*
 * platform_op and mca: firmware, clock, power and machine checks of the machine, which belong to dom0.
 *
 * Read: the version is compared before the caller is: -EACCES, then -EPERM. As dom0 only what fails before anything is done is tried.
 */
#include "guest.h"
#include <xen/platform.h>
#include <xen/arch-x86/xen-mca.h>

static const struct operation platform[] = {
	{ "settime32", 17 }, { "add_memtype", 31 }, { "del_memtype", 32 }, { "read_memtype", 33 }, { "microcode_update", 35 }, { "platform_quirk", 39 },
	{ "get_cpu_version", 48 }, { "efi_runtime_call", 49 }, { "firmware_info", 50 }, { "enter_acpi_sleep", 51 }, { "change_freq", 52 },
	{ "getidletime", 53 }, { "set_processor_pminfo", 54 }, { "get_cpuinfo", 55 }, { "cpu_online", 56 }, { "cpu_offline", 57 }, { "cpu_hotadd", 58 },
	{ "mem_hotadd", 59 }, { "core_parking", 60 }, { "resource_op", 61 }, { "settime64", 62 }, { "get_symbol", 63 }, { "99 (not assigned)", 99 }
};
static const struct operation mca[] = {
	{ "fetch", 1 }, { "notifydomain", 2 }, { "physcpuinfo", 3 }, { "msrinject", 4 }, { "mceinject", 5 }, { "inject_v2", 6 }, { "99 (not assigned)", 99 }
};

static long platform_op(uint32_t command, uint32_t version)
{
	static struct xen_platform_op request;

	memset(&request, 0, sizeof request);
	request.cmd = command;
	request.interface_version = version;
	return CALL(platform_op, &request);
}

static long mca_op(uint32_t command, uint32_t version)
{
	static struct xen_mc request;

	memset(&request, 0, sizeof request);
	request.cmd = command;
	request.interface_version = version;
	return CALL_NUMBER(__HYPERVISOR_mca, &request);
}

SCENARIO("toolstack-platform")
{
	answer("platform_op, structure unmapped", CALL(platform_op, UNMAPPED));
	for (unsigned n = 0; n < sizeof platform / sizeof platform[0]; n++) {
		answer_of(&platform[n], "wrong version", platform_op(platform[n].number, 1));
		if (!is_dom0())
			answer_of(&platform[n], "right version", platform_op(platform[n].number, XENPF_INTERFACE_VERSION));
	}
	answer("mca, structure unmapped", CALL_NUMBER(__HYPERVISOR_mca, UNMAPPED));
	for (unsigned n = 0; n < sizeof mca / sizeof mca[0]; n++) {
		answer_of(&mca[n], "wrong version", mca_op(mca[n].number, 1));
		if (!is_dom0())
			answer_of(&mca[n], "right version", mca_op(mca[n].number, XEN_MCA_INTERFACE_VERSION));
	}
}
