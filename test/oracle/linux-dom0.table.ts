// Debian's Linux 6.1 as dom0 with 512 MB and an initramfs of busybox, from its start to power-off: how often it makes which hypercall on real
// Xen 4.17 in QEMU (continuations of a call not counted again), and which lines of its console differ on the simulator, and why.

import type { CallCount, Comparison } from './linux-calls.table.ts';

const PROGRAMS = 'as many as the programs that the shell starts need';
const TIME = 'how many events arrive while the kernel works depends on the speed of the processor';
const DEVICES = 'the simulated PC has neither keyboard and mouse nor a floppy disk controller';

const row = (call: string, times: number, how: Comparison | 'fewer' = 'same', why?: string): Dom0Call => ({
  ...{ call, times, how },
  ...(why ? { why } : {}),
});

/** fewer: at least once, and less often than on real Xen. */
export type Dom0Call = Omit<CallCount, 'how'> & { readonly how: Comparison | 'fewer' };

export const DOM0_CALLS: readonly Dom0Call[] = [
  row('xen_version.get_features', 1),
  row('xen_version.version', 269, 'some', `what Linux calls to have pending events delivered: ${TIME}`),
  row('xen_version.extraversion', 1),
  row('memory_op.machphys_mapping', 1),
  row('memory_op.machine_memory_map', 1),
  row('memory_op.maximum_reservation', 1),
  row(
    'memory_op.exchange',
    265,
    'near',
    'the free memory of Xen lies higher here, so that Linux tries more address widths before one is wide enough',
  ),
  row('update_va_mapping', 1620, 'near'),
  row('mmu_update.NORMAL_PT_UPDATE', 64416, 'near'),
  row('mmu_update.MACHPHYS_UPDATE', 97),
  row('mmu_update.PT_UPDATE_PRESERVE_AD', 28, 'some', PROGRAMS),
  row('mmuext_op.PIN_L1_TABLE', 1003),
  row('mmuext_op.PIN_L3_TABLE', 1),
  row('mmuext_op.PIN_L4_TABLE', 1),
  row('mmuext_op.UNPIN_TABLE', 1),
  row('mmuext_op.NEW_BASEPTR', 2),
  row('mmuext_op.NEW_BASEPTR+NEW_USER_BASEPTR', 17109, 'near'),
  row('mmuext_op.INVLPG_LOCAL', 620, 'some', PROGRAMS),
  row('mmuext_op.TLB_FLUSH_LOCAL', 69, 'some', PROGRAMS),
  row('mmuext_op.SET_LDT', 1),
  row('multicall', 1229, 'near'),
  row('set_gdt', 5),
  row('update_descriptor', 1),
  row('set_trap_table', 26),
  row('callback_op.register', 4),
  row('vm_assist.enable', 4),
  row('stack_switch', 1411, 'some', PROGRAMS),
  row('iret', 3851, 'some', PROGRAMS),
  row('fpu_taskswitch', 2),
  row('set_debugreg', 6),
  row('set_segment_base.GS_KERNEL', 4),
  row('set_segment_base.GS_USER', 1),
  row('set_segment_base.GS_USER_SEL', 2915, 'some', PROGRAMS),
  row('set_segment_base.FS', 202, 'some', PROGRAMS),
  row('vcpu_op.is_up', 8192),
  row('vcpu_op.register_vcpu_info', 1),
  row('vcpu_op.register_runstate_memory_area', 2),
  row('vcpu_op.stop_periodic_timer', 3),
  row('vcpu_op.stop_singleshot_timer', 1),
  row('vcpu_op.set_singleshot_timer', 991, 'some', TIME),
  row('event_channel_op.init_control', 1),
  row('event_channel_op.expand_array', 1),
  row('event_channel_op.set_priority', 1),
  row('event_channel_op.alloc_unbound', 1),
  row('event_channel_op.bind_virq', 4),
  row('event_channel_op.bind_ipi', 4),
  row('event_channel_op.bind_vcpu', 9, 'fewer', DEVICES),
  row('event_channel_op.bind_pirq', 5, 'fewer', DEVICES),
  row('grant_table_op.set_version', 1),
  row('grant_table_op.query_size', 4),
  row('grant_table_op.setup_table', 1),
  row('physdev_op.set_iopl', 1),
  row('physdev_op.pirq_eoi_gmfn_v2', 1),
  row('physdev_op.apic_read', 5),
  row('physdev_op.map_pirq', 15),
  row('physdev_op.alloc_irq_vector', 15),
  row('physdev_op.irq_status_query', 20, 'fewer', DEVICES),
  row('physdev_op.setup_gsi', 6, 'fewer', DEVICES),
  row('physdev_op.eoi', 1),
  row('physdev_op.pci_device_add', 4),
  row('platform_op.firmware_info', 4),
  row('platform_op.get_cpuinfo', 4),
  row('platform_op.settime64', 4),
  row('platform_op.enter_acpi_sleep', 1),
  row('mca.physcpuinfo', 2),
  row('console_io.write', 25, 'some', 'as much as is printed'),
  row('console_io.read', 16, 'some', 'as much as is typed'),
  row('xenpmu_op', 1),
  row('sched_op.block', 13, 'some', 'a faster processor waits more often'),
];

/** Refusals, by call and answer. */
export const DOM0_REFUSALS: readonly string[] = [
  'memory_op.exchange -12',
  'physdev_op.setup_gsi -17',
  'platform_op.firmware_info -3',
  'platform_op.firmware_info -38',
  'vcpu_op.is_up -2',
  'xenpmu_op -95',
];

export interface LineDifference {
  /** Lines of real Xen's dom0 that the simulator's does not show, and the other way round. */
  readonly real?: RegExp;
  readonly here?: RegExp;
  readonly why: string;
}

const TSC = "the simulated processor's time stamp counter counts 1 GHz";
const CLOCK = 'another time of day';

export const DOM0_LINES: readonly LineDifference[] = [
  { real: /^DMI: QEMU Standard PC/, here: /^DMI: Hyperport Simulated PC/, why: "firmware's tables name the machine" },
  {
    real: /^tsc: Detected [\d.]+ MHz processor$/,
    here: /^tsc: (Fast TSC calibration using PIT|Detected [\d.]+ MHz (processor|TSC))$/,
    why: `${TSC}, and a port is read fast enough for Linux to measure it by the interval timer`,
  },
  { real: /^ACPI: [A-Z]{4} 0x.* BOCHS/, here: /^ACPI: [A-Z]{4} 0x.* HYPRPT/, why: 'tables of another maker, in other sizes' },
  { real: /^ACPI: Reserving .* table memory at/, here: /^ACPI: Reserving .* table memory at/, why: 'the tables have other sizes' },
  { real: /^clocksource: tsc(-early)?: /, here: /^clocksource: tsc(-early)?: /, why: TSC },
  { real: /^Calibrating delay loop \(skipped\)/, here: /^Calibrating delay loop \(skipped\)/, why: TSC },
  { real: /^Memory: /, here: /^Memory: /, why: 'two pages fewer are taken before this line; which was not found out' },
  { real: /^audit: type=2000 audit\(/, here: /^audit: type=2000 audit\(/, why: CLOCK },
  { real: /^sched_clock: Marking stable/, here: /^sched_clock: Marking stable/, why: 'the boot takes another time' },
  { real: /^ACPI: Enabled 2 GPEs in block 00 to 0F$/, why: 'nothing can be plugged into the simulated PC while it runs' },
  { real: /^acpiphp: Slot \[\d+\] registered$/, why: 'nothing can be plugged into the simulated PC while it runs' },
  { real: /^pci 0000:00:01\.1: /, why: 'the simulated PC has no disk controller' },
  { here: /^pci 0000:00:02\.0: /, why: 'it has a device to learn DMA and interrupts with' },
  { real: /^pnp: PnP ACPI: found 5 devices$/, here: /^pnp: PnP ACPI: found 2 devices$/, why: DEVICES },
  {
    real: /^i8042: PNP: PS\/2 Controller/,
    here: /^i8042: (PNP: No PS\/2 controller found|Probing ports directly|No controller found)/,
    why: DEVICES,
  },
  { real: /^(serio: i8042|input: AT Translated Set 2 keyboard)/, why: DEVICES },
  { real: /^rtc_cmos 00:04: /, here: /^rtc_cmos 00:01: /, why: `${DEVICES}, which count as 00:00 to 00:02; ${CLOCK}` },
];
