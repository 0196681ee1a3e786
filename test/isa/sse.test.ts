// Oracle: the processor that runs this test (an AMD one, for the approximations of rcp and rsqrt). MMX and SSE instructions and
// sequences of them, natively and on the engine, must leave the same registers, MXCSR, x87 words, flags, memory and faults.

import { expect, test } from 'vitest';
import { listCases } from '../../simulator/cpu/tier0/cases.ts';
import { buildTier0, buildVectorModule } from '../../simulator/cpu/tier0/module.ts';
import { VECTOR } from './families.ts';
import { oracleTests } from './oracle-tests.ts';

oracleTests(VECTOR, { perForm: { 64: 80, 32: 50 }, sequences: 3000, forms: 260, atLeast: 70_000 });

test('every vector case generates in both modes, and the modules compile', () => {
  const list = listCases();
  expect(list.vectorCases.length).toBeGreaterThan(480);
  for (const mode of [0, 1])
    for (const build of [buildTier0, buildVectorModule])
      expect(WebAssembly.validate(build(list, mode) as Uint8Array<ArrayBuffer>)).toBe(true);
});
