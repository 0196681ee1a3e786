// Event channels: virtual interrupts, states, FIFO words.

/** Virtual interrupts, for event_channel_op.bind_virq. */
export const virqs = {
  VIRQ_TIMER: 0,
  VIRQ_DEBUG: 1,
  VIRQ_CONSOLE: 2,
  VIRQ_DOM_EXC: 3,
  VIRQ_TBUF: 4,
  VIRQ_DEBUGGER: 6,
  VIRQ_XENOPROF: 7,
  VIRQ_CON_RING: 8,
  VIRQ_PCPU_STATE: 9,
  VIRQ_MEM_EVENT: 10,
  VIRQ_ARGO: 11,
  VIRQ_ENOMEM: 12,
  VIRQ_XENPMU: 13,
  VIRQ_ARCH_0: 16,
  VIRQ_MCA: 16,
  VIRQ_ARCH_1: 17,
  VIRQ_ARCH_2: 18,
  VIRQ_ARCH_3: 19,
  VIRQ_ARCH_4: 20,
  VIRQ_ARCH_5: 21,
  VIRQ_ARCH_6: 22,
  VIRQ_ARCH_7: 23,
} as const;

/** evtchn_status.status. */
export const evtchnStates = {
  EVTCHNSTAT_closed: 0,
  EVTCHNSTAT_unbound: 1,
  EVTCHNSTAT_interdomain: 2,
  EVTCHNSTAT_pirq: 3,
  EVTCHNSTAT_virq: 4,
  EVTCHNSTAT_ipi: 5,
} as const;

/** Event words and priorities of the FIFO layout. */
export const evtchnFifo = {
  EVTCHN_FIFO_PRIORITY_MAX: 0,
  EVTCHN_FIFO_PRIORITY_DEFAULT: 7,
  EVTCHN_FIFO_PRIORITY_MIN: 15,
  EVTCHN_FIFO_MAX_QUEUES: 16,
  EVTCHN_FIFO_LINK_BITS: 17,
  EVTCHN_FIFO_BUSY: 28,
  EVTCHN_FIFO_LINKED: 29,
  EVTCHN_FIFO_MASKED: 30,
  EVTCHN_FIFO_PENDING: 31,
  EVTCHN_FIFO_LINK_MASK: 0x1ffff,
} as const;

/** evtchn_bind_pirq.flags. */
export const bindPirqFlags = {
  BIND_PIRQ__WILL_SHARE: 0x1,
} as const;
