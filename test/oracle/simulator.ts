// A PV kernel on the simulator, run and answered in the shape that the runs on real machines have.
import { readFileSync } from 'node:fs';
import { createMachine } from '../../simulator/machine.ts';
import type { Ending, Machine } from '../../simulator/machine-types.ts';
import type { TraceRecord } from '../../simulator/trace/records.ts';
import { consoleLines } from './native.ts';
import type { Typing } from './qemu.ts';

export interface SimulatorOptions {
  cmdline?: string;
  mem?: number;
  dom0?: boolean;
  typing?: Typing[];
  /** 2 G when absent. */
  instructions?: number;
}

export interface SimulatorRun {
  console: string;
  lines: string[];
  /** As on the real machines; 'none': the limit was reached, or the domain waits for ever. */
  end: 'shutdown' | 'reboot' | 'suspend' | 'crash' | 'none';
  ending: Ending | null;
  hypercalls: Extract<TraceRecord, { kind: 'hypercall' }>[];
  machine: Machine;
}

export function runOnSimulator(elf: string, options: SimulatorOptions = {}): SimulatorRun {
  const machine = createMachine({
    kernel: readFileSync(elf),
    cmdline: options.cmdline ?? '',
    memoryMib: options.mem ?? 64,
    vcpus: 1,
    dom0: options.dom0 ?? false,
    cpu: 'amd',
    tsc: options.dom0 ? 'native' : 'emulate',
  });
  const typing = [...(options.typing ?? [])];
  const hypercalls: SimulatorRun['hypercalls'] = [];
  let console = '';
  let typedAt = 0;
  machine.subscribe(['hypercall'], (record) => {
    if (record.kind === 'hypercall') hypercalls.push(record);
  });
  machine.onConsole((_, bytes) => {
    console += Buffer.from(bytes).toString('latin1');
  });
  const limit = options.instructions ?? 2_000_000_000;
  for (;;) {
    const result = machine.run({ instructions: 1_000_000 });
    const next = typing[0];
    const seen = next ? console.indexOf(next.after, typedAt) : -1;
    if (next && seen >= 0) {
      typing.shift();
      typedAt = seen + next.after.length;
      machine.inject({ kind: 'console', domain: machine.domain, bytes: Buffer.from(next.text) });
    } else if (result.kind === 'idle' || (result.kind === 'budget' && machine.icount() >= limit)) {
      return { console, lines: consoleLines(console), end: 'none', ending: null, hypercalls, machine };
    }
    if (result.kind === 'ended')
      return { console, lines: consoleLines(console), end: endOf(result.ending), ending: result.ending, hypercalls, machine };
  }
}

function endOf({ kind }: Ending): SimulatorRun['end'] {
  if (kind === 'poweroff') return 'shutdown';
  return kind === 'reboot' || kind === 'suspend' ? kind : 'crash';
}
