// A run of the host-CPU oracle over all MMX and SSE forms of one mode, with registers, MXCSR and the x87 words.

import { readFileSync } from 'node:fs';
import { seededRandom } from '../../x86/encode.ts';
import { ROWS } from '../../x86/rows.ts';
import type { GeneratedCase } from './cases.ts';
import { describe, differences, engineRunner } from './compare.ts';
import { type NativeResult, runNatively } from './host-cpu.ts';
import type { OracleReport } from './oracle.ts';
import { VectorCaseMaker, vectorForms } from './sse-cases.ts';

const BATCH = 4000;
/** The bits of these are each vendor's own; the engine gives AMD's. */
const APPROXIMATIONS = /^(rcp|rsqrt)[ps]s$/;
const amd = /AuthenticAMD/.test(readFileSync('/proc/cpuinfo', 'latin1'));
const hex = (bytes: Uint8Array): string =>
  [...bytes]
    .reverse()
    .map((v) => v.toString(16).padStart(2, '0'))
    .join('');

/** Registers of two images that differ, in words. */
export function imageDifferences(native: Uint8Array, ours: Uint8Array): string[] {
  const out: string[] = [];
  const field = (name: string, at: number, length: number): void => {
    const a = hex(ours.subarray(at, at + length));
    const b = hex(native.subarray(at, at + length));
    if (a !== b) out.push(`${name} ${a}, processor ${b}`);
  };
  field('control word', 0, 2);
  field('status word', 2, 2);
  field('tags', 4, 1);
  field('mxcsr', 24, 4);
  for (let n = 0; n < 8; n++) field(`st${n}`, 32 + 16 * n, 10);
  for (let n = 0; n < 16; n++) field(`xmm${n}`, 160 + 16 * n, 16);
  return out;
}

function describeImage(c: GeneratedCase, native: NativeResult): string {
  const image = c.image!;
  const view = new DataView(image.buffer);
  const xmm = Array.from({ length: c.bits === 64 ? 16 : 8 }, (_, n) => `xmm${n}=${hex(image.subarray(160 + 16 * n, 176 + 16 * n))}`);
  const st = Array.from({ length: 8 }, (_, n) => `st${n}=${hex(image.subarray(32 + 16 * n, 42 + 16 * n))}`);
  const pokes = c.pokes.map(([at, v]) => `+${at.toString(16)}=${v.toString(16)}`).join(' ');
  return `mxcsr=${view.getUint32(24, true).toString(16)} sw=${view.getUint16(2, true).toString(16)} tags=${image[4]!.toString(16)} ${pokes} trap ${native.trap}\n    ${xmm.join(' ')}\n    ${st.join(' ')}`;
}

export function runVectorOracle(bits: 64 | 32, perForm: number, seed: number, only?: RegExp): OracleReport {
  const maker = new VectorCaseMaker(seededRandom(seed));
  const counts = new Map<string, number>();
  const none: string[] = [];
  const cases: GeneratedCase[] = [];
  for (const { row, form } of vectorForms(bits)) {
    const { key } = ROWS[row]!;
    if ((only && !only.test(key)) || (!amd && APPROXIMATIONS.test(key))) continue;
    const name = `${ROWS[row]!.key} '${ROWS[row]!.enc[form]}'`;
    let got = 0;
    for (let attempt = 0; attempt < 4 * perForm && got < perForm; attempt++) {
      const c = maker.make(row, form, bits);
      if (!c) continue;
      cases.push(c);
      got++;
    }
    counts.set(name, got);
    if (got === 0) none.push(name);
  }
  const engine = engineRunner();
  const failures: string[] = [];
  for (let start = 0; start < cases.length; start += BATCH) {
    const batch = cases.slice(start, start + BATCH);
    runNatively(batch).forEach((native, i) => {
      const c = batch[i]!;
      const ours = engine.run(c);
      const different = [...differences(c, native, ours), ...imageDifferences(native.image, ours.image)];
      if (different.length > 0) failures.push(`${describe(c)}\n    ${describeImage(c, native)}\n    ${different.join('; ')}`);
    });
  }
  return { compared: cases.length, perForm: counts, none, failures };
}
