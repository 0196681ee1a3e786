// Random hypercalls, half of them plausible: whatever a guest asks for, nothing throws, frame counts add up, no page table is
// mapped writable, and every refusal has a rule. The sequence repeats by its seed.

import { expect, test } from 'vitest';
import { findRule } from '../../abi/rules/catalogue.ts';
import { explainRefusal } from '../../explain/refusal.ts';
import { DOMID_SELF, Guest } from './guest.ts';
import { checkInvariants } from './invariants.ts';

/** A small generator (xorshift), so that a failing seed can be named. */
function generator(seed: number): (below: number) => number {
  let state = seed | 0 || 1;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

/** More seeds on request: HYPERPORT_FUZZ_SEEDS=200. */
const SEEDS = Array.from({ length: Number(process.env.HYPERPORT_FUZZ_SEEDS ?? 6) }, (_, n) => n + 1);
const CALLS = 1_500;
const CHECK_EVERY = 100;
const EDGES = [
  0n,
  1n,
  3n,
  0x10n,
  0x7ff0n,
  0xffffn,
  0x7fffffffn,
  0x80000000n,
  0xffffffffn,
  0xffff800000000000n,
  0xffffffff80000000n,
  (1n << 64n) - 1n,
];

/** Makes calls until `calls` are done or the guest has lost its argument page; returns how many it made. */
function randomCalls(g: Guest, next: (below: number) => number, calls: number, name: string): number {
  const tables = g.hv.domain.built.layout.tables;
  // A few pages that take all roles: data, tables of each level, descriptors.
  const pages = Array.from({ length: 10 }, (_, n) => g.page(n));
  const argumentSlot = g.tableFor(g.scratch).slot;
  const anyPfn = () => (next(8) === 0 ? tables.pfn + next(tables.pages) : pages[next(pages.length)]!);
  const flags = () => [0n, 1n, 3n, 5n, 7n, 0x67n, 0x65n, 0x83n, 0x17n, 1n | (1n << 63n)][next(10)]!;
  const special = [g.hv.domain.sharedInfo, g.hv.domain.grants.frames[0]!, g.hv.domain.built.store!, g.hv.domain.built.console!];
  const anyMfn = () => (next(10) === 0 ? special[next(special.length)]! : g.mfn(anyPfn()));
  const entry = () => (next(12) === 0 ? BigInt(next(2 ** 30)) << 12n : (BigInt(anyMfn()) << 12n) | flags());
  const slot = () => (next(3) === 0 ? [0, 255, 256, 271, 272, 300, 511][next(7)]! : next(512));
  const random = () => (next(2) ? EDGES[next(EDGES.length)]! : (BigInt(next(2 ** 31)) << BigInt(next(33))) | BigInt(next(4096)));
  const steps: (() => void)[] = [
    () => g.updateVa(g.address(anyPfn()), entry(), BigInt(next(6))),
    () => {
      const pfn = anyPfn();
      const at = slot();
      // The way to the argument page stays: without it no call could be made.
      const isTable = pfn >= tables.pfn && pfn < tables.pfn + tables.pages;
      if (isTable && (at === 511 || at === 510 || at < 2 || at === argumentSlot)) return;
      g.mmuUpdate((BigInt(g.mfn(pfn)) << 12n) | BigInt(at * 8 + (next(6) ? 0 : next(4))), entry());
    },
    () => g.mmuext(next(5), anyMfn()),
    () => g.mmuext(5 + next(16), anyMfn(), anyMfn()),
    () => g.call(2, g.words(g.scratch, anyMfn()), 512 * next(2)),
    () => g.call(10, (BigInt(g.mfn(anyPfn())) << 12n) | BigInt(8 * next(512)), random()),
    () => g.call(12, [0, 1, 6][next(3)]!, g.words(g.scratch, g.words(g.scratch + 512n, anyMfn(), anyPfn()), 1 + next(2), next(3), 0x7ff0)),
    () => g.call(24, 10, next(2), g.words(g.scratch, anyMfn(), BigInt(next(64) * 64))),
    () => {
      // Writes through the guest's own mapping, where it has one: contents of future tables.
      const address = g.address(anyPfn()) + BigInt(slot() * 8);
      if (g.hv.guest.read(g.hv.current.root, address, 8)) {
        const bytes = new Uint8Array(8);
        new DataView(bytes.buffer).setBigUint64(0, entry(), true);
        g.hv.guest.write(g.hv.current.root, address, bytes);
      }
    },
    () => {
      // Anything at all, except what ends the domain or leaves the registers to itself.
      const nr = next(64);
      if (nr === 23 || nr === 29 || nr === 6 || nr === 24) return;
      g.words(g.scratch, ...Array.from({ length: 16 }, random));
      g.call(
        nr,
        next(3) ? BigInt(next(40)) : random(),
        next(2) ? g.scratch : random(),
        random(),
        next(2) ? DOMID_SELF : random(),
        random(),
      );
    },
  ];
  let n = 0;
  for (; n < calls; n++) {
    steps[next(steps.length)]!();
    // The guest may have put itself onto tables without the argument page.
    if (!g.hv.guest.write(g.hv.current.root, g.scratch, new Uint8Array(8))) break;
    if (n % CHECK_EVERY === 0) expect(checkInvariants(g.hv), `${name}, call ${n}`).toEqual([]);
  }
  expect(checkInvariants(g.hv), `${name}, at the end`).toEqual([]);
  return n;
}

test.each(SEEDS)('random hypercalls keep every invariant (seed %i)', (seed) => {
  const next = generator(seed);
  let refused = 0;
  for (let left = CALLS, n = 1; left > 0; n++) {
    const g = new Guest({ memoryMib: 8, vcpus: 2 });
    left -= Math.max(1, randomCalls(g, next, left, `seed ${seed}, guest ${n}`));
    for (const record of g.records) {
      if (record.kind !== 'hypercall' || !record.refusal) continue;
      refused++;
      expect(findRule(record.refusal.rule), record.refusal.rule).not.toBeNull();
      expect(explainRefusal(record.refusal).summary).not.toMatch(/undefined|\[object/);
    }
  }
  expect(refused).toBeGreaterThan(100);
});
