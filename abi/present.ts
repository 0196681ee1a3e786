// Values of the interface as they appear in trace records, breakpoint conditions and views: addresses, frames and masks are
// lower-case 0x strings, counts are numbers, values that have names are the names.

import { nameOf, specialDomain } from './enumerations.ts';
import { isStructure, type Layout, type LayoutType, latin1, layoutOf, readBig, typeNamed } from './layout.ts';

export type DecodedValue = string | number | boolean | null | readonly DecodedValue[] | { readonly [name: string]: DecodedValue };
export type DecodedArgs = { readonly [name: string]: DecodedValue };

/** Guest memory at a guest virtual address: exactly that many bytes, or null when any of them is not mapped. */
export type MemoryReader = (address: bigint, length: number) => Uint8Array | null;

export interface PresentOptions {
  readonly read: MemoryReader;
  /** 'entry' leaves out what Xen will write. */
  readonly phase: 'entry' | 'exit';
  /** Elements shown of an array that a pointer leads to; the rest is counted in `NAME_more`. */
  readonly limit: number;
}

export const hex = (value: bigint): string => `0x${value.toString(16)}`;

/** A number that is a count: exact, so above 2^53 it is a 0x string. */
export const count = (value: bigint): number | string =>
  value <= BigInt(Number.MAX_SAFE_INTEGER) && value >= BigInt(Number.MIN_SAFE_INTEGER) ? Number(value) : hex(BigInt.asUintN(64, value));

/** A scalar by its type. `value` is the raw unsigned number. */
export function presentScalar(type: LayoutType, value: bigint): DecodedValue {
  if (type.kind === 'pointer') return hex(value);
  if (type.kind !== 'uint' && type.kind !== 'int') throw new Error('not a scalar');
  const number = type.kind === 'int' ? BigInt.asIntN(type.size * 8, value) : value;
  if (type.enumeration !== null) return nameOf(type.enumeration, Number(number)) ?? count(number);
  switch (type.style) {
    case 'hex':
      return hex(value);
    case 'domid':
      return specialDomain(Number(value)) ?? Number(value);
    case 'char':
      return String.fromCharCode(Number(value));
    case 'count':
      return count(number);
  }
}

const isPadding = (name: string): boolean => /^_|^pad\d*$|^rsvd$|^reserved$|_rsvd$/.test(name);

/** Fields of a structure in `bytes` at `at`, added to `into`. */
export function presentFields(
  layout: Layout,
  bytes: Uint8Array,
  at: number,
  options: PresentOptions,
  into: Record<string, DecodedValue>,
): void {
  for (const field of layout.fields) {
    if (isPadding(field.name)) continue;
    const { type } = field;
    const start = at + field.offset;
    if (field.out && options.phase === 'entry') {
      if (type.kind === 'pointer') into[field.name] = hex(readBig(bytes, start, type.size));
      continue;
    }
    if (type.kind === 'pointer' && type.count !== null) {
      const length = layout.fields.find((one) => one.name === type.count)!;
      const elements = Number(readBig(bytes, at + length.offset, length.size));
      presentArray(field.name, type.to, layout.bits, readBig(bytes, start, type.size), elements, options, into);
    } else into[field.name] = presentValue(type, bytes, start, options, membersOf(layout, field.name, bytes, at));
  }
}

/** Any value in `bytes`. `only`: the members of a union that mean something. */
export function presentValue(
  type: LayoutType,
  bytes: Uint8Array,
  at: number,
  options: PresentOptions,
  only: readonly string[] | null = null,
): DecodedValue {
  switch (type.kind) {
    case 'uint':
    case 'int':
    case 'pointer':
      return presentScalar(type, readBig(bytes, at, type.size));
    case 'array': {
      if (type.of.kind === 'uint' && type.of.style === 'char') return latin1(bytes.subarray(at, at + type.size));
      if (type.of.kind === 'uint' && type.of.size === 1) return hexBytes(bytes.subarray(at, at + type.size));
      return Array.from({ length: type.length }, (_, i) => presentValue(type.of, bytes, at + i * type.of.size, options));
    }
    case 'struct': {
      const fields: Record<string, DecodedValue> = {};
      presentFields(type.layout, bytes, at, options, fields);
      if (!only) return fields;
      return Object.fromEntries(Object.entries(fields).filter(([name]) => only.includes(name)));
    }
  }
}

/** What a guest pointer leads to: `elements` of the type named `to`, put into `into` under `name`; the address where unreadable. */
export function presentArray(
  name: string,
  to: string,
  bits: 64 | 32,
  address: bigint,
  elements: number,
  options: PresentOptions,
  into: Record<string, DecodedValue>,
): void {
  const shown = Math.min(elements, to === 'char' ? options.limit * 16 : options.limit);
  const type = to === 'void' ? null : typeNamed(to, bits);
  const bytes = type && shown > 0 ? options.read(address, shown * type.size) : null;
  if (!type || (shown > 0 && !bytes)) {
    into[name] = hex(address);
    return;
  }
  if (to === 'char') into[name] = bytes ? String.fromCharCode(...bytes) : '';
  else into[name] = Array.from({ length: shown }, (_, i) => presentValue(type, bytes!, i * type.size, options));
  if (elements > shown) into[`${name}_more`] = elements - shown;
}

/** A structure that a guest pointer leads to, its fields added to `into`; false when it cannot be read. */
export function presentPointed(
  to: string,
  bits: 64 | 32,
  address: bigint,
  options: PresentOptions,
  into: Record<string, DecodedValue>,
): boolean {
  if (!isStructure(to)) return false;
  const layout = layoutOf(to, bits);
  const bytes = options.read(address, layout.size);
  if (!bytes) return false;
  presentFields(layout, bytes, 0, options, into);
  return true;
}

export const hexBytes = (bytes: Uint8Array): string => Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');

/** Which members of a union mean something, where another field says so; null: show all. */
function membersOf(layout: Layout, field: string, bytes: Uint8Array, at: number): readonly string[] | null {
  const number = (name: string): number => {
    const other = layout.fields.find((one) => one.name === name)!;
    return Number(readBig(bytes, at + other.offset, other.size));
  };
  switch (`${layout.name}.${field}`) {
    case 'evtchn_status.u':
      return [[], ['unbound'], ['interdomain'], ['pirq'], ['virq'], []][number('status')] ?? [];
    case 'vcpu_register_runstate_memory_area.addr':
    case 'vcpu_register_time_memory_area.addr':
      return ['v'];
    case 'gnttab_cache_flush.a':
      return number('op') & 0x80000000 ? ['ref'] : ['dev_bus_addr'];
    default:
      return null;
  }
}
