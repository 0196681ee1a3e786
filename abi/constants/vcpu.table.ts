// vCPU: guest-context flags, run states, callbacks, segment bases, selectors.

/** vcpu_guest_context.flags and iret_context.flags. */
export const guestContextFlags = {
  VGCF_i387_valid: 0x1,
  VGCF_in_kernel: 0x4,
  VGCF_failsafe_disables_events: 0x8,
  VGCF_syscall_disables_events: 0x10,
  VGCF_online: 0x20,
  VGCF_in_syscall: 0x100,
} as const;

/** callback_register.type. */
export const callbackTypes = {
  CALLBACKTYPE_event: 0,
  CALLBACKTYPE_failsafe: 1,
  CALLBACKTYPE_syscall: 2,
  CALLBACKTYPE_sysenter_deprecated: 3,
  CALLBACKTYPE_nmi: 4,
  CALLBACKTYPE_sysenter: 5,
  CALLBACKTYPE_syscall32: 7,
} as const;

/** callback_register.flags. */
export const callbackFlags = {
  CALLBACKF_mask_events: 0x1,
} as const;

/** set_segment_base(which). */
export const segmentBases = {
  SEGBASE_FS: 0,
  SEGBASE_GS_USER: 1,
  SEGBASE_GS_KERNEL: 2,
  SEGBASE_GS_USER_SEL: 3,
} as const;

/** vcpu_runstate_info.state. */
export const runStates = {
  RUNSTATE_running: 0,
  RUNSTATE_runnable: 1,
  RUNSTATE_blocked: 2,
  RUNSTATE_offline: 3,
} as const;

/** Segments that Xen puts into every GDT, for a 64-bit guest: kernel and user both run in ring 3. */
export const flatSelectors64 = {
  FLAT_RING3_CS32: 0xe023,
  FLAT_RING3_CS64: 0xe033,
  FLAT_RING3_DS32: 0xe02b,
  FLAT_RING3_DS64: 0,
  FLAT_RING3_SS32: 0xe02b,
  FLAT_RING3_SS64: 0xe02b,
  FLAT_KERNEL_CS: 0xe033,
  FLAT_KERNEL_CS32: 0xe023,
  FLAT_KERNEL_CS64: 0xe033,
  FLAT_KERNEL_DS: 0,
  FLAT_KERNEL_DS32: 0xe02b,
  FLAT_KERNEL_DS64: 0,
  FLAT_KERNEL_SS: 0xe02b,
  FLAT_KERNEL_SS32: 0xe02b,
  FLAT_KERNEL_SS64: 0xe02b,
  FLAT_USER_CS: 0xe033,
  FLAT_USER_CS32: 0xe023,
  FLAT_USER_CS64: 0xe033,
  FLAT_USER_DS: 0,
  FLAT_USER_DS32: 0xe02b,
  FLAT_USER_DS64: 0,
  FLAT_USER_SS: 0xe02b,
  FLAT_USER_SS32: 0xe02b,
  FLAT_USER_SS64: 0xe02b,
} as const;

/** The same for a 32-bit guest: the kernel runs in ring 1. */
export const flatSelectors32 = {
  FLAT_RING1_CS: 0xe019,
  FLAT_RING1_DS: 0xe021,
  FLAT_RING1_SS: 0xe021,
  FLAT_RING3_CS: 0xe02b,
  FLAT_RING3_DS: 0xe033,
  FLAT_RING3_SS: 0xe033,
  FLAT_KERNEL_CS: 0xe019,
  FLAT_KERNEL_DS: 0xe021,
  FLAT_KERNEL_SS: 0xe021,
  FLAT_USER_CS: 0xe02b,
  FLAT_USER_DS: 0xe033,
  FLAT_USER_SS: 0xe033,
} as const;

/** Bits of arch_shared_info.nmi_reason. */
export const nmiReasons = {
  XEN_NMIREASON_io_error: 1,
  XEN_NMIREASON_pci_serr: 2,
  XEN_NMIREASON_unknown: 4,
} as const;

/** vcpu_time_info.flags. */
export const timeFlags = {
  XEN_PVCLOCK_TSC_STABLE_BIT: 0x1,
  XEN_PVCLOCK_GUEST_STOPPED: 0x2,
} as const;

/** vcpu_set_singleshot_timer.flags. */
export const singleshotFlags = {
  VCPU_SSHOTTMR_future: 0x1,
} as const;
