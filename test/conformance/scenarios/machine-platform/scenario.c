/*
 * machine: platform_op as dom0 uses it: what firmware told, processors, the wall clock, and what this machine does not have.
 *
 * Sleep states end the machine and are not asked for here, but for those that are refused.
 *
 * Read: answers; numbers of the one processor.
 */
#include "guest.h"
#include <xen/platform.h>

static struct xen_platform_op op;

static long ask(unsigned command)
{
	op.cmd = command;
	op.interface_version = XENPF_INTERFACE_VERSION;
	return CALL(platform_op, &op);
}

static void firmware(const char *name, unsigned type, unsigned index)
{
	op.u.firmware_info.type = type;
	op.u.firmware_info.index = index;
	answer(name, ask(XENPF_firmware_info));
}

SCENARIO("machine-platform")
{
	static xenpf_resource_entry_t entries[4];
	static uint32_t capabilities[3] = { 2, 1, 0 };

	if (!is_dom0())
		return;
	firmware("firmware_info: disk 0", XEN_FW_DISK_INFO, 0);
	firmware("firmware_info: boot record 0", XEN_FW_DISK_MBR_SIGNATURE, 0);
	firmware("firmware_info: monitor", XEN_FW_VBEDDC_INFO, 0);
	firmware("firmware_info: EFI", XEN_FW_EFI_INFO, XEN_FW_EFI_VERSION);
	firmware("firmware_info: keyboard", XEN_FW_KBD_SHIFT_FLAGS, 0);
	value("  shift flags", op.u.firmware_info.u.kbd_shift_flags);
	firmware("firmware_info: keyboard 1", XEN_FW_KBD_SHIFT_FLAGS, 1);
	firmware("firmware_info: type 9", 9, 0);
	op.u.pcpu_info.xen_cpuid = 0;
	answer("get_cpuinfo 0", ask(XENPF_get_cpuinfo));
	value("  max_present", op.u.pcpu_info.max_present);
	value("  flags", op.u.pcpu_info.flags);
	value("  apic_id", op.u.pcpu_info.apic_id);
	value("  acpi_id", op.u.pcpu_info.acpi_id);
	op.u.pcpu_info.xen_cpuid = 1;
	answer("get_cpuinfo 1", ask(XENPF_get_cpuinfo));
	value("  flags", op.u.pcpu_info.flags);
	op.u.pcpu_version.xen_cpuid = 0;
	answer("get_cpu_version 0", ask(XENPF_get_cpu_version));
	value("  family", op.u.pcpu_version.family);
	value("  model", op.u.pcpu_version.model);
	value("  stepping", op.u.pcpu_version.stepping);
	op.u.pcpu_version.vendor_id[11] = 0;
	text("  vendor", op.u.pcpu_version.vendor_id);
	op.u.pcpu_version.xen_cpuid = 1;
	answer("get_cpu_version 1", ask(XENPF_get_cpu_version));
	value("  family", op.u.pcpu_version.family);
	op.u.cpu_ol.cpuid = 0;
	answer("cpu_online 0", ask(XENPF_cpu_online));
	answer("cpu_offline 0", ask(XENPF_cpu_offline));
	op.u.cpu_ol.cpuid = 1;
	answer("cpu_online 1", ask(XENPF_cpu_online));
	answer("cpu_offline 1", ask(XENPF_cpu_offline));
	op.u.core_parking.type = XEN_CORE_PARKING_GET;
	answer("core_parking: get", ask(XENPF_core_parking));
	value("  idle", op.u.core_parking.idle_nums);
	op.u.core_parking.type = 9;
	answer("core_parking of type 9", ask(XENPF_core_parking));
	op.u.platform_quirk.quirk_id = QUIRK_IOAPIC_GOOD_REGSEL;
	answer("platform_quirk: good I/O APIC", ask(XENPF_platform_quirk));
	op.u.platform_quirk.quirk_id = 9;
	answer("platform_quirk 9", ask(XENPF_platform_quirk));
	answer("change_freq", ask(XENPF_change_freq));
	answer("getidletime", ask(XENPF_getidletime));
	op.u.set_pminfo.type = XEN_PM_TX;
	answer("set_processor_pminfo: throttling", ask(XENPF_set_processor_pminfo));
	op.u.set_pminfo.type = 9;
	answer("set_processor_pminfo of type 9", ask(XENPF_set_processor_pminfo));
	op.u.set_pminfo.type = XEN_PM_PDC;
	set_xen_guest_handle(op.u.set_pminfo.u.pdc, capabilities);
	answer("set_processor_pminfo: capabilities of revision 2", ask(XENPF_set_processor_pminfo));
	op.u.efi_runtime_call.function = XEN_EFI_get_time;
	op.u.efi_runtime_call.misc = 0;
	answer("efi_runtime_call", ask(XENPF_efi_runtime_call));
	op.u.microcode.length = 16;
	set_xen_guest_handle(op.u.microcode.data, capabilities);
	answer("microcode_update", ask(XENPF_microcode_update));
	op.u.resource_op.nr_entries = 0;
	answer("resource_op of nothing", ask(XENPF_resource_op));
	op.u.resource_op.nr_entries = 9;
	answer("resource_op of 9", ask(XENPF_resource_op));
	op.u.resource_op.nr_entries = 2;
	op.u.resource_op.cpu = 0;
	set_xen_guest_handle(op.u.resource_op.entries, entries);
	entries[0].u.cmd = XEN_RESOURCE_OP_MSR_READ;
	entries[0].idx = 0x10;
	entries[1].u.cmd = XEN_RESOURCE_OP_MSR_READ;
	entries[1].idx = 0xc0000080;
	answer("resource_op: TSC and EFER", ask(XENPF_resource_op));
	value("  answer of the second", entries[1].u.ret);
	entries[0].u.cmd = 9;
	answer("resource_op of command 9", ask(XENPF_resource_op));
	value("  answer", entries[0].u.ret);
	op.u.settime64.mbz = 1;
	answer("settime64 with a field that must be 0", ask(XENPF_settime64));
	op.u.settime64.secs = 2000000000;
	op.u.settime64.nsecs = 5;
	op.u.settime64.mbz = 0;
	op.u.settime64.system_time = 1000000000;
	answer("settime64", ask(XENPF_settime64));
	value("  seconds at system time 0", shared->wc_sec);
	value("  nanoseconds", shared->wc_nsec);
	op.u.enter_acpi_sleep.sleep_state = 5;
	op.u.enter_acpi_sleep.flags = 2;
	answer("enter_acpi_sleep with flag 2", ask(XENPF_enter_acpi_sleep));
	op.u.enter_acpi_sleep.flags = XENPF_ACPI_SLEEP_EXTENDED;
	answer("enter_acpi_sleep by the register of reduced hardware", ask(XENPF_enter_acpi_sleep));
	answer("command 99", ask(99));
}
