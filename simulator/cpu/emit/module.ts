// Assembles a WebAssembly module from function bodies: type, import, function, export and code sections.

import { I64, V128, type ValueType } from './expressions.ts';

export interface Signature {
  readonly params: readonly ValueType[];
  readonly result: ValueType | null;
}
export interface ImportedFunction extends Signature {
  readonly name: string;
}
export interface WasmFunction extends Signature {
  readonly name?: string;
  /** Locals beyond the parameters: [count, type] groups, in order. */
  readonly locals: readonly (readonly [number, ValueType])[];
  /** Instructions without the final `end`. */
  readonly code: Uint8Array;
}

const leb = (value: number): number[] => {
  const out: number[] = [];
  let n = value >>> 0;
  do {
    const low = n & 127;
    n >>>= 7;
    out.push(n ? low | 128 : low);
  } while (n);
  return out;
};
const vector = (items: readonly (readonly number[])[]): number[] => [...leb(items.length), ...items.flat()];
const text = (s: string): number[] => [s.length, ...[...s].map((c) => c.charCodeAt(0))];
const typeByte = (t: ValueType): number => (t === I64 ? 0x7e : t === V128 ? 0x7b : 0x7f);

/** All imports come from module `e`; the memory is `e.memory`. Function indices: imports first, then `functions` in order.
 * `table`: the module imports the table `e.table` of functions of this signature, which is type 0. */
export function assembleModule(imports: readonly ImportedFunction[], functions: readonly WasmFunction[], table?: Signature): Uint8Array {
  const types: string[] = [];
  const typeIndex = (s: Signature): number => {
    const encoded = JSON.stringify([
      0x60,
      ...vector(s.params.map((t) => [typeByte(t)])),
      ...vector(s.result === null ? [] : [[typeByte(s.result)]]),
    ]);
    const i = types.indexOf(encoded);
    return i >= 0 ? i : types.push(encoded) - 1;
  };
  if (table) typeIndex(table);
  const importEntries = imports.map((f) => [...text('e'), ...text(f.name), 0, ...leb(typeIndex(f))]);
  // Any size will do, so that one compiled module serves machines of all sizes.
  importEntries.push([...text('e'), ...text('memory'), 2, 1, ...leb(1), ...leb(65536)]);
  if (table) importEntries.push([...text('e'), ...text('table'), 1, 0x70, 0, ...leb(1)]);
  const functionTypes = functions.map((f) => leb(typeIndex(f)));
  const exports = functions.flatMap((f, i) => (f.name ? [[...text(f.name), 0, ...leb(imports.length + i)]] : []));

  const chunks: Uint8Array[] = [Uint8Array.from([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0])];
  const section = (id: number, parts: readonly Uint8Array[]): void => {
    const length = parts.reduce((n, p) => n + p.length, 0);
    chunks.push(Uint8Array.from([id, ...leb(length)]), ...parts);
  };
  section(1, [Uint8Array.from(vector(types.map((t) => JSON.parse(t) as number[])))]);
  section(2, [Uint8Array.from(vector(importEntries))]);
  section(3, [Uint8Array.from(vector(functionTypes))]);
  section(7, [Uint8Array.from(vector(exports))]);
  const bodies: Uint8Array[] = [Uint8Array.from(leb(functions.length))];
  for (const f of functions) {
    const head = Uint8Array.from(vector(f.locals.map(([n, t]) => [...leb(n), typeByte(t)])));
    bodies.push(Uint8Array.from(leb(head.length + f.code.length + 1)), head, f.code, Uint8Array.from([0x0b]));
  }
  section(10, bodies);

  const bytes = new Uint8Array(chunks.reduce((n, c) => n + c.length, 0));
  let at = 0;
  for (const c of chunks) {
    bytes.set(c, at);
    at += c.length;
  }
  return bytes;
}
