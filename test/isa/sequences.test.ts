// Oracle: the processor that runs this test, on sequences of two to five instructions.

import { expect, test } from 'vitest';
import { seededRandom } from '../../x86/encode.ts';
import type { GeneratedCase } from './cases.ts';
import { differences, engineRunner, describe as words } from './compare.ts';
import { runNatively } from './host-cpu.ts';
import { SequenceMaker } from './sequences.ts';

const COUNT = 6000;

for (const bits of [64, 32] as const)
  test(`${bits}-bit sequences leave what the host processor leaves`, () => {
    const seed = Math.floor(Math.random() * 2 ** 31);
    const maker = new SequenceMaker(seededRandom(seed));
    const cases: GeneratedCase[] = [];
    for (let attempt = 0; attempt < 20 * COUNT && cases.length < COUNT; attempt++) {
      const c = maker.make(bits);
      if (c) cases.push(c);
    }
    expect(cases.length).toBe(COUNT);
    const engine = engineRunner();
    const native = runNatively(cases);
    const failures = cases.flatMap((c, i) => {
      const d = differences(c, native[i]!, engine.run(c));
      return d.length > 0 ? [`${words(c)}\n    ${d.join('; ')}`] : [];
    });
    expect(failures.slice(0, 10).join('\n'), `${failures.length} differences with seed ${seed}`).toBe('');
  });
