// Oracle: the processor that runs this test. Single instructions, natively and on the engine, must leave the same registers,
// defined flags, memory and faults.

import { expect, test } from 'vitest';
import { DEFINITIONS } from '../../simulator/cpu/isa/all.ts';
import { ROW_BY_KEY, ROWS } from '../../x86/rows.ts';
import { comparableForms, NOT_COMPARED, VECTOR_KEYS, X87_KEYS } from './cases.ts';
import { runOracle } from './oracle.ts';

const FIXED_SEED = 20261122;
const randomSeed = Math.floor(Math.random() * 2 ** 31);
const PER_FORM = 60;
let compared = 0;

for (const bits of [64, 32] as const)
  for (const [name, seed] of [
    ['a fixed seed', FIXED_SEED],
    ['a new seed', randomSeed],
  ] as const)
    test(`${bits}-bit instructions do what the host processor does (${name})`, () => {
      const report = runOracle(bits, PER_FORM, seed);
      compared += report.compared;
      const least = Math.min(...report.perForm.values());
      console.log(
        `${bits}-bit, seed ${seed}: ${report.compared} comparisons of ${report.perForm.size} forms, at least ${least} of each; none of: ${report.none.join(', ') || '-'}`,
      );
      expect(report.failures.slice(0, 10).join('\n'), `${report.failures.length} differences with seed ${seed}`).toBe('');
      // xchg with a REX.B prefix exists in 64-bit mode only.
      expect(report.none).toEqual(bits === 64 ? [] : ["xchg 'b1 90 Zv,rAX'"]);
    });

test('popcnt, which the Intel model has', () => {
  const forms = [{ row: ROW_BY_KEY.get('popcnt')!, form: 0 }];
  const report = runOracle(64, 300, randomSeed, { forms, model: 'intel' });
  compared += report.compared;
  expect(report.failures.slice(0, 10).join('\n')).toBe('');
});

test('at least 50,000 cases were compared, and what was not is known', () => {
  expect(compared).toBeGreaterThanOrEqual(50_000);
  const all = new Set([...comparableForms(64), ...comparableForms(32)].map((f) => f.row));
  const left = [...DEFINITIONS.keys()].filter(
    (key) => key !== 'pop-memory' && !VECTOR_KEYS.has(key) && !X87_KEYS.has(key) && !all.has(ROWS.findIndex((r) => r.key === key)),
  );
  console.log(`bodies not compared here: ${left.map((key) => `${key} (${NOT_COMPARED.get(key)})`).join(', ')}`);
  expect(left.filter((key) => !NOT_COMPARED.has(key))).toEqual([]);
});
