// 100,000 random hypercalls, by the grammar of test/fuzz: whatever a guest asks for, nothing throws, and the machine, which checks
// itself after each call, breaks none of its rules. And the checker itself: it sees a machine that is broken on purpose.

import { describe, expect, test } from 'vitest';
import { InvariantError } from '../../simulator/invariants/checker.ts';
import { FrameType } from '../../simulator/memory/frame-table.ts';
import { fuzzHypercalls } from '../fuzz/hypercalls.ts';
import { Guest, PIN_L1 } from './guest.ts';

/** Four runs of a quarter each, so that a failing one is named; other seeds by HYPERPORT_FUZZ_SEED. */
const CALLS = 25_000;
const SEED = Number(process.env.HYPERPORT_FUZZ_SEED ?? 1);

test.each([0, 1, 2, 3].map((n) => SEED + n))('random hypercalls break no rule (seed %i)', { timeout: 600_000 }, (seed) => {
  const { calls, refused, byNumber, failure } = fuzzHypercalls(CALLS, seed);
  expect(failure === null ? '' : [failure.message, ...failure.steps].join('\n')).toBe('');
  expect(calls).toBeGreaterThanOrEqual(CALLS);
  expect(refused).toBeGreaterThan(300);
  expect(byNumber.size).toBeGreaterThan(40);
});

describe('the checker sees', () => {
  const guest = (): Guest => new Guest({ more: { invariants: { everyCalls: 1000 } } });

  test('a type reference that was not taken', () => {
    const g = guest();
    const { types, frames, ram } = g.hv.memory;
    const take = types.take.bind(types);
    types.take = (mfn, type, xenL2) => {
      const outcome = take(mfn, type, xenL2);
      if (type === FrameType.writable) frames.typeCount[ram.index(mfn)]!--;
      return outcome;
    };
    expect(() => g.updateVa(g.address(g.page()), g.entry(g.page(1), 3))).toThrow(InvariantError);
  });

  test('a page table that is mapped writable', () => {
    const g = guest();
    g.updateVa(g.address(g.page()), 0n);
    expect(g.mmuext(PIN_L1, g.mfn(g.page())).ret).toBe(0);
    const { mfn, slot } = g.tableFor(g.address(g.page()));
    g.hv.memory.ram.setEntry(mfn, slot, g.entry(g.page(), 7));
    g.hv.written(mfn);
    expect(() => g.mmuext(6)).toThrow(/uses frame .* \(l1\) as writable/);
  });

  test('an entry that names a frame of another domain, at the next sweep although nobody told', () => {
    const g = guest();
    const { mfn, slot } = g.tableFor(g.address(g.page()));
    g.hv.memory.ram.setEntry(mfn, slot, 0x1000_0000_0007n);
    g.mmuext(6);
    expect(g.hv.checker!.sweep().join()).toMatch(/not the domain's/);
  });

  test('a machine-to-physical table that shows what Xen does not know', () => {
    const g = guest();
    g.hv.memory.frames.m2p[g.hv.memory.ram.index(g.mfn(g.page()))] = 5;
    expect(g.hv.checker!.sweep().join()).toMatch(/the table shows/);
  });

  test('a pair of event channels of which one end forgot the other', () => {
    const g = guest();
    const { ports } = g.hv.domain.events;
    ports[9] ??= Object.assign(Object.create(Object.getPrototypeOf(ports[1]!)), { ...ports[1]!, port: 9 });
    ports[9]!.channel = { kind: 'interdomain', remote: g.hv.domain.id, remotePort: 1, backEnd: null };
    expect(g.hv.checker!.sweep().join()).toMatch(/port 9 of d1 leads to port 1 of d1, which does not lead back/);
  });
});
