// Assembles modules of many regions, written straight into one array: this is done while the guest waits.

import { I64, type ValueType } from '../emit/expressions.ts';
import { REGION_IMPORTS } from './helpers.ts';
import type { RegionCode } from './region.ts';

const HEADER = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0];

function leb(value: number): number[] {
  const out: number[] = [];
  let n = value;
  do {
    const low = n & 127;
    n >>>= 7;
    out.push(n ? low | 128 : low);
  } while (n);
  return out;
}
const text = (s: string): number[] => [s.length, ...[...s].map((c) => c.charCodeAt(0))];
const typeByte = (t: ValueType): number => (t === I64 ? 0x7e : 0x7f);
const section = (id: number, content: readonly number[]): number[] => [id, ...leb(content.length), ...content];

const MEMORY = [...text('e'), ...text('memory'), 2, 1, ...leb(1), ...leb(65536)];
/** Type 0 is that of regions: (TLB base) -> status. */
const REGION_TYPE = [0x60, 1, 0x7f, 1, 0x7f];
const IMPORT_TYPES = REGION_IMPORTS.map((f) => [0x60, ...leb(f.params.length), ...f.params.map(typeByte), 1, typeByte(f.result)]);

/** Sections before the code that depend only on whether helpers are imported. */
function start(withHelpers: boolean): number[] {
  const imports = withHelpers ? REGION_IMPORTS : [];
  const types = withHelpers ? [REGION_TYPE, ...IMPORT_TYPES] : [REGION_TYPE];
  const entries = imports.map((f, i) => [...text('e'), ...text(f.name), 0, ...leb(i + 1)]);
  return [
    ...HEADER,
    ...section(1, [...leb(types.length), ...types.flat()]),
    ...section(2, [...leb(entries.length + 1), ...entries.flat(), ...MEMORY]),
  ];
}
const STARTS = [start(false), start(true)];

/** Exports the functions by their numbers: '0', '1' … */
export function regionModule(codes: readonly RegionCode[]): Uint8Array<ArrayBuffer> {
  const withHelpers = codes.some((c) => c.callsHelpers);
  const imported = withHelpers ? REGION_IMPORTS.length : 0;
  const count = leb(codes.length);
  const functions = section(3, [...count, ...new Array<number>(codes.length).fill(0)]);
  const exports: number[] = [...count];
  for (let i = 0; i < codes.length; i++) exports.push(...text(String(i)), 0, ...leb(imported + i));
  const head = [...STARTS[withHelpers ? 1 : 0]!, ...functions, ...section(7, exports)];
  const sizes = codes.map((c) => leb(c.code.length));
  const total = codes.reduce((n, c, i) => n + c.code.length + sizes[i]!.length, count.length);
  const code = [10, ...leb(total), ...count];
  const out = new Uint8Array(head.length + code.length + total - count.length);
  out.set(head);
  out.set(code, head.length);
  let at = head.length + code.length;
  codes.forEach((c, i) => {
    out.set(sizes[i]!, at);
    at += sizes[i]!.length;
    out.set(c.code, at);
    at += c.code.length;
  });
  return out;
}
