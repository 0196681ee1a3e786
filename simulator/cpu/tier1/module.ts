// Assembles modules of many regions, written straight into one array: this is done while the guest waits. Several regions may share a
// function, which begins with a jump to the one asked for: V8 optimises functions after so many bytes executed, small ones late.

import { I32, I64, type ValueType } from '../emit/expressions.ts';
import { REGION_IMPORTS } from './helpers.ts';
import { ENTRY, localGroups, TEMPS_64 } from './locals.ts';
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
/** Type 0 is that of regions: (TLB base, number in the function) -> status. */
const REGION_TYPE = [0x60, 2, 0x7f, 0x7f, 1, 0x7f];
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

const localBytes = (temps64: number, vector: boolean): number[] => {
  const groups = localGroups(temps64, vector);
  return [groups.length, ...groups.flatMap(([count, type]) => [...leb(count), type === I32 ? 0x7f : type === I64 ? 0x7e : 0x7b])];
};
const LOCALS = Array.from({ length: TEMPS_64 + 1 }, (_, n) => localBytes(n, false));
const LOCALS_WITH_VECTORS = localBytes(TEMPS_64, true);

/** What a function of several regions begins with: a block around all code before each region, and the jump out of one of them. */
function opening(regions: readonly RegionCode[]): number[] {
  const locals = regions.some((r) => r.usesVector) ? LOCALS_WITH_VECTORS : LOCALS[Math.max(...regions.map((r) => r.temps64))]!;
  const last = regions.length - 1;
  if (last === 0) return locals;
  return [...locals, ...regions.flatMap(() => [0x02, 0x40]), 0x20, ENTRY, 0x0e, last, ...regions.map((_, n) => n)];
}

/** Exports the functions by their numbers: '0', '1' …; each is made of the regions of one group, whose code lies in `bytes`. */
export function regionModule(bytes: Uint8Array, groups: readonly (readonly RegionCode[])[]): Uint8Array<ArrayBuffer> {
  const withHelpers = groups.some((group) => group.some((r) => r.callsHelpers));
  const imported = withHelpers ? REGION_IMPORTS.length : 0;
  const count = leb(groups.length);
  const functions = section(3, [...count, ...new Array<number>(groups.length).fill(0)]);
  const exports: number[] = [...count];
  for (let i = 0; i < groups.length; i++) exports.push(...text(String(i)), 0, ...leb(imported + i));
  const head = [...STARTS[withHelpers ? 1 : 0]!, ...functions, ...section(7, exports)];
  const openings = groups.map(opening);
  let total = count.length;
  const sizes = groups.map((regions, i) => {
    let size = openings[i]!.length + 1 + (regions.length > 1 ? regions.length : 0);
    for (const r of regions) size += r.end - r.start;
    const encoded = leb(size);
    total += size + encoded.length;
    return encoded;
  });
  const code = [10, ...leb(total), ...count];
  const out = new Uint8Array(head.length + code.length + total - count.length);
  out.set(head);
  out.set(code, head.length);
  let at = head.length + code.length;
  const put = (part: ArrayLike<number>): void => {
    out.set(part, at);
    at += part.length;
  };
  groups.forEach((regions, i) => {
    put(sizes[i]!);
    put(openings[i]!);
    for (const r of regions) {
      if (regions.length > 1) out[at++] = 0x0b;
      put(bytes.subarray(r.prologue, r.end));
      put(bytes.subarray(r.start, r.prologue));
    }
    out[at++] = 0x0b;
  });
  return out;
}
