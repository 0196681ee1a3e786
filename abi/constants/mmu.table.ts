// Page-table updates: commands, flags, vm_assist.

/** Low two bits of mmu_update.ptr. */
export const mmuUpdates = {
  MMU_NORMAL_PT_UPDATE: 0,
  MMU_MACHPHYS_UPDATE: 1,
  MMU_PT_UPDATE_PRESERVE_AD: 2,
  MMU_PT_UPDATE_NO_TRANSLATE: 3,
} as const;

/** Flags of update_va_mapping. */
export const mapFlags = {
  UVMF_LOCAL: 0x0,
  UVMF_MULTI: 0x0,
  UVMF_NONE: 0x0,
  UVMF_TLB_FLUSH: 0x1,
  UVMF_INVLPG: 0x2,
  UVMF_FLUSHTYPE_MASK: 0x3,
  UVMF_ALL: 0x4,
} as const;

/** vm_assist(cmd). */
export const assistCommands = {
  VMASST_CMD_enable: 0,
  VMASST_CMD_disable: 1,
} as const;

/** vm_assist(type). */
export const assistTypes = {
  VMASST_TYPE_4gb_segments: 0,
  VMASST_TYPE_4gb_segments_notify: 1,
  VMASST_TYPE_writable_pagetables: 2,
  VMASST_TYPE_pae_extended_cr3: 3,
  VMASST_TYPE_architectural_iopl: 4,
  VMASST_TYPE_runstate_update_flag: 5,
  VMASST_TYPE_m2p_strict: 32,
} as const;
