// Domain ids, shutdown reasons, limits of a domain.

/** Special domain ids. */
export const domids = {
  DOMID_FIRST_RESERVED: 0x7ff0,
  DOMID_SELF: 0x7ff0,
  DOMID_IO: 0x7ff1,
  DOMID_XEN: 0x7ff2,
  DOMID_COW: 0x7ff3,
  DOMID_INVALID: 0x7ff4,
  DOMID_IDLE: 0x7fff,
  DOMID_MASK: 0x7fff,
} as const;

/** sched_op.shutdown. */
export const shutdownReasons = {
  SHUTDOWN_poweroff: 0,
  SHUTDOWN_reboot: 1,
  SHUTDOWN_suspend: 2,
  SHUTDOWN_crash: 3,
  SHUTDOWN_watchdog: 4,
  SHUTDOWN_MAX: 5,
  SHUTDOWN_soft_reset: 5,
} as const;

/** Numbers that a guest must know. */
export const limits = {
  FIRST_RESERVED_GDT_PAGE: 14,
  NR_VIRQS: 24,
  XEN_LEGACY_MAX_VCPUS: 32,
  FIRST_RESERVED_GDT_ENTRY: 0x1c00,
  FIRST_RESERVED_GDT_BYTE: 0xe000,
  EVTCHN_FIFO_NR_CHANNELS: 0x20000,
} as const;

/** Event channels of the two-level layout: a word's bits squared. */
export const limits64 = { EVTCHN_2L_NR_CHANNELS: 4096 } as const;
export const limits32 = { EVTCHN_2L_NR_CHANNELS: 1024 } as const;
