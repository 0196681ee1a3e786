// How often Debian's Linux 6.1 makes which hypercall as a domU with 256 MB from its start to power-off, counted on real Xen 4.17 with an
// initramfs of busybox (continuations of a call not counted again). `how` says what a run elsewhere must show.

/** same: as often. near: up to 15 % off, it depends on how many pages programs touch. some: at least once, it depends on time or programs. */
export type Comparison = 'same' | 'near' | 'some';

export interface CallCount {
  readonly call: string;
  readonly times: number;
  readonly how: Comparison;
  readonly why?: string;
}

const PROGRAMS = 'as many as the programs that the shell starts need';
const TIME = 'how many events arrive while the kernel works depends on the speed of the processor';

const row = (call: string, times: number, how: Comparison = 'same', why?: string): CallCount => ({
  call,
  times,
  how,
  ...(why ? { why } : {}),
});

export const LINUX_CALLS: readonly CallCount[] = [
  row('xen_version.get_features', 1),
  row('xen_version.version', 425, 'some', `what Linux calls to have pending events delivered: ${TIME}`),
  row('xen_version.extraversion', 1),
  row('memory_op.machphys_mapping', 1),
  row('memory_op.memory_map', 1),
  row('update_va_mapping', 364, 'near'),
  row('mmu_update.NORMAL_PT_UPDATE', 52563, 'near'),
  row('mmu_update.PT_UPDATE_PRESERVE_AD', 22, 'some', PROGRAMS),
  row('mmuext_op.PIN_L1_TABLE', 93),
  row('mmuext_op.PIN_L3_TABLE', 1),
  row('mmuext_op.PIN_L4_TABLE', 1),
  row('mmuext_op.UNPIN_TABLE', 1),
  row('mmuext_op.NEW_BASEPTR', 2),
  row('mmuext_op.NEW_BASEPTR+NEW_USER_BASEPTR', 16895, 'near'),
  row('mmuext_op.INVLPG_LOCAL', 305, 'some', PROGRAMS),
  row('mmuext_op.TLB_FLUSH_LOCAL', 32, 'some', PROGRAMS),
  row('mmuext_op.SET_LDT', 1),
  row('multicall', 104, 'some', PROGRAMS),
  row('set_gdt', 5),
  row('update_descriptor', 1),
  row('set_trap_table', 26),
  row('callback_op.register', 4),
  row('vm_assist.enable', 4),
  row('stack_switch', 1655, 'some', PROGRAMS),
  row('iret', 3521, 'some', PROGRAMS),
  row('fpu_taskswitch', 2),
  row('set_debugreg', 6),
  row('set_segment_base.GS_KERNEL', 4),
  row('set_segment_base.GS_USER', 1),
  row('set_segment_base.GS_USER_SEL', 3387, 'some', PROGRAMS),
  row('set_segment_base.FS', 215, 'some', PROGRAMS),
  row('vcpu_op.is_up', 8192),
  row('vcpu_op.register_vcpu_info', 1),
  row('vcpu_op.register_runstate_memory_area', 2),
  row('vcpu_op.stop_periodic_timer', 3),
  row('vcpu_op.stop_singleshot_timer', 1),
  row('vcpu_op.set_singleshot_timer', 2007, 'some', TIME),
  row('event_channel_op.init_control', 1),
  row('event_channel_op.expand_array', 1),
  row('event_channel_op.set_priority', 1),
  row('event_channel_op.bind_virq', 1),
  row('event_channel_op.bind_ipi', 4),
  row('event_channel_op.bind_vcpu', 2),
  row('event_channel_op.unmask', 2, 'some', TIME),
  row('event_channel_op.send', 957, 'some', 'one for what the console and XenStore can take at once'),
  row('grant_table_op.set_version', 1),
  row('grant_table_op.query_size', 4),
  row('grant_table_op.setup_table', 1),
  row('physdev_op.set_iopl', 1),
  row('physdev_op.pirq_eoi_gmfn_v2', 1),
  row('console_io.write', 79, 'some', 'refused to a domU; Linux tries it for messages before its console'),
  row('xenpmu_op', 2),
  row('sched_op.block', 13, 'some', 'a faster processor waits more often'),
  row('sched_op.shutdown', 1),
];
