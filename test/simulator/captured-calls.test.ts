// A hypercall that nobody watches is kept as bytes and put into words when somebody reads it: the words are those that a watcher of
// the same calls is told.

import { expect, test } from 'vitest';
import { fuzzHypercalls } from '../fuzz/hypercalls.ts';
import { DOMID_SELF, Guest, planOf32 } from './guest.ts';

test.each([64, 32] as const)('a %i-bit guest: what recent() says later is what a subscriber was told', (bits) => {
  const plan = bits === 32 ? { plan: planOf32() } : {};
  const [watched, unwatched] = [new Guest(plan), new Guest({ ...plan, record: false })];
  const calls = (g: Guest): void => {
    const { mfn, slot } = g.tableFor(g.address(g.page(2)));
    const list = g.words(g.scratch, (BigInt(mfn) << 12n) | BigInt(slot * 8), g.entry(g.page(2), 7), 0n, 1n);
    const event = g.words(g.scratch + 256n, 1n, 0n);
    const make = (nr: number, ...args: (bigint | number)[]): void => {
      g.setArguments(args);
      g.enter(nr);
    };
    make(3, 0xe02b, g.scratch);
    make(1, list, 1, g.scratch + 512n, DOMID_SELF);
    make(1, list, 2, 0, DOMID_SELF);
    make(1, 0x10, 3, 0, DOMID_SELF);
    make(26, g.words(g.scratch + 768n, 6, 0, 0), 1, 0, DOMID_SELF);
    make(17, 0);
    make(17, 2, g.scratch + 1024n);
    make(32, 4, event);
    make(32, 7, g.words(g.scratch + 1280n, 0));
    make(24, 4, 0, g.scratch + 1536n);
    make(12, 4, g.words(g.scratch + 1792n, 0x7ff0));
    make(29, 0, 0);
    make(15, 0);
    make(47, 1, 2, 3);
  };
  calls(watched);
  calls(unwatched);
  const told = watched.records.filter(({ kind }) => kind === 'hypercall');
  const kept = unwatched.hv.trace.recent(1000).records.filter(({ kind }) => kind === 'hypercall');
  const plain = (records: readonly object[]) => records.map((one) => ({ ...one, n: 0 }));
  expect(told.length).toBe(14);
  expect(plain(kept)).toEqual(plain(told));
});

test('the fuzzer makes calls of all families, as guests of both widths', () => {
  const { byNumber, calls, calls32, failure } = fuzzHypercalls(6000, 4);
  expect(failure).toBeNull();
  expect(byNumber.size).toBeGreaterThan(45);
  expect(Math.min(calls32, calls - calls32)).toBeGreaterThan(500);
});
