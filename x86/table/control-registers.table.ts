// What Xen PV does with mov to and from each control register: the rows mov-from-cr and mov-to-cr refined by register.

import type { InstructionRow } from '../types.ts';

type XenInfo = NonNullable<InstructionRow['xen']>;

/** Index: register number. A register that does not exist (cr1, cr5 …) has no entry: the instruction is #UD everywhere. */
export const MOV_FROM_CR: Readonly<Record<number, XenInfo>> = {
  0: { effect: 'emulated', rule: 'mov-cr0' },
  2: { effect: 'emulated', rule: 'mov-from-cr2', note: "from the vCPU's saved fault address" },
  3: { effect: 'emulated', rule: 'mov-from-cr3', note: 'shows a machine frame in the format of a PV cr3' },
  4: { effect: 'emulated', rule: 'mov-cr4' },
  8: { effect: 'fault', rule: 'mov-cr8' },
};

export const MOV_TO_CR: Readonly<Record<number, XenInfo>> = {
  0: { effect: 'emulated', rule: 'mov-cr0', note: 'only TS may change, any other change is #GP' },
  2: { effect: 'emulated', rule: 'mov-to-cr2' },
  3: { effect: 'emulated', rule: 'mov-to-cr3', note: 'the value must name a machine frame that is or can become a top-level page table' },
  4: { effect: 'emulated', rule: 'mov-cr4', note: 'TSD, DE, FSGSBASE and OSXSAVE as policy allows; every other bit is dropped' },
  8: { effect: 'fault', rule: 'mov-cr8' },
};
