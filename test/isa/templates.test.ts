// Records made from what is known of an instruction's beginning equal those that decoder and record writer make of the whole.

import { expect, test } from 'vitest';
import { FEATURES } from '../../simulator/cpu/code.ts';
import { createCore } from '../../simulator/cpu/core.ts';
import type { CpuHost } from '../../simulator/cpu/engine-types.ts';
import * as L from '../../simulator/cpu/layout.ts';
import { After, RecordWriter } from '../../simulator/cpu/records.ts';
import { RecordTemplates } from '../../simulator/cpu/templates.ts';
import { caseList } from '../../simulator/cpu/tier0/compiled.ts';
import { makeDecoder, newDecoded } from '../../x86/decode.ts';

const STRINGS = 100_000;

function compare(bits: 64 | 32, model: 'amd' | 'intel', seed: number): { compared: number; differences: string[] } {
  const layout = L.layoutFor(1 << 16);
  const core = createCore(new WebAssembly.Memory({ initial: layout.pages, maximum: layout.pages }), layout, 1 << 16, {} as CpuHost, model);
  core.i32[L.MODE_BITS >> 2] = bits;
  const list = caseList();
  const writer = new RecordWriter(core, list);
  const templates = new RecordTemplates(core, bits);
  const decode = makeDecoder(FEATURES[model]);
  const d = newDecoded();
  let s = seed;
  const random = (n: number): number => {
    s = (Math.imul(s, 1103515245) + 12345) & 0x7fffffff;
    return (s >>> 8) % n;
  };
  const { u8, i32 } = core;
  const at = layout.ram;
  const [whole, made] = [layout.records, layout.records + 4 * L.RECORD.size];
  const differences: string[] = [];
  let compared = 0;
  for (let n = 0; n < STRINGS; n++) {
    let p = at;
    if (random(6) === 0) u8[p++] = 0x66;
    if (random(2)) u8[p++] = 0x40 + random(16);
    if (random(3) === 0) u8[p++] = 0x0f;
    // Few ModRM bytes, so that beginnings come again.
    u8[p++] = random(256);
    u8[p++] = [0xc1, 0xd8, 0x05, 0x43, 0x84, 0x04, 0x44, 0x3e, 0x94, 0xe7][random(10)]!;
    if (random(2)) u8[p++] = [0x24, 0x25, 0x8b, 0x45, 0xe5][random(5)]!;
    while (p < at + 20) u8[p++] = random(3) ? random(256) : random(2) * 255;
    // Addresses near the borders of what 32 signed bits hold, where rip-relative ones differ.
    const [lo, hi] =
      bits === 64
        ? [[0x7ffffff0, 0x400000, 0x80000005 | 0][random(3)]!, [0, -1, 0x7fff][random(3)]!]
        : [random(2) ? 0xfffffff8 | 0 : 0x1000, 0];
    const status = decode(u8, at, at + 20, bits, d);
    const template = templates.find(at);
    const next = (lo >>> 0) + (template >= 0 ? templates.lengthOf(template) : d.length);
    const nextHi = bits === 64 && next > 0xffffffff ? (hi + 1) | 0 : hi;
    const used = template >= 0 && templates.write(template, at, made, next | 0, nextHi);
    const text = Buffer.from(u8.subarray(at, at + 16)).toString('hex');
    const end = status === 'ok' ? writer.write(whole, d, next | 0, nextHi, bits === 64 ? 0 : 1) : whole;
    const single = status === 'ok' && writer.handler !== 0 && end === whole + L.RECORD.size;
    const after = status === 'ok' ? writer.afterOf(d) : -1;
    if (used) {
      compared++;
      const words = (from: number): string => i32.subarray(from >> 2, (from >> 2) + 8).join(' ');
      const same = single && words(whole) === words(made) && templates.lengthOf(template) === d.length;
      const goesOn = templates.afterOf(template) === after || after === After.repeated;
      if (!same || !goesOn || templates.handlerOf(template) !== writer.handler) differences.push(text);
    } else if (single && template < 0) templates.learn(d, whole, after === After.repeated ? After.goesOn : after);
    else if (single) differences.push(`${text}: not made`);
  }
  return { compared, differences };
}

for (const bits of [64, 32] as const)
  for (const model of ['amd', 'intel'] as const) {
    const seed = 1 + (Date.now() % 1_000_000);
    test(`${bits}-bit instructions of ${model}, random ones with few beginnings (seed ${seed})`, () => {
      for (const s of [1, seed]) {
        const { compared, differences } = compare(bits, model, s);
        expect(differences.slice(0, 20)).toEqual([]);
        expect(compared).toBeGreaterThan(STRINGS / 4);
      }
    });
  }
