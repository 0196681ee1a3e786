// Runs images on real Xen and on the simulator, in both roles.
import { readFileSync } from 'node:fs';
import { createMachine } from '../../simulator/machine.ts';
import { consoleLines } from '../oracle/native.ts';
import type { SimulatorRun } from '../oracle/simulator.ts';
import { runOnXen, type XenVariant } from '../oracle/xen-dom0.ts';
import { runAsDomU } from '../oracle/xen-domu.ts';
import type { Role } from './compare.ts';
import type { MarkedRun } from './coverage.ts';
import type { Bits, Image } from './images.ts';
import type { Recorded } from './recording.ts';

const MEMORY = 64;
const LIMIT = 100_000_000;

/** Debian's own Xen refuses 32-bit guests; the one built with CONFIG_PV32 is otherwise the same. */
export const xenFor = (bits: Bits): XenVariant => (bits === 64 ? 'debian' : 'pv32');

/** QEMU's models of the processors that the simulator shows. */
export const qemuCpu = { amd: 'qemu64', intel: 'Nehalem' } as const;

type How = Pick<Image, 'vcpus' | 'cpu'>;

export async function onXen({ elf, bits, vcpus, cpu }: How & { elf: string; bits: Bits }): Promise<Recorded> {
  const { lines, end } = await runOnXen(elf, { xen: xenFor(bits), mem: MEMORY, vcpus, cpu: qemuCpu[cpu], timeoutMs: 90_000 });
  return { lines, end };
}

/** One start of Linux as dom0 runs all of them. On the processor model of the dom0 runs, which is the simulator's. */
export async function onXenAsDomU(
  list: readonly { name: string; elf: string; vcpus: number }[],
  bits: Bits,
): Promise<Record<string, Recorded>> {
  const guests = list.map(({ name, elf, vcpus }) => ({ name, elf, vcpus, mem: MEMORY }));
  const runs = await runAsDomU(guests, { xen: xenFor(bits), cpu: 'qemu64' });
  return Object.fromEntries(list.map(({ name }) => [name, { lines: runs[name]!.lines, end: runs[name]!.end }]));
}

export function onSimulator(elf: string, role: Role, { vcpus, cpu }: How): MarkedRun & Recorded {
  const dom0 = role === 'dom0';
  const machine = createMachine({
    kernel: readFileSync(elf),
    cmdline: '',
    memoryMib: MEMORY,
    vcpus,
    dom0,
    cpu,
    tsc: dom0 ? 'native' : 'emulate',
  });
  const calls: SimulatorRun['hypercalls'] = [];
  const consoleAt: number[] = [];
  let console = '';
  machine.subscribe(['hypercall'], (record) => {
    if (record.kind !== 'hypercall') return;
    calls.push(record);
    consoleAt.push(console.length);
  });
  machine.onConsole((_, bytes) => {
    console += Buffer.from(bytes).toString('latin1');
  });
  let end: SimulatorRun['end'] = 'none';
  let ending: SimulatorRun['ending'] = null;
  while (machine.icount() < LIMIT) {
    const result = machine.run({ instructions: 1_000_000 });
    if (result.kind === 'idle') break;
    if (result.kind !== 'ended') continue;
    ending = result.ending;
    end = ending.kind === 'poweroff' ? 'shutdown' : ending.kind === 'reboot' || ending.kind === 'suspend' ? ending.kind : 'crash';
    break;
  }
  const lines = consoleLines(console);
  return { run: { console, lines, end, ending, hypercalls: calls, machine }, consoleAt, lines, end };
}
