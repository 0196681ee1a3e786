import { test } from 'vitest';
import { farCases } from './cases-far.ts';
import { pagingCases } from './cases-paging.ts';
import { segmentCases } from './cases-segments.ts';
import { differences } from './compare.ts';
import { VectorMachine } from './run-engine.ts';
import { assembleVectors, runOnQemu } from './run-qemu.ts';

const all: any = { segments: segmentCases, far: farCases, paging: pagingCases };
for (const k of (process.env.CASES ?? 'segments').split(','))
  test(k, async () => {
    const vs = all[k]();
    let t = Date.now();
    const code = assembleVectors(vs);
    console.log(k, vs.length, 'assembled', Date.now() - t);
    t = Date.now();
    const q = await runOnQemu(vs, code, process.env.CPU ?? 'qemu64');
    console.log('qemu', Date.now() - t);
    t = Date.now();
    const m = new VectorMachine({ model: process.env.CPU === 'Nehalem' ? 'intel' : 'amd' });
    let bad = 0;
    const kinds = new Map<string, number>();
    vs.forEach((v: any, n: number) => {
      const d = differences(q[n]!, m.run(v, code[n]!), { far: k === 'far' });
      if (d.length) {
        bad++;
        const key = d[0]!.replace(/0x[0-9a-f]+/g, 'X');
        kinds.set(key, (kinds.get(key) ?? 0) + 1);
        if ((kinds.get(key) ?? 0) <= 6) console.log(v.name, '\n  ', d.join('\n   '));
      }
    });
    console.log('engine', Date.now() - t, 'bad', bad, kinds);
  }, 120000);
