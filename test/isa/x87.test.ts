// Oracle: the processor that runs this test (an AMD one). x87 instructions, natively and on the engine, must leave the same registers,
// tags, words, pointers, rflags, memory and faults; results of transcendental instructions may differ by one unit of the last place.

import { expect, test } from 'vitest';
import { runX87Oracle } from './x87-oracle.ts';

const FIXED_SEED = 20261122;
const randomSeed = Math.floor(Math.random() * 2 ** 31);
let compared = 0;

for (const bits of [64, 32] as const)
  for (const [name, seed] of [
    ['a fixed seed', FIXED_SEED],
    ['a new seed', randomSeed],
  ] as const)
    test(`${bits}-bit x87 instructions do what the host processor does (${name})`, { timeout: 60_000 }, () => {
      const report = runX87Oracle(bits, 60, 1500, seed);
      compared += report.compared;
      const least = Math.min(...report.perForm.values());
      console.log(`${bits}-bit, seed ${seed}: ${report.compared} comparisons of ${report.perForm.size} forms, at least ${least} of each`);
      expect(report.failures.slice(0, 5).join('\n'), `${report.failures.length} differences with seed ${seed}`).toBe('');
      expect(report.none).toEqual([]);
      expect(report.perForm.size).toBeGreaterThan(140);
    });

test('at least 30,000 cases were compared', () => {
  expect(compared).toBeGreaterThanOrEqual(30_000);
});
