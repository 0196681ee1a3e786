// Oracle: the processor that runs this test. Integer instructions and sequences of them, natively and on the engine, must leave the
// same registers, defined flags, memory and faults.

import { expect, test } from 'vitest';
import { uncomparedForms } from './coverage.ts';
import { INTEGER, INTEL } from './families.ts';
import { CODE } from './host-cpu.ts';
import { testMachine } from './machine.ts';
import { NOT_COMPARED } from './not-compared.table.ts';
import { runFamily } from './oracle.ts';
import { oracleTests } from './oracle-tests.ts';
import { TIER1 } from './variants.ts';

oracleTests(INTEGER, {
  perForm: { 64: 60, 32: 60 },
  sequences: 4000,
  forms: 300,
  // An exchange with r8 needs a REX prefix.
  absent: { 64: [], 32: ["32-bit xchg 'b1 90 Zv,rAX'"] },
  atLeast: 90_000,
});

test('tier 1 did translate what was compared on it', () => {
  const m = testMachine({ create: TIER1.create });
  m.map(CODE, 1);
  // add rax, 1; int3
  m.write(CODE, Uint8Array.from([0x48, 0x83, 0xc0, 1, 0xcc]));
  m.engine.vcpus[0]!.rip = CODE;
  m.engine.run(0, 10);
  expect(m.engine.statistics.tier1!.executed).toBe(1);
});

test('popcnt, which the Intel model has', () => {
  const seed = Math.floor(Math.random() * 2 ** 31);
  const report = runFamily(INTEL, { bits: 64, perForm: 300, seed });
  expect(report.compared).toBe(300);
  expect(report.failures.map((f) => f.text).join('\n'), `seed ${seed}`).toBe('');
});

test('every form of the table is compared by a family, or it is known why not', () => {
  const unknown = uncomparedForms().filter(({ reason }) => reason === null);
  expect(unknown.map(({ name }) => name)).toEqual([]);
  // A reason for what is compared would be a lie.
  const left = new Set(uncomparedForms().map(({ key }) => key));
  expect([...NOT_COMPARED.keys()].filter((key) => !left.has(key))).toEqual([]);
});
