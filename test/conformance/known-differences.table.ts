// Where the simulator and the recorded real Xen differ and are known to. Everything else that differs is a failure.
import type { Role } from './compare.ts';

export interface KnownDifference {
  readonly scenario: string;
  /** The line's name, with its count where a scenario has it more than once. */
  readonly name: string;
  readonly xen: string;
  readonly simulator: string;
  readonly role: Role;
  readonly reason: string;
}

/** scenario, name, real Xen, simulator. */
type Row = readonly [string, string, string, string];

const because = (reason: string, roles: readonly Role[], rows: readonly Row[]): KnownDifference[] =>
  roles.flatMap((role) => rows.map(([scenario, name, xen, simulator]) => ({ scenario, name, xen, simulator, role, reason })));

const BOTH = ['dom0', 'domU'] as const;

export const knownDifferences: readonly KnownDifference[] = [
  ...because('QEMU 7.2 raises #UD for int1 outside ring 0; a processor raises #DB', BOTH, [
    ['xsa-265-debug', 'int1', '#UD', '#DB rip +0x1'],
    ['xsa-265-debug', 'vector', '0x6', '0x1'],
    ['xsa-265-debug', 'int1 of user mode', '#UD', '#DB rip +0x1'],
    ['xsa-265-debug', 'vector (3)', '0x6', '0x1'],
  ]),
  ...because('QEMU 7.2 does not hold a data breakpoint of mov ss back until the next instruction is done, as a processor does', BOTH, [
    ['xsa-260-mov-ss', 'mov ss, then int3', '#DB rip +0x2', '#BP rip +0x3'],
    ['xsa-260-mov-ss', 'mov ss, then int 0x80', '#DB rip +0x2', '#GP(0x402) rip +0x2'],
  ]),
  ...because('sysenter of 32-bit code is #UD on a processor of AMD in long mode; QEMU 7.2 looks at 64-bit code only', BOTH, [
    ['xsa-339-sysenter', 'sysenter with the nested-task flag', '#GP(0x0)', '#UD'],
  ]),
  ...because(
    'the machine of the recording has 512 MB, the one of the simulator is larger',
    ['dom0'],
    [['memory-queries', 'last frame', '0x1ffdf', '0x7ffdf']],
  ),
  ...because(
    'a profiler gets a buffer for samples; the simulator counts no events of the processor, so it has no samples to give',
    ['domU'],
    [['toolstack-optional', 'get_buffer, xenoprof_op', '0', '-ENOSYS']],
  ),
  ...because('QEMU 7.2 has no alignment checks; Xen leaves CR0.AM set, so that a processor makes them', BOTH, [
    ['exception-vectors', 'alignment check in the kernel', 'runs', '#AC rip +0x10'],
    ['user-mode', 'load that is not aligned, AC set', 'runs', '#AC'],
  ]),
  ...because(
    'QEMU 7.2 counts 16 bytes per gate in the error code of a refused int n, also where it looks for the gate of int 0x82 and of a DPL below 3',
    BOTH,
    [
      ['exception-vectors', 'int 0x82', '#OF rip +0x2', '#GP(0x412)'],
      ['exception-vectors', 'int 0x21 without a gate', '#GP(0x212)', '#GP(0x10a)'],
      ['exception-vectors', 'int 14: gate with DPL 0', '#GP(0xe2)', '#GP(0x72)'],
      ['exception-vectors', 'int 255', '#GP(0xff2)', '#GP(0x7fa)'],
      ['trap-table', 'int 0x21', '#GP(0x212)', 'gate rip +0x2'],
      ['trap-table', 'int 0x22', '#GP(0x222)', 'gate rip +0x2'],
    ],
  ),
  ...because('QEMU 7.2 reports a read-modify-write of an unmapped page as a read; a processor reports the write', BOTH, [
    ['exception-vectors', 'read-modify-write of an unmapped page', '#PF(0x0) cr2 0x8', '#PF(0x2) cr2 0x8'],
  ]),
  ...because('QEMU 7.2 faults a call to an address that is not canonical at its target; a processor at the call', BOTH, [
    ['exception-vectors', 'jump to an address that is not canonical', '#GP(0x0) rip elsewhere', '#GP(0x0)'],
  ]),
  ...because('QEMU 7.2 does not have this instruction as a processor does (int1, skinit, mov from cr1)', BOTH, [
    ['exception-vectors', 'int1 (f1)', '#UD', '#DB rip +0x1'],
    ['emulate-control', 'mov from cr1', '#GP(0x0)', '#UD'],
    ['emulate-control', 'skinit', '#UD', '#GP(0x0)'],
  ]),
  ...because('QEMU 7.2 leaves the high bits of the limit out of what lar answers', BOTH, [
    ['emulate-control', 'access rights', '0xa0fb00', '0xaffb00'],
  ]),
  ...because(
    'AMD processors have sysenter and sysexit undefined in long mode, compatibility mode included; QEMU 7.2 only in its 64-bit mode',
    BOTH,
    [
      ['emulate-control', 'sysexit', '#GP(0x0)', '#UD'],
      ['emulate-control', 'sysenter', '#GP(0x0)', '#UD'],
    ],
  ),
  ...because(
    'processors save the flags of a fault with RF set (test/oracle/saved-flags.test.ts asks the host for it); QEMU 7.2 saves them as they are',
    BOTH,
    [
      ['exception-bounce-frame', 'rflags without arithmetic flags', '0x2', '0x10002'],
      ['exception-bounce-frame', 'rflags without arithmetic flags (2)', '0x202', '0x10202'],
      ['exception-bounce-frame', 'rflags without arithmetic flags (3)', '0x202', '0x10202'],
      ['exception-bounce-frame', 'rflags without arithmetic flags (4)', '0x4402', '0x14402'],
      ['exception-bounce-frame', 'rflags without arithmetic flags (6)', '0x2', '0x10002'],
      ['iret-variants', 'rflags without arithmetic flags', '0x202', '0x10202'],
      ['iret-variants', 'rflags without arithmetic flags (2)', '0x2', '0x10002'],
      ['iret-variants', 'rflags without arithmetic flags (3)', '0x202', '0x10202'],
      ['iret-variants', 'rflags without arithmetic flags (4)', '0x202', '0x10202'],
      ['iret-variants', 'rflags without arithmetic flags (7)', '0x202', '0x10202'],
      ['iret-variants', 'rflags without arithmetic flags (13)', '0x202', '0x10202'],
      ['iret-variants', 'rflags without arithmetic flags (14)', '0x202', '0x10202'],
      ['iret-variants', 'rflags without arithmetic flags (15)', '0x202', '0x10202'],
      ['iret-variants', 'rflags without arithmetic flags (18)', '0x2', '0x10002'],
      ['user-mode', 'rflags without arithmetic flags', '0x202', '0x10202'],
      ['user-mode', 'rflags without arithmetic flags (3)', '0x202', '0x10202'],
      ['user-mode', 'rflags without arithmetic flags (5)', '0x2', '0x10002'],
      ['user-mode', 'rflags without arithmetic flags (6)', '0x202', '0x10202'],
      ['user-mode', 'rflags without arithmetic flags (7)', '0x44602', '0x54602'],
      ['user-ring-3', 'eflags without arithmetic flags', '0x202', '0x10202'],
      ['user-ring-3', 'eflags without arithmetic flags (3)', '0x202', '0x10202'],
      ['user-ring-3', 'eflags without arithmetic flags (4)', '0x2', '0x10002'],
      ['user-ring-3', 'eflags without arithmetic flags (5)', '0x202', '0x10202'],
      ['user-ring-3', 'eflags without arithmetic flags (6)', '0x40602', '0x50602'],
    ],
  ),
  ...because(
    'the simulated processor of Intel has no SSSE3, SSE4 and popcnt, which QEMU gives its Nehalem',
    ['dom0'],
    [
      ['intel-registers', 'ecx (3)', '0x80982201', '0x80002001'],
      ['intel-registers', 'ecx (4)', '0x80982201', '0x80002001'],
      ['intel-registers', 'ecx (4)', '0x80980201', '0x80000001'],
    ],
  ),
  ...because(
    "Intel's processors have syscall in 64-bit code only (manual, volume 2); QEMU 7.2 carries it out in 32-bit code too",
    ['dom0'],
    [
      ['user-ring-3', 'syscall, masking', 'syscall32 callback rip +0x2', '#UD'],
      ['user-ring-3', 'eflags without arithmetic flags (8)', '0x202', '0x10202'],
      ['user-ring-3', 'mask at entry (8)', '0x1', '0x0'],
      ['intel-sysenter', "syscall, which 32-bit code of Intel's does not have", 'syscall32 callback rip +0x2', '#UD'],
    ],
  ),
  ...because('iret at privilege 0 loads VIF, as these flags ask for; QEMU 7.2 leaves it out', BOTH, [
    ['iret-variants', 'rflags without arithmetic flags (17)', '0x254602', '0x2d4602'],
  ]),
];
