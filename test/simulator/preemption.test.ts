// Hypercalls that are interrupted and continued: with preemption off, normal, and at every step at which Xen asks, the same guest
// gets the same answers and ends with the same frames; only the number of times that a call is entered differs.

import { expect, test } from 'vitest';
import type { PreemptionMode } from '../../simulator/memory/preemption.ts';
import { foldContinuations } from '../../simulator/trace/fold.ts';
import type { Args, TraceRecord } from '../../simulator/trace/records.ts';
import { DOMID_SELF, Guest, NEW_BASEPTR, PIN_L2, PIN_L4, UNPIN } from './guest.ts';
import { checkInvariants } from './invariants.ts';

const MODES: readonly PreemptionMode[] = ['off', 'normal', 'every-step'];

const MULTICALL = 13;

/** Of a list of calls only what they answered: Xen writes continued ones back with the arguments that are left. */
const results = (args: Args): unknown =>
  (Object.values(args).find(Array.isArray) as readonly { readonly result: unknown }[]).map(({ result }) => result);

interface Outcome {
  readonly answers: readonly unknown[];
  readonly frames: readonly unknown[];
  readonly calls: readonly unknown[];
  readonly entered: number;
}

/** What a guest with page tables does: builds trees, uses them, breaks one, lists of calls, exchange; and what became of it. */
function session(preemption: PreemptionMode): Outcome {
  const g = new Guest({ memoryMib: 32, more: { preemption, invariants: { everyCalls: 50 } } });
  const answers: unknown[] = [];
  const note = (result: { ret: number }): void => void answers.push(result.ret);
  const at = (pfn: number, slot: number): bigint => (BigInt(g.mfn(pfn)) << 12n) | BigInt(slot * 8);
  const table = (pfn: number, entries: readonly [number, bigint][]): void => {
    for (const [slot, entry] of entries) g.words(g.address(pfn) + BigInt(slot * 8), entry);
    note(g.updateVa(g.address(pfn), g.entry(pfn, 1n)));
  };
  const pages = Array.from({ length: 40 }, (_, n) => g.page(n));
  const [l4, l3, broken, top] = pages as [number, number, number, number];
  const l2s = pages.slice(4, 8);
  const l1s = pages.slice(8, 24);
  const kernel = g.hv.memory.ram.entry(g.hv.domain.built.root, 511);
  for (const [n, l1] of l1s.entries())
    table(l1, [
      [n, g.entry(pages[30]!, 3n)],
      [511, g.entry(pages[31]!, 1n)],
    ]);
  for (const [n, l2] of l2s.entries())
    table(
      l2,
      l1s.slice(n * 4, n * 4 + 4).map((l1, k) => [k * 100, g.entry(l1, 0x67)]),
    );
  table(
    l3,
    l2s.map((l2, n) => [n * 50 + 1, g.entry(l2, 0x67)]),
  );
  table(l4, [
    [3, g.entry(l3, 0x67)],
    [511, kernel],
  ]);
  note(g.mmuext(PIN_L4, g.mfn(l4)));
  note(g.mmuext(NEW_BASEPTR, g.mfn(l4)));
  note(g.mmuext(NEW_BASEPTR, g.hv.domain.built.root));
  // An upper entry goes: its table is taken apart, or stays because another holds it.
  note(g.mmuext(PIN_L2, g.mfn(l2s[1]!)));
  note(g.mmuUpdate(at(l3, 51), 0n));
  note(g.mmuUpdate(at(l3, 1), 0n));
  // An audit that fails in its last table leaves nothing behind.
  table(broken, [
    [0, g.entry(l1s[0]!, 0x67)],
    [300, g.entry(l1s[5]!, 0x67)],
    [511, g.entry(l4, 0x67)],
  ]);
  table(top, [[7, g.entry(broken, 0x67)]]);
  note(g.mmuext(2, g.mfn(top)));
  // A list whose third request is refused after the second let a table go.
  const list = g.words(g.scratch + 512n, at(l3, 101), 0, at(l3, 2), g.entry(l2s[0]!, 0x67), at(l4, 258), 0, at(l3, 3), 0);
  note(g.call(1, list, 4, g.scratch + 256n, DOMID_SELF));
  answers.push(g.bytes(g.scratch + 256n, 4).getUint32(0, true));
  const entry = (slot: bigint): (bigint | number)[] => [
    1,
    0,
    g.words(g.scratch + 1024n + slot * 16n, at(l3, 2), 0),
    1,
    0,
    DOMID_SELF,
    0,
    0,
  ];
  note(g.call(13, g.words(g.scratch + 2048n, ...entry(0n), ...[24, 0, 3, 0, 0, 0, 0, 0]), 2));
  answers.push([g.bytes(g.scratch + 2056n, 8).getBigInt64(0, true), g.bytes(g.scratch + 2120n, 8).getBigInt64(0, true)]);
  note(g.mmuext(UNPIN, g.mfn(l4)));
  note(g.mmuext(UNPIN, g.mfn(l2s[1]!)));
  // Frames given up, got and exchanged.
  for (const page of pages.slice(32, 36)) note(g.updateVa(g.address(page), 0n));
  const frames = g.words(g.scratch + 3000n, ...pages.slice(32, 36).map((page) => g.mfn(page)));
  const wanted = g.words(g.scratch + 3100n, 0x900);
  note(g.call(12, 11, g.words(g.scratch + 3200n, frames, 4, 0, 0x7ff0, wanted, 1, 2, 0x7ff0, 0)));
  answers.push(g.bytes(wanted, 8).getBigUint64(0, true));
  note(g.call(12, 6, g.words(g.scratch + 3300n, g.words(g.scratch + 3400n, 0x901, 0x902, 0x903), 3, 0, 0x7ff0)));
  expect(checkInvariants(g.hv)).toEqual([]);
  const calls = g.records.filter((record): record is Extract<TraceRecord, { kind: 'hypercall' }> => record.kind === 'hypercall');
  const { references, typeCount, type, flags, owner, linear, m2p } = g.hv.memory.frames;
  return {
    answers,
    frames: [references, typeCount, type, flags, owner, linear, m2p].map((array) => Array.from(array)),
    calls: foldContinuations(calls).map(({ nr, ret, reason, args }) => ({
      nr,
      ret,
      reason,
      args: nr === MULTICALL ? results(args) : args,
    })),
    entered: calls.length,
  };
}

const off = session('off');

test('the session is what it is meant to be', () => {
  expect(off.answers.slice(22, 40)).toEqual(off.answers.slice(22, 40));
  expect(off.answers.filter((answer) => answer === -22).length).toBe(2);
  expect(off.answers).toContain(2);
});

test.each(MODES.slice(1))('preemption %s: the same answers, frames and calls', (mode) => {
  const other = session(mode);
  expect(other.answers).toEqual(off.answers);
  expect(other.frames).toEqual(off.frames);
  expect(other.calls).toEqual(off.calls);
  if (mode === 'every-step') expect(other.entered).toBeGreaterThan(off.entered + 1000);
});
