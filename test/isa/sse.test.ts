// Oracle: the processor that runs this test (an AMD one, for the approximations of rcp and rsqrt). MMX and SSE instructions,
// natively and on the engine, must leave the same registers, MXCSR, x87 words, flags, memory and faults.

import { expect, test } from 'vitest';
import { listCases } from '../../simulator/cpu/tier0/cases.ts';
import { buildTier0, buildVectorModule } from '../../simulator/cpu/tier0/module.ts';
import { runVectorOracle } from './sse-oracle.ts';

const FIXED_SEED = 20261122;
const randomSeed = Math.floor(Math.random() * 2 ** 31);
let compared = 0;

for (const [bits, perForm] of [
  [64, 120],
  [32, 60],
] as const)
  for (const [name, seed] of [
    ['a fixed seed', FIXED_SEED],
    ['a new seed', randomSeed],
  ] as const)
    test(`${bits}-bit MMX and SSE instructions do what the host processor does (${name})`, () => {
      const report = runVectorOracle(bits, perForm, seed);
      compared += report.compared;
      const least = Math.min(...report.perForm.values());
      console.log(`${bits}-bit, seed ${seed}: ${report.compared} comparisons of ${report.perForm.size} forms, at least ${least} of each`);
      expect(report.failures.slice(0, 5).join('\n'), `${report.failures.length} differences with seed ${seed}`).toBe('');
      expect(report.none).toEqual([]);
      expect(report.perForm.size).toBeGreaterThan(260);
    });

test('at least 50,000 cases were compared', () => {
  expect(compared).toBeGreaterThanOrEqual(50_000);
});

test('every vector case generates in both modes, and the modules compile', () => {
  const list = listCases();
  expect(list.vectorCases.length).toBeGreaterThan(480);
  for (const mode of [0, 1])
    for (const build of [buildTier0, buildVectorModule])
      expect(WebAssembly.validate(build(list, mode) as Uint8Array<ArrayBuffer>)).toBe(true);
});
