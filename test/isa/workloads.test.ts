// Oracle: the same C source, compiled by the same compiler, on the processor that runs this test.

import { afterAll, expect, test } from 'vitest';
import { buildWorkloads } from './workloads.ts';

const workloads = buildWorkloads();
afterAll(() => workloads.close());
const sizes = [300, 60, 300, 20_000];

for (const [which, name] of [
  'lists, CRC and a matrix',
  'copies and a chase through memory',
  'a state machine, recursion, indirect calls',
  'division, products, strings',
].entries())
  test(`compiled C computes what it computes on the host: ${name}`, () => {
    const n = sizes[which]!;
    const expected = workloads.native(which, n);
    let seed = which + 1;
    const random = (): number => {
      seed = (Math.imul(seed, 1103515245) + 12345) & 0x7fffffff;
      return 1 + ((seed >> 8) % 3000);
    };
    const whole = workloads.engine(which, n, () => 200_000);
    expect(whole.result).toBe(expected);
    expect(workloads.engine(which, n, random)).toEqual(whole);
  });

test('tier 0 runs compiled code at 100 million instructions a second or more', () => {
  // Processor time, so that other work on the machine does not count; the best round, so that compilation beside does not either.
  let best = 0;
  for (let round = 0; round < 8; round++)
    for (const which of [0, 2]) {
      const start = process.cpuUsage();
      const { instructions } = workloads.engine(which, 1500, () => 200_000);
      const used = process.cpuUsage(start);
      best = Math.max(best, instructions / (used.user + used.system));
    }
  console.log(`tier 0: ${best.toFixed(0)} MIPS at best`);
  expect(best).toBeGreaterThan(100);
});
