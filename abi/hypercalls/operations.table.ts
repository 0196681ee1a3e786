// Sub-operations of the calls that a guest kernel makes. `type` is the structure, scalar or char[n] that the argument points to.

import type { Operation } from './hypercall.ts';

/** MMUEXT_; the type of an element is always mmuext_op. */
export const mmuextOperations: readonly Operation[] = [
  {
    number: 0,
    name: 'PIN_L1_TABLE',
    type: 'mmuext_op',
    replaces: 'nothing native: tells Xen that the page is and stays a level 1 page table',
  },
  { number: 1, name: 'PIN_L2_TABLE', type: 'mmuext_op', replaces: 'nothing native: pins a level 2 page table' },
  {
    number: 2,
    name: 'PIN_L3_TABLE',
    type: 'mmuext_op',
    replaces: 'nothing native: pins a level 3 page table (the top level of a 32-bit guest)',
  },
  { number: 3, name: 'PIN_L4_TABLE', type: 'mmuext_op', replaces: 'nothing native: pins a top-level page table of a 64-bit guest' },
  {
    number: 4,
    name: 'UNPIN_TABLE',
    type: 'mmuext_op',
    replaces: 'freeing a page table: its page becomes writable again when nothing uses it as a table',
  },
  { number: 5, name: 'NEW_BASEPTR', type: 'mmuext_op', replaces: 'mov to cr3 (kernel address space)' },
  { number: 6, name: 'TLB_FLUSH_LOCAL', type: 'mmuext_op', replaces: 'mov cr3,cr3 on this processor' },
  { number: 7, name: 'INVLPG_LOCAL', type: 'mmuext_op', replaces: 'invlpg on this processor' },
  { number: 8, name: 'TLB_FLUSH_MULTI', type: 'mmuext_op', replaces: 'TLB shootdown by IPI to the vCPUs of a mask' },
  { number: 9, name: 'INVLPG_MULTI', type: 'mmuext_op', replaces: 'invlpg by IPI on the vCPUs of a mask' },
  { number: 10, name: 'TLB_FLUSH_ALL', type: 'mmuext_op', replaces: 'TLB shootdown by IPI to all processors' },
  { number: 11, name: 'INVLPG_ALL', type: 'mmuext_op', replaces: 'invlpg by IPI on all processors' },
  { number: 12, name: 'FLUSH_CACHE', type: 'mmuext_op', replaces: 'wbinvd; needs access to I/O memory' },
  { number: 13, name: 'SET_LDT', type: 'mmuext_op', replaces: 'lldt' },
  {
    number: 15,
    name: 'NEW_USER_BASEPTR',
    type: 'mmuext_op',
    replaces: 'mov to cr3 for user mode: a 64-bit PV guest has a second top-level table for it',
  },
  { number: 16, name: 'CLEAR_PAGE', type: 'mmuext_op', replaces: 'clearing a page that is not mapped writable' },
  { number: 17, name: 'COPY_PAGE', type: 'mmuext_op', replaces: 'copying to a page that is not mapped writable' },
  { number: 18, name: 'FLUSH_CACHE_GLOBAL', type: 'mmuext_op', replaces: 'wbinvd on all processors' },
  { number: 19, name: 'MARK_SUPER', type: 'mmuext_op', who: 'none', replaces: 'removed with superpages for PV: -EOPNOTSUPP' },
  { number: 20, name: 'UNMARK_SUPER', type: 'mmuext_op', who: 'none', replaces: 'removed with superpages for PV: -EOPNOTSUPP' },
];

/** MMU_: low two bits of mmu_update.ptr. */
export const mmuUpdateOperations: readonly Operation[] = [
  { number: 0, name: 'NORMAL_PT_UPDATE', type: 'mmu_update', replaces: 'a store to a page-table entry' },
  {
    number: 1,
    name: 'MACHPHYS_UPDATE',
    type: 'mmu_update',
    replaces: 'nothing native: sets the pseudo-physical number of a machine frame',
  },
  {
    number: 2,
    name: 'PT_UPDATE_PRESERVE_AD',
    type: 'mmu_update',
    replaces: 'a compare-exchange on a page-table entry that keeps accessed and dirty bits',
  },
  {
    number: 3,
    name: 'PT_UPDATE_NO_TRANSLATE',
    type: 'mmu_update',
    replaces: 'a store to a page-table entry whose frame is a machine frame also for a translated guest',
  },
];

/** SCHEDOP_. */
export const schedOperations: readonly Operation[] = [
  { number: 0, name: 'yield', type: null, replaces: 'pause in a spin loop' },
  { number: 1, name: 'block', type: null, replaces: 'sti; hlt: unmasks events and waits for one' },
  { number: 2, name: 'shutdown', type: 'sched_shutdown', replaces: 'power-off, reset line, triple fault' },
  { number: 3, name: 'poll', type: 'sched_poll', replaces: 'waiting for one of a set of interrupts with interrupts off' },
  { number: 4, name: 'remote_shutdown', type: 'sched_remote_shutdown', who: 'dom0' },
  { number: 5, name: 'shutdown_code', type: 'sched_shutdown', replaces: 'recording the reason before a later shutdown' },
  { number: 6, name: 'watchdog', type: 'sched_watchdog', replaces: 'a hardware watchdog' },
  { number: 7, name: 'pin_override', type: 'sched_pin_override', who: 'dom0', replaces: 'running firmware code on one given processor' },
];

/** SCHEDOP_ of the old call: the argument is a value, not a pointer. */
export const schedCompatOperations: readonly Operation[] = [
  { number: 0, name: 'yield', type: null },
  { number: 1, name: 'block', type: null },
  { number: 2, name: 'shutdown', type: null },
];

/** VCPUOP_. */
export const vcpuOperations: readonly Operation[] = [
  { number: 0, name: 'initialise', type: 'vcpu_guest_context', replaces: 'the real-mode trampoline of a secondary processor' },
  { number: 1, name: 'up', type: null, replaces: 'INIT and STARTUP IPIs' },
  { number: 2, name: 'down', type: null, replaces: 'cli; hlt for ever on a secondary processor' },
  { number: 3, name: 'is_up', type: null, replaces: 'looking a processor up in the MADT' },
  { number: 4, name: 'get_runstate_info', type: '>vcpu_runstate_info' },
  {
    number: 5,
    name: 'register_runstate_memory_area',
    type: 'vcpu_register_runstate_memory_area',
    replaces: 'nothing native: time stolen by other domains',
  },
  { number: 6, name: 'set_periodic_timer', type: 'vcpu_set_periodic_timer', replaces: 'PIT or local APIC timer in periodic mode' },
  { number: 7, name: 'stop_periodic_timer', type: null, replaces: 'stopping the PIT' },
  { number: 8, name: 'set_singleshot_timer', type: 'vcpu_set_singleshot_timer', replaces: 'local APIC timer in one-shot mode' },
  { number: 9, name: 'stop_singleshot_timer', type: null, replaces: 'stopping the one-shot timer' },
  {
    number: 10,
    name: 'register_vcpu_info',
    type: 'vcpu_register_vcpu_info',
    replaces: 'nothing native: moves vcpu_info out of the shared page; needed above 32 vCPUs',
  },
  { number: 11, name: 'send_nmi', type: null, replaces: 'NMI by the local APIC' },
  { number: 12, name: 'get_physid', type: 'vcpu_get_physid', who: 'dom0', replaces: 'reading the local APIC id' },
  {
    number: 13,
    name: 'register_vcpu_time_memory_area',
    type: 'vcpu_register_time_memory_area',
    replaces: 'nothing native: time data that user mode can map',
  },
];

/** EVTCHNOP_. */
export const eventOperations: readonly Operation[] = [
  { number: 0, name: 'bind_interdomain', type: 'evtchn_bind_interdomain', replaces: 'an interrupt line between driver domain and guest' },
  { number: 1, name: 'bind_virq', type: 'evtchn_bind_virq', replaces: 'request of a timer, console or debug interrupt' },
  { number: 2, name: 'bind_pirq', type: 'evtchn_bind_pirq', who: 'dom0', replaces: 'unmasking a PIC or I/O APIC line' },
  { number: 3, name: 'close', type: 'evtchn_close' },
  { number: 4, name: 'send', type: 'evtchn_send', replaces: 'ringing a doorbell register; an IPI' },
  { number: 5, name: 'status', type: 'evtchn_status' },
  { number: 6, name: 'alloc_unbound', type: 'evtchn_alloc_unbound' },
  { number: 7, name: 'bind_ipi', type: 'evtchn_bind_ipi', replaces: 'a vector for inter-processor interrupts' },
  { number: 8, name: 'bind_vcpu', type: 'evtchn_bind_vcpu', replaces: 'interrupt affinity in the I/O APIC' },
  { number: 9, name: 'unmask', type: 'evtchn_unmask', replaces: 'unmasking a line, with what was pending delivered' },
  { number: 10, name: 'reset', type: 'evtchn_reset' },
  { number: 11, name: 'init_control', type: 'evtchn_init_control', replaces: 'nothing native: switches to the FIFO layout' },
  { number: 12, name: 'expand_array', type: 'evtchn_expand_array' },
  { number: 13, name: 'set_priority', type: 'evtchn_set_priority', replaces: 'task priority' },
];

/** XENMEM_. */
export const memoryOperations: readonly Operation[] = [
  { number: 0, name: 'increase_reservation', type: 'xen_memory_reservation', replaces: 'nothing native: asks for machine frames' },
  { number: 1, name: 'decrease_reservation', type: 'xen_memory_reservation', replaces: 'nothing native: gives frames back (balloon)' },
  { number: 2, name: 'maximum_ram_page', type: null, replaces: 'top of physical memory' },
  { number: 3, name: 'current_reservation', type: 'xen_memory_domain' },
  { number: 4, name: 'maximum_reservation', type: 'xen_memory_domain' },
  { number: 5, name: 'machphys_mfn_list', type: 'xen_machphys_mfn_list' },
  {
    number: 6,
    name: 'populate_physmap',
    type: 'xen_memory_reservation',
    replaces: 'nothing native: gives chosen pseudo-physical pages a frame (balloon)',
  },
  {
    number: 7,
    name: 'add_to_physmap',
    type: 'xen_add_to_physmap',
    who: 'hvm',
    replaces: 'for translated guests; a PV guest maps frames by its page tables',
  },
  { number: 9, name: 'memory_map', type: 'xen_memory_map', replaces: 'BIOS call E820' },
  { number: 10, name: 'machine_memory_map', type: 'xen_memory_map', who: 'dom0', replaces: 'BIOS call E820 of the real machine' },
  { number: 11, name: 'exchange', type: 'xen_memory_exchange', replaces: 'allocation of contiguous memory for DMA' },
  { number: 12, name: 'machphys_mapping', type: 'xen_machphys_mapping' },
  { number: 13, name: 'set_memory_map', type: 'xen_foreign_memory_map', who: 'dom0' },
  { number: 14, name: 'maximum_gpfn', type: 'xen_memory_domain' },
  { number: 15, name: 'remove_from_physmap', type: 'xen_remove_from_physmap', who: 'hvm' },
  { number: 16, name: 'set_pod_target', type: 'xen_pod_target', who: 'dom0' },
  { number: 17, name: 'get_pod_target', type: 'xen_pod_target', who: 'dom0' },
  { number: 18, name: 'get_sharing_freed_pages', type: null, who: 'dom0' },
  { number: 19, name: 'get_sharing_shared_pages', type: null, who: 'dom0' },
  { number: 20, name: 'paging_op', type: 'xen_mem_paging_op', who: 'dom0' },
  { number: 21, name: 'access_op', type: 'xen_mem_access_op', who: 'dom0' },
  { number: 22, name: 'sharing_op', type: 'xen_mem_sharing_op', who: 'dom0' },
  { number: 23, name: 'add_to_physmap_batch', type: 'xen_add_to_physmap_batch', who: 'hvm' },
  { number: 24, name: 'claim_pages', type: 'xen_memory_reservation', who: 'dom0' },
  { number: 25, name: 'machphys_compat_mfn_list', type: 'xen_machphys_mfn_list' },
  { number: 26, name: 'get_vnumainfo', type: 'xen_vnuma_topology_info', replaces: 'the SRAT and SLIT tables of ACPI' },
  { number: 27, name: 'reserved_device_memory_map', type: 'xen_reserved_device_memory_map', who: 'dom0' },
  { number: 28, name: 'acquire_resource', type: 'xen_mem_acquire_resource', who: 'dom0' },
];

/** GNTTABOP_. */
export const grantOperations: readonly Operation[] = [
  { number: 0, name: 'map_grant_ref', type: 'gnttab_map_grant_ref', replaces: 'DMA to memory of another domain' },
  { number: 1, name: 'unmap_grant_ref', type: 'gnttab_unmap_grant_ref' },
  { number: 2, name: 'setup_table', type: 'gnttab_setup_table', replaces: 'setting up an IOMMU: the table of pages that others may use' },
  { number: 3, name: 'dump_table', type: 'gnttab_dump_table' },
  { number: 4, name: 'transfer', type: 'gnttab_transfer' },
  { number: 5, name: 'copy', type: 'gnttab_copy', replaces: 'DMA by copying' },
  { number: 6, name: 'query_size', type: 'gnttab_query_size' },
  { number: 7, name: 'unmap_and_replace', type: 'gnttab_unmap_and_replace' },
  { number: 8, name: 'set_version', type: 'gnttab_set_version' },
  { number: 9, name: 'get_status_frames', type: 'gnttab_get_status_frames' },
  { number: 10, name: 'get_version', type: 'gnttab_get_version' },
  { number: 11, name: 'swap_grant_ref', type: 'gnttab_swap_grant_ref' },
  { number: 12, name: 'cache_flush', type: 'gnttab_cache_flush', replaces: 'clflush of memory of another domain (ARM)' },
];

/** XENVER_. */
export const versionOperations: readonly Operation[] = [
  { number: 0, name: 'version', type: null, replaces: 'nothing native: also the cheapest call, made to have pending events delivered' },
  { number: 1, name: 'extraversion', type: '>char[16]' },
  { number: 2, name: 'compile_info', type: 'xen_compile_info' },
  { number: 3, name: 'capabilities', type: '>char[1024]' },
  { number: 4, name: 'changeset', type: '>char[64]' },
  { number: 5, name: 'platform_parameters', type: 'xen_platform_parameters' },
  { number: 6, name: 'get_features', type: 'xen_feature_info', replaces: 'CPUID feature bits, of the PV interface' },
  { number: 7, name: 'pagesize', type: null },
  { number: 8, name: 'guest_handle', type: '>u8[16]' },
  { number: 9, name: 'commandline', type: '>char[1024]', who: 'dom0' },
  { number: 10, name: 'build_id', type: 'xen_build_id' },
];

/** CONSOLEIO_. */
export const consoleOperations: readonly Operation[] = [
  { number: 0, name: 'write', type: 'char', replaces: 'UART or VGA output; refused for a domU outside debug builds of Xen' },
  { number: 1, name: 'read', type: '>char', who: 'dom0', replaces: 'UART input' },
];

/** PHYSDEVOP_. */
export const physdevOperations: readonly Operation[] = [
  { number: 4, name: 'IRQ_UNMASK_NOTIFY', type: null, who: 'dom0', replaces: 'old form of eoi, by the compat call only' },
  { number: 5, name: 'irq_status_query', type: 'physdev_irq_status_query', who: 'dom0' },
  { number: 6, name: 'set_iopl', type: 'physdev_set_iopl', replaces: 'IOPL in the flags register' },
  { number: 7, name: 'set_iobitmap', type: 'physdev_set_iobitmap', replaces: 'the I/O permission bitmap of the TSS' },
  { number: 8, name: 'apic_read', type: 'physdev_apic', who: 'dom0', replaces: 'I/O APIC register read' },
  { number: 9, name: 'apic_write', type: 'physdev_apic', who: 'dom0', replaces: 'I/O APIC register write' },
  { number: 10, name: 'alloc_irq_vector', type: 'physdev_irq', who: 'dom0' },
  { number: 11, name: 'free_irq_vector', type: 'physdev_irq', who: 'dom0' },
  { number: 12, name: 'eoi', type: 'physdev_eoi', who: 'dom0', replaces: 'end-of-interrupt write to PIC or APIC' },
  { number: 13, name: 'map_pirq', type: 'physdev_map_pirq', who: 'dom0', replaces: 'programming an I/O APIC entry or an MSI' },
  { number: 14, name: 'unmap_pirq', type: 'physdev_unmap_pirq', who: 'dom0' },
  { number: 15, name: 'manage_pci_add', type: 'physdev_manage_pci', who: 'dom0' },
  { number: 16, name: 'manage_pci_remove', type: 'physdev_manage_pci', who: 'dom0' },
  { number: 17, name: 'pirq_eoi_gmfn_v1', type: 'physdev_pirq_eoi_gmfn', who: 'dom0' },
  { number: 19, name: 'restore_msi', type: 'physdev_restore_msi', who: 'dom0' },
  { number: 20, name: 'manage_pci_add_ext', type: 'physdev_manage_pci_ext', who: 'dom0' },
  { number: 21, name: 'setup_gsi', type: 'physdev_setup_gsi', who: 'dom0', replaces: 'trigger mode and polarity of an I/O APIC entry' },
  { number: 23, name: 'get_free_pirq', type: 'physdev_get_free_pirq', who: 'dom0' },
  { number: 24, name: 'pci_mmcfg_reserved', type: 'physdev_pci_mmcfg_reserved', who: 'dom0' },
  { number: 25, name: 'pci_device_add', type: 'physdev_pci_device_add', who: 'dom0' },
  { number: 26, name: 'pci_device_remove', type: 'physdev_pci_device', who: 'dom0' },
  { number: 27, name: 'restore_msi_ext', type: 'physdev_pci_device', who: 'dom0' },
  { number: 28, name: 'pirq_eoi_gmfn_v2', type: 'physdev_pirq_eoi_gmfn', who: 'dom0' },
  { number: 29, name: 'dbgp_op', type: 'physdev_dbgp_op', who: 'dom0' },
  { number: 30, name: 'prepare_msix', type: 'physdev_pci_device', who: 'dom0' },
  { number: 31, name: 'release_msix', type: 'physdev_pci_device', who: 'dom0' },
];

/** VMASST_CMD_. */
export const assistOperations: readonly Operation[] = [
  { number: 0, name: 'enable', type: null },
  { number: 1, name: 'disable', type: null },
];

/** SEGBASE_. */
export const segmentBaseOperations: readonly Operation[] = [
  { number: 0, name: 'FS', type: null, replaces: 'wrmsr FS_BASE, wrfsbase' },
  { number: 1, name: 'GS_USER', type: null, replaces: 'wrmsr KERNEL_GS_BASE (the user base, while in the kernel)' },
  { number: 2, name: 'GS_KERNEL', type: null, replaces: 'wrmsr GS_BASE in the kernel; swapgs is done by Xen' },
  { number: 3, name: 'GS_USER_SEL', type: null, replaces: 'swapgs; mov to gs; swapgs' },
];

/** CALLBACKOP_. */
export const callbackOperations: readonly Operation[] = [
  { number: 0, name: 'register', type: 'callback_register', replaces: 'interrupt entry, wrmsr LSTAR/CSTAR/SYSENTER_EIP, NMI entry' },
  { number: 1, name: 'unregister', type: 'callback_unregister' },
];

/** XENNMI_. */
export const nmiOperations: readonly Operation[] = [
  { number: 0, name: 'register_callback', type: 'xennmi_callback', replaces: 'NMI entry of the IDT' },
  { number: 1, name: 'unregister_callback', type: null },
];

/** XENPMU_. */
export const pmuOperations: readonly Operation[] = [
  { number: 0, name: 'mode_get', type: 'xen_pmu_params', who: 'dom0' },
  { number: 1, name: 'mode_set', type: 'xen_pmu_params', who: 'dom0' },
  { number: 2, name: 'feature_get', type: 'xen_pmu_params', who: 'dom0' },
  { number: 3, name: 'feature_set', type: 'xen_pmu_params', who: 'dom0' },
  { number: 4, name: 'init', type: 'xen_pmu_params', replaces: 'performance counter set-up' },
  { number: 5, name: 'finish', type: 'xen_pmu_params' },
  { number: 6, name: 'lvtpc_set', type: 'xen_pmu_params', replaces: 'the LVTPC register of the local APIC' },
  { number: 7, name: 'flush', type: 'xen_pmu_params' },
];

/** XENPF_. */
export const platformOperations: readonly Operation[] = [
  { number: 17, name: 'settime32', type: 'xenpf_settime32', replaces: 'writing the CMOS clock' },
  { number: 31, name: 'add_memtype', type: 'xenpf_add_memtype', replaces: 'MTRR writes' },
  { number: 32, name: 'del_memtype', type: 'xenpf_del_memtype', replaces: 'MTRR writes' },
  { number: 33, name: 'read_memtype', type: 'xenpf_read_memtype', replaces: 'MTRR reads' },
  { number: 35, name: 'microcode_update', type: 'xenpf_microcode_update', replaces: 'microcode MSRs' },
  { number: 39, name: 'platform_quirk', type: 'xenpf_platform_quirk' },
  { number: 48, name: 'get_cpu_version', type: 'xenpf_pcpu_version', replaces: 'CPUID on another processor' },
  { number: 49, name: 'efi_runtime_call', type: 'xenpf_efi_runtime_call', replaces: 'calls of EFI runtime services' },
  { number: 50, name: 'firmware_info', type: 'xenpf_firmware_info', replaces: 'real-mode BIOS calls: disks, EDID, keyboard' },
  { number: 51, name: 'enter_acpi_sleep', type: 'xenpf_enter_acpi_sleep', replaces: 'writing PM1 control registers' },
  { number: 52, name: 'change_freq', type: 'xenpf_change_freq' },
  { number: 53, name: 'getidletime', type: 'xenpf_getidletime' },
  { number: 54, name: 'set_processor_pminfo', type: 'xenpf_set_processor_pminfo' },
  { number: 55, name: 'get_cpuinfo', type: 'xenpf_pcpuinfo', replaces: 'the MADT of ACPI' },
  { number: 56, name: 'cpu_online', type: 'xenpf_cpu_ol' },
  { number: 57, name: 'cpu_offline', type: 'xenpf_cpu_ol' },
  { number: 58, name: 'cpu_hotadd', type: 'xenpf_cpu_hotadd' },
  { number: 59, name: 'mem_hotadd', type: 'xenpf_mem_hotadd' },
  { number: 60, name: 'core_parking', type: 'xenpf_core_parking' },
  { number: 61, name: 'resource_op', type: 'xenpf_resource_op', replaces: 'rdmsr and wrmsr on a given processor' },
  { number: 62, name: 'settime64', type: 'xenpf_settime64', replaces: 'writing the CMOS clock' },
  { number: 63, name: 'get_symbol', type: 'xenpf_symdata' },
];

/** KEXEC_CMD_. */
export const kexecOperations: readonly Operation[] = [
  { number: 0, name: 'kexec', type: 'xen_kexec_exec', replaces: 'jumping into another kernel' },
  { number: 1, name: 'kexec_load_v1', type: 'xen_kexec_load_v1' },
  { number: 2, name: 'kexec_unload_v1', type: 'xen_kexec_load_v1' },
  { number: 3, name: 'kexec_get_range', type: 'xen_kexec_range' },
  { number: 4, name: 'kexec_load', type: 'xen_kexec_load' },
  { number: 5, name: 'kexec_unload', type: 'xen_kexec_unload' },
  { number: 6, name: 'kexec_status', type: 'xen_kexec_status' },
];

/** XENOPROF_. */
export const xenoprofOperations: readonly Operation[] = [
  { number: 0, name: 'init', type: 'xenoprof_init' },
  { number: 1, name: 'reset_active_list', type: null },
  { number: 2, name: 'reset_passive_list', type: null },
  { number: 3, name: 'set_active', type: 'domid' },
  { number: 4, name: 'set_passive', type: 'xenoprof_passive' },
  { number: 5, name: 'reserve_counters', type: null },
  { number: 6, name: 'counter', type: 'xenoprof_counter' },
  { number: 7, name: 'setup_events', type: null },
  { number: 8, name: 'enable_virq', type: null },
  { number: 9, name: 'start', type: null },
  { number: 10, name: 'stop', type: null },
  { number: 11, name: 'disable_virq', type: null },
  { number: 12, name: 'release_counters', type: null },
  { number: 13, name: 'shutdown', type: null },
  { number: 14, name: 'get_buffer', type: 'xenoprof_get_buffer' },
  { number: 15, name: 'set_backtrace', type: 'u64' },
  { number: 16, name: 'get_ibs_caps', type: '>u32' },
  { number: 17, name: 'ibs_counter', type: null },
];

/** HVMOP_. */
export const hvmOperations: readonly Operation[] = [
  { number: 0, name: 'set_param', type: 'xen_hvm_param' },
  { number: 1, name: 'get_param', type: 'xen_hvm_param' },
  { number: 5, name: 'flush_tlbs', type: null },
  { number: 9, name: 'pagetable_dying', type: 'xen_hvm_pagetable_dying' },
  { number: 10, name: 'get_time', type: 'xen_hvm_get_time' },
  { number: 11, name: 'xentrace', type: 'xen_hvm_xentrace' },
  { number: 12, name: 'set_mem_access', type: null, who: 'none', replaces: 'moved to memory_op.access_op' },
  { number: 13, name: 'get_mem_access', type: null, who: 'none', replaces: 'moved to memory_op.access_op' },
  { number: 15, name: 'get_mem_type', type: 'xen_hvm_get_mem_type' },
  { number: 23, name: 'set_evtchn_upcall_vector', type: 'xen_hvm_evtchn_upcall_vector' },
  { number: 24, name: 'guest_request_vm_event', type: null },
  { number: 25, name: 'altp2m', type: 'xen_hvm_altp2m_op' },
];

/** XEN_ARGO_OP_. */
export const argoOperations: readonly Operation[] = [
  { number: 1, name: 'register_ring', type: 'xen_argo_register_ring' },
  { number: 2, name: 'unregister_ring', type: 'xen_argo_unregister_ring' },
  { number: 3, name: 'sendv', type: 'xen_argo_send_addr' },
  { number: 4, name: 'notify', type: 'xen_argo_ring_data' },
];

/** XEN_HYPFS_OP_. */
export const hypfsOperations: readonly Operation[] = [
  { number: 0, name: 'get_version', type: null },
  { number: 1, name: 'read', type: 'char' },
  { number: 2, name: 'write_contents', type: 'char' },
];

/** XEN_MC_. */
export const mcaOperations: readonly Operation[] = [
  { number: 1, name: 'fetch', type: 'xen_mc', replaces: 'rdmsr of machine-check banks' },
  { number: 2, name: 'notifydomain', type: 'xen_mc' },
  { number: 3, name: 'physcpuinfo', type: 'xen_mc' },
  { number: 4, name: 'msrinject', type: 'xen_mc' },
  { number: 5, name: 'mceinject', type: 'xen_mc' },
  { number: 6, name: 'inject_v2', type: 'xen_mc' },
];
