// The ELF notes with owner "Xen" (public/elfnote.h), how Xen 4.17 reads each, and what it tells the domain builder.

export type NoteKind = 'number' | 'string' | 'features' | 'feature-bits' | 'mask-pairs';

export interface NoteDefinition {
  readonly number: number;
  readonly name: string;
  readonly kind: NoteKind;
  readonly meaning: string;
}

export const NOTES: readonly NoteDefinition[] = [
  { number: 0, name: 'INFO', kind: 'string', meaning: 'free text, not read by Xen' },
  { number: 1, name: 'ENTRY', kind: 'number', meaning: 'virtual address of the first instruction' },
  { number: 2, name: 'HYPERCALL_PAGE', kind: 'number', meaning: 'virtual address of the page that the builder fills with hypercall stubs' },
  { number: 3, name: 'VIRT_BASE', kind: 'number', meaning: 'virtual address at which pseudo-physical page 0 is mapped' },
  {
    number: 4,
    name: 'PADDR_OFFSET',
    kind: 'number',
    meaning: "subtracted from the program headers' p_paddr to get pseudo-physical addresses",
  },
  { number: 5, name: 'XEN_VERSION', kind: 'string', meaning: 'interface version, must begin with xen-3.0' },
  { number: 6, name: 'GUEST_OS', kind: 'string', meaning: 'name of the guest system' },
  { number: 7, name: 'GUEST_VERSION', kind: 'string', meaning: 'version of the guest system' },
  { number: 8, name: 'LOADER', kind: 'string', meaning: 'loader type, must be generic' },
  { number: 9, name: 'PAE_MODE', kind: 'string', meaning: 'PAE support of a 32-bit guest: yes, no or bimodal' },
  { number: 10, name: 'FEATURES', kind: 'features', meaning: 'features supported, and with ! required' },
  { number: 11, name: 'BSD_SYMTAB', kind: 'string', meaning: 'yes: load the symbol table after the kernel' },
  { number: 12, name: 'HV_START_LOW', kind: 'number', meaning: 'lowest address that the hypervisor may use (32-bit guests)' },
  { number: 13, name: 'L1_MFN_VALID', kind: 'mask-pairs', meaning: 'mask and value that mark a valid L1 entry; not read by Xen 4.17' },
  { number: 14, name: 'SUSPEND_CANCEL', kind: 'number', meaning: 'the guest copes with a cancelled suspend; read by the toolstack' },
  { number: 15, name: 'INIT_P2M', kind: 'number', meaning: 'virtual address at which the frame list (p2m) is mapped' },
  { number: 16, name: 'MOD_START_PFN', kind: 'number', meaning: 'the ramdisk need not be mapped: start_info.mod_start is a pfn' },
  { number: 17, name: 'SUPPORTED_FEATURES', kind: 'feature-bits', meaning: 'features supported, as bits' },
  { number: 18, name: 'PHYS32_ENTRY', kind: 'number', meaning: '32-bit physical entry point for PVH; not used by PV' },
];

/** XENFEAT_* bit numbers (public/features.h). `inString` marks the names that a FEATURES string may use. */
export const FEATURES: readonly { readonly bit: number; readonly name: string; readonly inString: boolean }[] = [
  { bit: 0, name: 'writable_page_tables', inString: true },
  { bit: 1, name: 'writable_descriptor_tables', inString: true },
  { bit: 2, name: 'auto_translated_physmap', inString: true },
  { bit: 3, name: 'supervisor_mode_kernel', inString: true },
  { bit: 4, name: 'pae_pgdir_above_4gb', inString: true },
  { bit: 5, name: 'mmu_pt_update_preserve_ad', inString: false },
  { bit: 6, name: 'highmem_assist', inString: false },
  { bit: 7, name: 'gnttab_map_avail_bits', inString: false },
  { bit: 8, name: 'hvm_callback_vector', inString: true },
  { bit: 9, name: 'hvm_safe_pvclock', inString: false },
  { bit: 10, name: 'hvm_pirqs', inString: false },
  { bit: 11, name: 'dom0', inString: true },
  { bit: 12, name: 'grant_map_identity', inString: false },
  { bit: 13, name: 'memory_op_vnode_supported', inString: false },
  { bit: 14, name: 'ARM_SMCCC_supported', inString: false },
  { bit: 15, name: 'linux_rsdp_unrestricted', inString: false },
  { bit: 16, name: 'not_direct_mapped', inString: false },
  { bit: 17, name: 'direct_mapped', inString: false },
];

/** Items of the `__xen_guest` string that Xen 4.17 reads, and the note that says the same. */
export const GUEST_ITEMS: ReadonlyMap<string, string> = new Map([
  ['LOADER', 'LOADER'],
  ['GUEST_OS', 'GUEST_OS'],
  ['GUEST_VER', 'GUEST_VERSION'],
  ['XEN_VER', 'XEN_VERSION'],
  ['PAE', 'PAE_MODE'],
  ['BSD_SYMTAB', 'BSD_SYMTAB'],
  ['VIRT_BASE', 'VIRT_BASE'],
  ['VIRT_ENTRY', 'ENTRY'],
  ['ELF_PADDR_OFFSET', 'PADDR_OFFSET'],
  ['HYPERCALL_PAGE', 'HYPERCALL_PAGE'],
  ['FEATURES', 'FEATURES'],
]);

export const FEATURE_DOM0 = 11;
