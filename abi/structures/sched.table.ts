// Arguments of sched_op.
// Notation: declaration.ts.

export const schedStructures = {
  sched_shutdown: 'u32=shutdown reason',
  sched_poll: '@port ports[nr_ports]; u32 nr_ports; u64 timeout',
  sched_remote_shutdown: 'domid domain_id; u32=shutdown reason',
  sched_watchdog: 'u32 id; u32 timeout',
  sched_pin_override: 's32 pcpu',
} as const;
