// A run of the host-CPU oracle over all x87 forms of one mode: registers, tags, words, pointers, memory, faults.

import { seededRandom } from '../../x86/encode.ts';
import { ROWS } from '../../x86/rows.ts';
import type { GeneratedCase } from './cases.ts';
import { describe, differences, engineRunner } from './compare.ts';
import { type NativeResult, runNatively } from './host-cpu.ts';
import type { OracleReport } from './oracle.ts';
import { TRANSCENDENTAL, X87CaseMaker, x87Forms } from './x87-cases.ts';

const BATCH = 4000;
const C1 = 0x200;
const hex = (bytes: Uint8Array): string =>
  [...bytes]
    .reverse()
    .map((v) => v.toString(16).padStart(2, '0'))
    .join('');

/** Distance of two register images in units of the last place. */
function distance(a: Uint8Array, b: Uint8Array): bigint {
  const ordered = (bytes: Uint8Array): bigint => {
    const view = new DataView(bytes.buffer, bytes.byteOffset, 10);
    const top = view.getUint16(8, true);
    const key = (BigInt(top & 0x7fff) << 63n) + (view.getBigUint64(0, true) & ((1n << 63n) - 1n));
    return top & 0x8000 ? -key : key;
  };
  const d = ordered(a) - ordered(b);
  return d < 0n ? -d : d;
}

/** Fields of two images that differ, in words. */
export function x87Differences(native: Uint8Array, engine: Uint8Array, loose: boolean): string[] {
  const out: string[] = [];
  const ours = engine.slice();
  // Without a pending exception the processor does not show the pointers.
  if (!(ours[2]! & 0x80)) ours.fill(0, 6, 24);
  const field = (name: string, at: number, length: number): void => {
    const a = hex(ours.subarray(at, at + length));
    const b = hex(native.subarray(at, at + length));
    if (a !== b) out.push(`${name} ${a}, processor ${b}`);
  };
  field('control word', 0, 2);
  const word = (image: Uint8Array): number => (image[2]! | (image[3]! << 8)) & (loose ? ~C1 : ~0);
  if (word(native) !== word(ours)) out.push(`status word ${word(ours).toString(16)}, processor ${word(native).toString(16)}`);
  field('tags', 4, 1);
  field('opcode', 6, 2);
  field('instruction', 8, 8);
  field('operand', 16, 8);
  field('mxcsr', 24, 4);
  for (let n = 0; n < 8; n++) {
    const at = 32 + 16 * n;
    if (loose && distance(ours.subarray(at, at + 10), native.subarray(at, at + 10)) <= 1n) continue;
    field(`st${n}`, at, 10);
  }
  for (let n = 0; n < 16; n++) field(`xmm${n}`, 160 + 16 * n, 16);
  return out;
}

function describeImage(c: GeneratedCase, native: NativeResult): string {
  const image = c.image!;
  const view = new DataView(image.buffer);
  const st = Array.from({ length: 8 }, (_, n) => `st${n}=${hex(image.subarray(32 + 16 * n, 42 + 16 * n))}`);
  const pokes = c.pokes.map(([at, v]) => `+${at.toString(16)}=${v.toString(16)}`).join(' ');
  return `cw=${view.getUint16(0, true).toString(16)} sw=${view.getUint16(2, true).toString(16)} tags=${image[4]!.toString(16)} ${pokes} trap ${native.trap}\n    ${st.join(' ')}`;
}

export function runX87Oracle(bits: 64 | 32, perForm: number, sequences: number, seed: number, only?: RegExp): OracleReport {
  const maker = new X87CaseMaker(seededRandom(seed));
  const counts = new Map<string, number>();
  const none: string[] = [];
  const cases: GeneratedCase[] = [];
  const forms = x87Forms();
  for (const { row, form } of forms) {
    const { key, enc } = ROWS[row]!;
    if (only && !only.test(key)) continue;
    const name = `${key} '${enc[form]}'`;
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
  const registerForms = forms.filter(({ row, form }) => {
    const { key, enc } = ROWS[row]!;
    return !TRANSCENDENTAL.has(key) && !/ M/.test(enc[form]!);
  });
  for (let n = 0; n < sequences; n++) {
    const c = maker.sequence(bits, registerForms);
    if (c) cases.push(c);
  }
  if (sequences) counts.set('sequences', sequences);
  const engine = engineRunner();
  const failures: string[] = [];
  for (let start = 0; start < cases.length; start += BATCH) {
    const batch = cases.slice(start, start + BATCH);
    runNatively(batch).forEach((native, i) => {
      const c = batch[i]!;
      const ours = engine.run(c);
      const loose = TRANSCENDENTAL.has(ROWS[c.row]!.key);
      const different = [...differences(c, native, ours), ...x87Differences(native.image, ours.image, loose)];
      if (different.length > 0) failures.push(`${describe(c)}\n    ${describeImage(c, native)}\n    ${different.join('; ')}`);
    });
  }
  return { compared: cases.length, perForm: counts, none, failures };
}
