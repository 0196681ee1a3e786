// Numbers of the ELF notes with owner name "Xen", and the feature bits they and xen_version.get_features name.

/** Note numbers. */
export const elfNotes = {
  XEN_ELFNOTE_INFO: 0,
  XEN_ELFNOTE_ENTRY: 1,
  XEN_ELFNOTE_HYPERCALL_PAGE: 2,
  XEN_ELFNOTE_VIRT_BASE: 3,
  XEN_ELFNOTE_PADDR_OFFSET: 4,
  XEN_ELFNOTE_XEN_VERSION: 5,
  XEN_ELFNOTE_GUEST_OS: 6,
  XEN_ELFNOTE_GUEST_VERSION: 7,
  XEN_ELFNOTE_LOADER: 8,
  XEN_ELFNOTE_PAE_MODE: 9,
  XEN_ELFNOTE_FEATURES: 10,
  XEN_ELFNOTE_BSD_SYMTAB: 11,
  XEN_ELFNOTE_HV_START_LOW: 12,
  XEN_ELFNOTE_L1_MFN_VALID: 13,
  XEN_ELFNOTE_SUSPEND_CANCEL: 14,
  XEN_ELFNOTE_INIT_P2M: 15,
  XEN_ELFNOTE_MOD_START_PFN: 16,
  XEN_ELFNOTE_SUPPORTED_FEATURES: 17,
  XEN_ELFNOTE_PHYS32_ENTRY: 18,
} as const;

/** Bit numbers of the feature words. */
export const features = {
  XENFEAT_writable_page_tables: 0,
  XENFEAT_writable_descriptor_tables: 1,
  XENFEAT_auto_translated_physmap: 2,
  XENFEAT_supervisor_mode_kernel: 3,
  XENFEAT_pae_pgdir_above_4gb: 4,
  XENFEAT_mmu_pt_update_preserve_ad: 5,
  XENFEAT_highmem_assist: 6,
  XENFEAT_gnttab_map_avail_bits: 7,
  XENFEAT_hvm_callback_vector: 8,
  XENFEAT_hvm_safe_pvclock: 9,
  XENFEAT_hvm_pirqs: 10,
  XENFEAT_dom0: 11,
  XENFEAT_memory_op_vnode_supported: 13,
  XENFEAT_ARM_SMCCC_supported: 14,
  XENFEAT_linux_rsdp_unrestricted: 15,
  XENFEAT_not_direct_mapped: 16,
  XENFEAT_direct_mapped: 17,
} as const;

/** Is the value of a note text, an address or number of the kernel's word size, or pairs of them? */
export const elfNoteKinds: Readonly<Record<keyof typeof elfNotes, 'string' | 'number' | 'pairs'>> = {
  XEN_ELFNOTE_INFO: 'string',
  XEN_ELFNOTE_ENTRY: 'number',
  XEN_ELFNOTE_HYPERCALL_PAGE: 'number',
  XEN_ELFNOTE_VIRT_BASE: 'number',
  XEN_ELFNOTE_PADDR_OFFSET: 'number',
  XEN_ELFNOTE_XEN_VERSION: 'string',
  XEN_ELFNOTE_GUEST_OS: 'string',
  XEN_ELFNOTE_GUEST_VERSION: 'string',
  XEN_ELFNOTE_LOADER: 'string',
  XEN_ELFNOTE_PAE_MODE: 'string',
  XEN_ELFNOTE_FEATURES: 'string',
  XEN_ELFNOTE_BSD_SYMTAB: 'string',
  XEN_ELFNOTE_HV_START_LOW: 'number',
  XEN_ELFNOTE_L1_MFN_VALID: 'pairs',
  XEN_ELFNOTE_SUSPEND_CANCEL: 'number',
  XEN_ELFNOTE_INIT_P2M: 'number',
  XEN_ELFNOTE_MOD_START_PFN: 'number',
  XEN_ELFNOTE_SUPPORTED_FEATURES: 'number',
  XEN_ELFNOTE_PHYS32_ENTRY: 'number',
};
