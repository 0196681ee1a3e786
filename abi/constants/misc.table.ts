// kexec, pmu, platform firmware and hypfs constants.

/** xen_kexec_range.range. */
export const kexecRanges = {
  KEXEC_RANGE_MA_CRASH: 0,
  KEXEC_RANGE_MA_XEN: 1,
  KEXEC_RANGE_MA_CPU: 2,
  KEXEC_RANGE_MA_XENHEAP: 3,
  KEXEC_RANGE_MA_BOOT_PARAM: 4,
  KEXEC_RANGE_MA_EFI_MEMMAP: 5,
  KEXEC_RANGE_MA_VMCOREINFO: 6,
} as const;

/** xen_kexec_exec.type. */
export const kexecTypes = {
  KEXEC_TYPE_DEFAULT: 0,
  KEXEC_TYPE_CRASH: 1,
} as const;

/** xenpmu_op.mode_set. */
export const pmuModes = {
  XENPMU_MODE_OFF: 0,
  XENPMU_MODE_SELF: 1,
  XENPMU_MODE_HV: 2,
  XENPMU_MODE_ALL: 4,
} as const;

/** xenpmu_op.feature_set. */
export const pmuFeatures = {
  XENPMU_FEATURE_INTEL_BTS: 0x1,
  XENPMU_FEATURE_IPC_ONLY: 0x2,
  XENPMU_FEATURE_ARCH_ONLY: 0x4,
} as const;

/** xenpf_firmware_info.type. */
export const firmwareInfos = {
  XEN_FW_DISK_INFO: 1,
  XEN_FW_DISK_MBR_SIGNATURE: 2,
  XEN_FW_VBEDDC_INFO: 3,
  XEN_FW_EFI_INFO: 4,
  XEN_FW_KBD_SHIFT_FLAGS: 5,
} as const;

/** xenpf_firmware_info.index of XEN_FW_EFI_INFO. */
export const efiInfos = {
  XEN_FW_EFI_VERSION: 0,
  XEN_FW_EFI_CONFIG_TABLE: 1,
  XEN_FW_EFI_VENDOR: 2,
  XEN_FW_EFI_MEM_INFO: 3,
  XEN_FW_EFI_RT_VERSION: 4,
  XEN_FW_EFI_PCI_ROM: 5,
  XEN_FW_EFI_APPLE_PROPERTIES: 6,
} as const;

/** xen_hvm_altp2m_op.cmd. */
export const altp2m = {
  HVMOP_altp2m_get_domain_state: 1,
  HVMOP_altp2m_set_domain_state: 2,
  HVMOP_altp2m_vcpu_enable_notify: 3,
  HVMOP_altp2m_create_p2m: 4,
  HVMOP_altp2m_destroy_p2m: 5,
  HVMOP_altp2m_switch_p2m: 6,
  HVMOP_altp2m_set_mem_access: 7,
  HVMOP_altp2m_change_gfn: 8,
  HVMOP_altp2m_set_mem_access_multi: 9,
  HVMOP_altp2m_set_suppress_ve: 10,
  HVMOP_altp2m_get_suppress_ve: 11,
  HVMOP_altp2m_get_mem_access: 12,
  HVMOP_altp2m_vcpu_disable_notify: 13,
  HVMOP_altp2m_get_p2m_idx: 14,
  HVMOP_altp2m_set_suppress_ve_multi: 15,
  HVMOP_altp2m_set_visibility: 16,
} as const;

/** xen_mem_paging_op.op. */
export const pagingOps = {
  XENMEM_paging_op_nominate: 0,
  XENMEM_paging_op_evict: 1,
  XENMEM_paging_op_prep: 2,
} as const;

/** xen_mem_access_op.op. */
export const accessOps = {
  XENMEM_access_op_set_access: 0,
  XENMEM_access_op_get_access: 1,
  XENMEM_access_op_set_access_multi: 4,
} as const;

/** xen_mem_sharing_op.op. */
export const sharingOps = {
  XENMEM_sharing_op_nominate_gfn: 0,
  XENMEM_sharing_op_nominate_gref: 1,
  XENMEM_sharing_op_share: 2,
  XENMEM_sharing_op_debug_gfn: 3,
  XENMEM_sharing_op_debug_mfn: 4,
  XENMEM_sharing_op_debug_gref: 5,
  XENMEM_sharing_op_add_physmap: 6,
  XENMEM_sharing_op_audit: 7,
  XENMEM_sharing_op_range_share: 8,
  XENMEM_sharing_op_fork: 9,
  XENMEM_sharing_op_fork_reset: 10,
} as const;
