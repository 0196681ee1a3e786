// Two domains side by side do to each other what real Xen lets them: ports between them, and every refusal, against what real Xen printed.
// RECORD_PAIRS=1 runs them on real Xen (Linux as dom0, xl) and renews the recordings.

import { expect, test } from 'vitest';
import { imageOf, pairOnSimulator, pairOnXen, pairs, readPair, writePair } from './pairs.ts';

test.each(pairs)(
  '$name, $bits bit',
  async ({ name, bits }) => {
    const elf = await imageOf(name, bits);
    if (process.env.RECORD_PAIRS) writePair(name, bits, await pairOnXen(elf, bits));
    const xen = readPair(name, bits);
    expect(xen, 'no recording: run this test with RECORD_PAIRS=1').not.toBeNull();
    expect(xen!.first.length + xen!.second.length).toBeGreaterThan(40);
    expect(pairOnSimulator(elf)).toEqual(xen);
  },
  300_000,
);
