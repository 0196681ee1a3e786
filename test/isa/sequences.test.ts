// Oracle: the processor that runs this test, on sequences of two to five instructions.

import { expect, test } from 'vitest';
import { runSequences } from './oracle.ts';

for (const bits of [64, 32] as const)
  test(`${bits}-bit sequences leave what the host processor leaves`, () => {
    const seed = Math.floor(Math.random() * 2 ** 31);
    const { compared, failures } = runSequences(bits, 8000, seed);
    expect(compared).toBe(8000);
    expect(failures.slice(0, 10).join('\n'), `${failures.length} differences with seed ${seed}`).toBe('');
  });
