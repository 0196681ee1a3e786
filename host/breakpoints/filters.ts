// The exception filters: common classes of trace records at which a session may stop, as the editor's Breakpoints view lists them.

import type { TraceKind, TraceRecord } from '../../simulator/trace/records.ts';

export interface RecordFilter {
  readonly id: string;
  readonly label: string;
  readonly description: string;
  readonly byDefault: boolean;
  readonly kinds: readonly TraceKind[];
  readonly matches: (record: TraceRecord) => boolean;
}

/** The domain's end is no record that run() stops at but its result: see RunControl.stopAtCrash. */
export const crashFilter = {
  id: 'domain-crash',
  label: 'Domain Crash',
  description: 'The guest crashed, or the hypervisor ended it: stop where it happened, with memory and registers as they were',
  byDefault: true,
} as const;

export const recordFilters: readonly RecordFilter[] = [
  {
    id: 'unimplemented',
    label: 'Not Implemented by the Simulator',
    description: 'The guest used a hypercall or an instruction that the simulator does not have yet; a real Xen would do more',
    byDefault: true,
    kinds: ['hypercall', 'undecoded'],
    matches: (record) => record.kind === 'undecoded' || (record.kind === 'hypercall' && record.unimplemented === true),
  },
  {
    id: 'refused-hypercall',
    label: 'Refused Hypercall',
    description: 'A hypercall returned an error; the stop says why',
    byDefault: false,
    kinds: ['hypercall'],
    matches: (record) =>
      record.kind === 'hypercall' && record.unimplemented !== true && (record.reason !== null || (record.ret !== null && record.ret < 0)),
  },
  {
    id: 'guest-fault',
    label: 'Guest Fault',
    description: 'The hypervisor is about to deliver a CPU exception to the guest',
    byDefault: false,
    kinds: ['exception'],
    matches: (record) => record.kind === 'exception',
  },
  {
    id: 'event-upcall',
    label: 'Event Upcall',
    description: "The guest's event callback is entered",
    byDefault: false,
    kinds: ['upcall'],
    matches: (record) => record.kind === 'upcall',
  },
  {
    id: 'emulated-instruction',
    label: 'Emulated Instruction',
    description: 'The hypervisor emulated a privileged instruction of the guest: slower than the hypercall that replaces it',
    byDefault: false,
    kinds: ['emulate'],
    matches: (record) => record.kind === 'emulate',
  },
];
