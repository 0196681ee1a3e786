// Sizes and offsets of the interface's structures in both bitnesses, computed from the tables by the rules of the i386 and
// x86-64 C ABIs (test/abi compares every one with gcc and Debian's headers), and access to fields in bytes by path.

import { type StructureName, structures } from './structures/all.ts';
import { type Bits, type Member, parseDeclaration, type TypeExpression } from './structures/declaration.ts';

export type { Bits, StructureName };

/** How a number is shown: 'count' as a number, 'hex' as a lower-case 0x string, 'domid' as a number or DOMID_… name. */
export type Style = 'count' | 'hex' | 'char' | 'domid';

export type LayoutType =
  | { readonly kind: 'uint' | 'int'; readonly size: number; readonly style: Style; readonly enumeration: string | null }
  | { readonly kind: 'pointer'; readonly size: number; readonly to: string; readonly count: string | null }
  | { readonly kind: 'array'; readonly size: number; readonly length: number; readonly of: LayoutType }
  | { readonly kind: 'struct'; readonly size: number; readonly layout: Layout };

export interface Field {
  readonly name: string;
  /** Bytes from the start of the structure. */
  readonly offset: number;
  readonly size: number;
  readonly type: LayoutType;
  /** Xen writes it and does not read it. */
  readonly out: boolean;
}

export interface Layout {
  /** C name; of a nested one `outer.field`. */
  readonly name: string;
  readonly bits: Bits;
  readonly size: number;
  readonly align: number;
  readonly union: boolean;
  readonly fields: readonly Field[];
}

interface Scalar {
  readonly size: number | 'word';
  readonly signed?: true;
  readonly style?: Style;
  readonly align8?: true;
}

const scalars: Readonly<Record<string, Scalar>> = {
  u8: { size: 1 },
  u16: { size: 2 },
  u32: { size: 4 },
  u64: { size: 8 },
  u64a: { size: 8, align8: true },
  s8: { size: 1, signed: true },
  s16: { size: 2, signed: true },
  s32: { size: 4, signed: true },
  s64: { size: 8, signed: true },
  x8: { size: 1, style: 'hex' },
  x16: { size: 2, style: 'hex' },
  x32: { size: 4, style: 'hex' },
  x64: { size: 8, style: 'hex' },
  x64a: { size: 8, style: 'hex', align8: true },
  ulong: { size: 'word' },
  long: { size: 'word', signed: true },
  xlong: { size: 'word', style: 'hex' },
  frame: { size: 'word', style: 'hex' },
  char: { size: 1, style: 'char' },
  domid: { size: 2, style: 'domid' },
  port: { size: 4 },
  ref: { size: 4 },
  handle: { size: 4 },
};

/** Layouts by name, for each bitness. */
const cache: Readonly<Record<Bits, Map<string, Layout>>> = { 64: new Map(), 32: new Map() };

/** The layout of a structure for a 64- or 32-bit guest. */
export function layoutOf(name: StructureName, bits: Bits): Layout {
  let layout = cache[bits].get(name);
  if (!layout) {
    const text = structures[name];
    if (text === undefined) throw new Error(`no structure '${name}' in abi/structures`);
    const { union, members } = parseDeclaration(text);
    layout = place(name, bits, union, members);
    cache[bits].set(name, layout);
  }
  return layout;
}

/** Is there a structure of that name? */
export const isStructure = (name: string): name is StructureName => Object.hasOwn(structures, name);

const roundUp = (n: number, to: number): number => Math.ceil(n / to) * to;

function place(name: string, bits: Bits, union: boolean, members: readonly Member[]): Layout {
  const fields: Field[] = [];
  let end = 0;
  let align = 1;
  for (const member of members) {
    if (member.only !== null && member.only !== bits) continue;
    const placed = resolve(`${name}.${member.name}`, bits, member.type);
    let type = placed.type;
    for (const length of [...member.lengths].reverse()) type = { kind: 'array', size: type.size * length, length, of: type };
    const offset = union ? 0 : roundUp(end, placed.align);
    fields.push({ name: member.name, offset, size: type.size, type, out: member.out });
    end = union ? Math.max(end, type.size) : offset + type.size;
    align = Math.max(align, placed.align);
  }
  return { name, bits, size: roundUp(end, align), align, union, fields };
}

/** The type of a scalar, pointer or structure named as in the tables: 'frame', '@u32', 'mmu_update'. */
export function typeNamed(name: string, bits: Bits): LayoutType {
  if (Object.hasOwn(scalars, name)) return resolve(name, bits, { kind: 'scalar', name, enumeration: null }).type;
  return resolve(name, bits, { kind: 'named', name }).type;
}

/** The type of an expression of the tables, with its alignment. */
export function resolve(name: string, bits: Bits, type: TypeExpression): { readonly type: LayoutType; readonly align: number } {
  const word = bits / 8;
  switch (type.kind) {
    case 'scalar': {
      const scalar = scalars[type.name];
      if (!scalar) throw new Error(`${name}: a field cannot be of type ${type.name}`);
      const size = scalar.size === 'word' ? word : scalar.size;
      const kind = scalar.signed ? 'int' : 'uint';
      return {
        type: { kind, size, style: scalar.style ?? 'count', enumeration: type.enumeration },
        align: scalar.align8 ? 8 : Math.min(size, word),
      };
    }
    case 'pointer': {
      const size = type.wide ? 8 : word;
      return { type: { kind: 'pointer', size, to: type.to, count: type.count }, align: size };
    }
    case 'group': {
      const layout = place(name, bits, type.union, type.members);
      return { type: { kind: 'struct', size: layout.size, layout }, align: layout.align };
    }
    case 'named': {
      const layout = layoutOf(type.name as StructureName, bits);
      return { type: { kind: 'struct', size: layout.size, layout }, align: layout.align };
    }
  }
}

/** A place inside a structure. */
export interface Slot {
  readonly offset: number;
  readonly size: number;
  readonly type: LayoutType;
}

/** Places by structure and path, for each bitness: hypercalls ask for them all the time. */
const slots: Readonly<Record<Bits, Map<string, Map<string, Slot>>>> = { 64: new Map(), 32: new Map() };

/** Where a path such as `console.domU.mfn` or `vcpu_info[3].time.version` lies. Throws when there is none (a bug of the caller). */
export function slotOf(name: StructureName, bits: Bits, path: string): Slot {
  let ofStructure = slots[bits].get(name);
  if (!ofStructure) {
    ofStructure = new Map();
    slots[bits].set(name, ofStructure);
  }
  const known = ofStructure.get(path);
  if (known) return known;
  let type: LayoutType = { kind: 'struct', size: sizeOf(name, bits), layout: layoutOf(name, bits) };
  let offset = 0;
  for (const step of path.match(/\w+|\[\d+\]/g) ?? []) {
    if (step.startsWith('[')) {
      const index = Number(step.slice(1, -1));
      if (type.kind !== 'array' || (index >= type.length && type.length > 0)) throw new Error(`${name}.${path}: no element ${step}`);
      offset += index * type.of.size;
      type = type.of;
    } else {
      const field: Field | undefined = type.kind === 'struct' ? type.layout.fields.find((one) => one.name === step) : undefined;
      if (!field) throw new Error(`${name} has no field '${path}' in a ${bits}-bit guest`);
      offset += field.offset;
      type = field.type;
    }
  }
  const slot = { offset, size: type.size, type };
  ofStructure.set(path, slot);
  return slot;
}

/** Bytes of a structure. */
export const sizeOf = (name: StructureName, bits: Bits): number => layoutOf(name, bits).size;

/** Byte offset of a field, by path. */
export const offsetOf = (name: StructureName, bits: Bits, path: string): number => slotOf(name, bits, path).offset;

/** Little-endian number of `size` bytes (1 to 8) at `at`, unsigned. */
export function readBig(bytes: Uint8Array, at: number, size: number): bigint {
  const low = readNumber(bytes, at, Math.min(size, 4));
  return size <= 4 ? BigInt(low) : BigInt(low) | (BigInt(readNumber(bytes, at + 4, size - 4)) << 32n);
}

/** The same of 1 to 4 bytes. */
function readNumber(bytes: Uint8Array, at: number, size: number): number {
  let value = 0;
  for (let i = size - 1; i >= 0; i--) value = (value << 8) | bytes[at + i]!;
  return value >>> 0;
}

/** Writes the low `size` bytes of `value`, little-endian. */
export function writeBig(bytes: Uint8Array, at: number, size: number, value: bigint): void {
  let half = Number(value & 0xffff_ffffn);
  for (let i = 0; i < size; i++) {
    if (i === 4) half = Number((value >> 32n) & 0xffff_ffffn);
    bytes[at + i] = half;
    half >>>= 8;
  }
}

/** A structure in bytes. Paths as in slotOf; the bytes are the caller's, nothing is copied. */
export class StructView {
  readonly name: StructureName;
  readonly bits: Bits;
  readonly bytes: Uint8Array;
  /** Offset of the structure in `bytes`. */
  readonly at: number;

  constructor(name: StructureName, bits: Bits, bytes: Uint8Array = new Uint8Array(sizeOf(name, bits)), at = 0) {
    if (at + sizeOf(name, bits) > bytes.length) throw new Error(`${bytes.length - at} bytes are too few for ${name}`);
    this.name = name;
    this.bits = bits;
    this.bytes = bytes;
    this.at = at;
  }

  /** The number at `path`, sign-extended for signed fields. */
  big(path: string): bigint {
    const { offset, size, type } = slotOf(this.name, this.bits, path);
    if (type.kind === 'array' || type.kind === 'struct') throw new Error(`${this.name}.${path} is not a number`);
    const value = readBig(this.bytes, this.at + offset, size);
    return type.kind === 'int' ? BigInt.asIntN(size * 8, value) : value;
  }

  /** As big(), as a number: exact below 2^53. */
  number(path: string): number {
    const { offset, size, type } = slotOf(this.name, this.bits, path);
    return type.kind === 'uint' && size <= 4 ? readNumber(this.bytes, this.at + offset, size) : Number(this.big(path));
  }

  set(path: string, value: number | bigint): void {
    const { offset, size, type } = slotOf(this.name, this.bits, path);
    if (type.kind === 'array' || type.kind === 'struct') throw new Error(`${this.name}.${path} is not a number`);
    writeBig(this.bytes, this.at + offset, size, BigInt(value));
  }

  /** The bytes of a field (an array or a nested structure), shared. */
  slice(path: string): Uint8Array {
    const { offset, size } = slotOf(this.name, this.bits, path);
    return this.bytes.subarray(this.at + offset, this.at + offset + size);
  }

  /** Text of a char array up to its NUL, one character per byte. */
  text(path: string): string {
    return latin1(this.slice(path));
  }

  /** Fills a char array: cut to its size less one, then NULs. */
  setText(path: string, text: string): void {
    const field = this.slice(path);
    field.fill(0);
    for (let i = 0; i < Math.min(text.length, field.length - 1); i++) field[i] = text.charCodeAt(i) & 0xff;
  }
}

/** Bytes up to the first NUL as text, one character per byte. */
export function latin1(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) {
    if (byte === 0) break;
    text += String.fromCharCode(byte);
  }
  return text;
}
