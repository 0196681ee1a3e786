// Runs a guest of guests/ to its end and gives what a person is told about it: each refused call, what is logged, the crash or the standstill.

import { readFileSync } from 'node:fs';
import { crashReport, idleReport, logLine, refusalReport } from '../../host/report-words.ts';
import { GuestSymbols } from '../../host/symbols/guest-symbols.ts';
import { openKernel } from '../../image/elf/kernel.ts';
import { createMachine } from '../../simulator/machine.ts';
import type { DomainConfig, Machine, MachineConfig, RunResult } from '../../simulator/machine-types.ts';
import { buildGuest } from './build.ts';

export interface Complaint {
  readonly machine: Machine;
  readonly result: RunResult;
  /** Each refused call in full. */
  readonly refusals: readonly string[];
  /** Lines that Xen logs, and what the simulator says by itself. */
  readonly xen: readonly string[];
  readonly advice: readonly string[];
  /** Each advice that belongs to an instruction, as the command line prints it: with its place and rule. */
  readonly places: readonly string[];
  readonly console: string;
  /** The crash, or the standstill, in full; empty for an ordinary end. */
  readonly told: string;
}

const LIMIT = 20_000_000;

export async function complain(name: string, more: Partial<MachineConfig & DomainConfig> = {}): Promise<Complaint> {
  const elf = await buildGuest(name);
  const kernel = new Uint8Array(readFileSync(elf));
  const machine = createMachine({
    ...{ kernel, cmdline: '', memoryMib: 16, vcpus: 1, dom0: false },
    ...{ cpu: 'amd', tsc: more.dom0 ? 'native' : 'emulate' },
    ...more,
  } as MachineConfig);
  const symbols = new GuestSymbols(openKernel(kernel), { program: elf, cwd: process.cwd(), sourceMap: {} }, () => machine.hypercallPage());
  const refusals: string[] = [];
  const [xen, advice]: [string[], string[]] = [[], []];
  const places: string[] = [];
  let console = '';
  machine.onConsole((_domain, bytes) => {
    console += String.fromCharCode(...bytes);
  });
  machine.subscribe(['hypercall'], (record) => {
    if (record.kind === 'hypercall' && record.refusal) refusals.push(refusalReport(machine, symbols, record).join('\n'));
  });
  machine.subscribe(['log'], (record) => {
    if (record.kind !== 'log') return;
    (record.by === 'xen' ? xen : advice).push(record.text);
    if (record.rip !== undefined) places.push(logLine(record, symbols));
  });
  let result: RunResult;
  do result = machine.run({ instructions: 1_000_000 });
  while (result.kind === 'budget' && machine.icount() < LIMIT);
  const told =
    result.kind === 'ended' && result.ending.kind === 'crash'
      ? crashReport(machine, symbols, result.ending)
      : result.kind === 'idle'
        ? [...result.waits.map(({ text }) => text), ...idleReport(machine, result.waits)]
        : [];
  return { machine, result, refusals, xen, advice, places, console, told: told.join('\n') };
}
