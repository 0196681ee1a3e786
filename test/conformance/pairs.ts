// Scenarios of two domains side by side (pairs/): one image, started twice, told by its command line which of the two it is. On real Xen both are domU of a
// Linux dom0, made right after each other; on the simulator they are domains 1 and 2 of one machine.

import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { xenVersion } from '../../scripts/debian.mjs';
import { createMachine } from '../../simulator/machine.ts';
import type { RunResult } from '../../simulator/machine-types.ts';
import { consoleLines } from '../oracle/native.ts';
import { runAsDomU } from '../oracle/xen-domu.ts';
import { buildImage } from './build.ts';
import { type Bits, conformanceFolder } from './images.ts';
import { xenFor } from './run.ts';

/** What each of the two printed. */
export interface PairRun {
  readonly first: readonly string[];
  readonly second: readonly string[];
}

export const pairs: readonly { readonly name: string; readonly bits: Bits }[] = (['ports', 'grants'] as const).flatMap((name) => [
  { name, bits: 64 },
  { name, bits: 32 },
]);

const regenerate = 'RECORD_PAIRS=1 npx vitest run test/conformance/pairs.test.ts';
const MEMORY = 64;
const LIMIT = 100_000_000;

export const imageOf = (name: string, bits: Bits): Promise<string> =>
  buildImage({ name: `pair-${name}${bits === 32 ? '32' : ''}`, bits, vcpus: 1, cpu: 'amd', scenarios: [`../pairs/${name}`] });

export async function pairOnXen(elf: string, bits: Bits): Promise<PairRun> {
  const guest = { elf, mem: MEMORY };
  const runs = await runAsDomU([{ ...guest, name: 'first', cmdline: 'first', peer: { ...guest, name: 'second', cmdline: 'second' } }], {
    xen: xenFor(bits),
    cpu: 'qemu64',
  });
  return { first: runs.first!.lines, second: runs.second!.lines };
}

export function pairOnSimulator(elf: string): PairRun {
  const kernel = readFileSync(elf);
  const domain = { kernel, memoryMib: MEMORY, vcpus: 1, dom0: false, tsc: 'emulate' as const };
  const second = { ...domain, cmdline: 'second' };
  const machine = createMachine({ ...domain, cmdline: 'first', cpu: 'amd', domains: [second], invariants: { everyCalls: 50 } });
  const consoles = new Map<number, string>();
  machine.onConsole((id, bytes) => consoles.set(id, (consoles.get(id) ?? '') + Buffer.from(bytes).toString('latin1')));
  let result: RunResult;
  do result = machine.run({ instructions: 1_000_000 });
  while ((result.kind === 'budget' || result.kind === 'domain-ended') && machine.icount() < LIMIT);
  return { first: consoleLines(consoles.get(1) ?? ''), second: consoleLines(consoles.get(2) ?? '') };
}

const fileOf = (name: string, bits: Bits): string => join(conformanceFolder, 'recorded', `pair-${name}${bits === 32 ? '32' : ''}.txt`);

export function writePair(name: string, bits: Bits, { first, second }: PairRun): void {
  const head = [
    `# Two domU of pair-${name}, ${bits} bit, on real Xen ${xenVersion} in QEMU, ${MEMORY} MB and 1 vcpu each.`,
    `# Renewed by: ${regenerate}`,
  ];
  writeFileSync(fileOf(name, bits), `${[...head, '# first', ...first, '# second', ...second].join('\n')}\n`);
}

/** Null when there is no recording. */
export function readPair(name: string, bits: Bits): PairRun | null {
  const file = fileOf(name, bits);
  if (!existsSync(file)) return null;
  const lines = readFileSync(file, 'utf8').trimEnd().split('\n');
  const [first, second] = ['# first', '# second'].map((head) => lines.indexOf(head)) as [number, number];
  return { first: lines.slice(first + 1, second), second: lines.slice(second + 1) };
}
