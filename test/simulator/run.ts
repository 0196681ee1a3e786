// Runs machines for tests: to an ending, to a text on the console, with typed input; and plain records of what happened.

import { createMachine } from '../../simulator/machine.ts';
import type { Machine, MachineConfig, RunResult } from '../../simulator/machine-types.ts';
import type { TraceKind, TraceRecord } from '../../simulator/trace/records.ts';

export interface Typed {
  /** Typed when the console shows this (again). */
  readonly after: string;
  readonly text: string;
}

export interface Session {
  readonly machine: Machine;
  readonly console: string;
  readonly records: readonly TraceRecord[];
  readonly result: RunResult;
  /** Instruction counts at which the texts were typed. */
  readonly typedAt: readonly number[];
}

export const configOf = (kernel: Uint8Array, more: Partial<MachineConfig> = {}): MachineConfig => ({
  kernel,
  cmdline: '',
  memoryMib: 64,
  vcpus: 1,
  dom0: false,
  cpu: 'amd',
  tsc: more.dom0 ? 'native' : 'emulate',
  ...more,
});

export interface SessionOptions {
  readonly typing?: readonly Typed[];
  readonly limit?: number;
  readonly kinds?: readonly TraceKind[];
  readonly slice?: number;
  /** Ends the session when the console shows it. */
  readonly until?: string;
}

/** Runs until the guest ends, nobody can run, the text is seen or the limit is reached. */
export function runSession(
  config: MachineConfig,
  { typing = [], limit = 200_000_000, kinds = [], slice = 500_000, until }: SessionOptions = {},
): Session {
  const machine = createMachine(config);
  const records: TraceRecord[] = [];
  let console = '';
  let seen = 0;
  const typedAt: number[] = [];
  const waiting = [...typing];
  machine.onConsole((_domain, bytes) => {
    console += String.fromCharCode(...bytes);
  });
  if (kinds.length) machine.subscribe(kinds, (record) => records.push(record));
  let result: RunResult;
  do {
    result = machine.run({ instructions: slice });
    const next = waiting[0];
    const at = next ? console.indexOf(next.after, seen) : -1;
    if (next && at >= 0) {
      seen = console.length;
      waiting.shift();
      typedAt.push(machine.icount());
      machine.inject({ kind: 'console', domain: machine.domain, bytes: new TextEncoder().encode(next.text) });
      if (result.kind === 'idle') result = { kind: 'budget' };
    }
    if (until !== undefined && console.includes(until)) break;
  } while (result.kind === 'budget' && machine.icount() < limit);
  return { machine, console, records, result, typedAt };
}
