// What no user-mode host can show, on QEMU's processor and on the engine: the same code above ring 0 in the same memory, every
// register and every changed word compared. QEMU_VECTORS=all runs all of the largest families instead of a part.

import { describe, expect, test } from 'vitest';
import { asMfn } from '../../../abi/address.ts';
import { Access } from '../../../simulator/cpu/engine-types.ts';
import { Ram } from '../../../simulator/memory/ram.ts';
import { Walker, type WalkResult } from '../../../simulator/memory/walk.ts';
import { CR3 } from './arena.ts';
import { debugCases } from './cases-debug.ts';
import { farCases } from './cases-far.ts';
import { pagingCases } from './cases-paging.ts';
import { segmentCases } from './cases-segments.ts';
import { systemCases } from './cases-system.ts';
import { differences, type Leniency } from './compare.ts';
import { VectorMachine } from './run-engine.ts';
import { assembleVectors, runOnQemu } from './run-qemu.ts';
import type { Vector } from './vectors.ts';

const all = process.env.QEMU_VECTORS === 'all';
/** One of `stride`, and all that do not run through kinds of descriptors. */
const part = (vectors: Vector[], stride: number): Vector[] =>
  all ? vectors : vectors.filter((v, n) => n % stride === 0 || !/ DPL \d/.test(v.name));

/** What a PV guest's tables cannot be: with superpages, or upper entries closed to user mode, which Xen opens when it takes them. */
const NOT_PV = /2 MiB|both sizes|supervisor|given|level 4|level [23] entry [13]$|behind/;

const families: readonly [string, () => Vector[], number, Leniency][] = [
  ['segment loads and descriptor probes', () => part(segmentCases(), 3), 1000, {}],
  ['far transfers, iret, popf', () => part(farCases(), 5), 1000, { far: true }],
  ['page faults, accessed and dirty bits', pagingCases, 1000, {}],
  ['debug registers and single steps', debugCases, 500, {}],
];

async function compare(
  vectors: Vector[],
  least: number,
  leniency: Leniency,
  model: 'amd' | 'intel' = 'amd',
  machine = new VectorMachine({ model }),
): Promise<void> {
  expect(vectors.length).toBeGreaterThan(least);
  const code = assembleVectors(vectors);
  const qemu = await runOnQemu(vectors, code, model === 'amd' ? 'qemu64' : 'Nehalem');
  const found = vectors.flatMap((v, n) => {
    const d = differences(qemu[n]!, machine.run(v, code[n]!), leniency);
    return d.length > 0 ? [`${v.name}: ${d.join('; ')}`] : [];
  });
  expect(found).toEqual([]);
}

describe('the engine does what QEMU does:', () => {
  for (const [name, vectors, least, leniency] of families) test(name, () => compare(vectors(), least, leniency), 180_000);
  test("the machine's page walk, on pages of 4 KiB in ring 3", () => {
    const own = pagingCases().filter(({ name, mode }) => mode !== 'ring1' && !NOT_PV.test(name));
    const out: WalkResult = { mfn: asMfn(0), writable: false, errorCode: 0 };
    const machine: VectorMachine = new VectorMachine({
      translate: (lo, hi, access, _user, into) => {
        const { engine } = machine;
        const ram = new Ram(engine.ram.buffer, engine.ram.byteOffset, engine.ram.length / 4096, asMfn(0));
        const walker = new Walker(ram, { length: 0, frame: () => asMfn(0) }, 0);
        const ok = walker.walk(asMfn(CR3 / 4096), lo, hi, access === Access.write, access === Access.execute, out);
        Object.assign(into, out);
        return ok;
      },
    });
    return compare(own, 500, {}, 'amd', machine);
  }, 60_000);
  for (const model of ['amd', 'intel'] as const)
    test(`system instructions above ring 0, ${model}`, () => compare(systemCases(model), 80, {}, model), 60_000);
});
