// C types from debug information, with names as C writes them. Members and targets are read when they are asked for.

import { AT, TAG } from './constants.table.ts';
import type { Die } from './die.ts';

export interface Member {
  /** Empty for an anonymous struct or union. */
  readonly name: string;
  readonly type: CType;
  /** Byte offset in the object; of a bit field, of its storage. */
  readonly offset: number;
  /** Present for bit fields: first bit counted from `offset`, and width. */
  readonly bits?: { readonly offset: number; readonly width: number };
}

export interface Enumerator {
  readonly name: string;
  readonly value: bigint;
}

export type CType =
  | { readonly kind: 'void'; readonly name: string; readonly size: 0 }
  | { readonly kind: 'base'; readonly name: string; readonly size: number; readonly encoding: number }
  | { readonly kind: 'pointer'; readonly name: string; readonly size: number; target(): CType }
  | {
      readonly kind: 'array';
      readonly name: string;
      readonly size: number /** null: unknown length. */;
      readonly count: number | null;
      readonly element: CType;
    }
  | {
      readonly kind: 'struct' | 'union';
      readonly name: string;
      readonly size: number;
      readonly isDeclaration: boolean;
      members(): readonly Member[];
    }
  | { readonly kind: 'enum'; readonly name: string; readonly size: number; readonly signed: boolean; enumerators(): readonly Enumerator[] }
  | { readonly kind: 'function'; readonly name: string; readonly size: 0 }
  /** typedef, const, volatile, restrict, atomic. */
  | { readonly kind: 'alias'; readonly name: string; readonly size: number; readonly target: CType }
  /** What the debug information cannot tell (damaged, in another file, or no C type). */
  | { readonly kind: 'unknown'; readonly name: string; readonly size: number };

const UNKNOWN: CType = { kind: 'unknown', name: 'type that cannot be read', size: 0 };
const VOID: CType = { kind: 'void', name: 'void', size: 0 };
const MAX_DEPTH = 64;
const cache = new WeakMap<Die, CType>();

/** The type of an entry's DW_AT_type; void when it has none. */
export function typeOf(die: Die, depth = 0): CType {
  const holder = die.holderOf(AT.type);
  if (!holder) return VOID;
  const target = holder.reference(AT.type);
  return target ? typeFromDie(target, depth) : { kind: 'unknown', name: '<type in another file>', size: 0 };
}

const sizeOf = (die: Die): number => die.number(AT.byte_size) ?? 0;

const QUALIFIERS: Readonly<Record<number, string>> = {
  [TAG.const_type]: 'const',
  [TAG.volatile_type]: 'volatile',
  [TAG.restrict_type]: 'restrict',
  [TAG.atomic_type]: '_Atomic',
};

/** 'int *' from 'int', 'int (*)[3]' from 'int [3]', 'void (*)(int)' from 'void (int)'. */
function pointerName(target: string): string {
  const at = target.search(/ ?[[(]/);
  if (at < 0 || target.includes('<anonymous')) return target.endsWith('*') ? `${target}*` : `${target} *`;
  const star = /\(\*+/.exec(target);
  if (star) return `${target.slice(0, star.index + star[0].length)}*${target.slice(star.index + star[0].length)}`;
  return `${target.slice(0, at)} (*)${target.slice(at).trimStart()}`;
}

/** 'const int' from 'int', 'int * const' from 'int *'. */
const qualifiedName = (qualifier: string, target: CType): string =>
  target.kind === 'pointer' ? `${target.name} ${qualifier}` : `${qualifier} ${target.name}`;

function boundsOf(die: Die): (number | null)[] {
  const counts: (number | null)[] = [];
  for (const child of die.children) {
    if (child.tag !== TAG.subrange_type) continue;
    const count = child.number(AT.count);
    const upper = child.signedInteger(AT.upper_bound);
    if (count !== undefined) counts.push(count);
    // gcc writes -1 as upper bound of a zero-length array; without any bound the length is unknown (int a[]).
    else if (upper !== undefined) counts.push(Math.max(0, Number(upper - (child.signedInteger(AT.lower_bound) ?? 0n)) + 1));
    else counts.push(null);
  }
  return counts.length > 0 ? counts : [null];
}

function arrayType(die: Die, depth: number): CType {
  let element = typeOf(die, depth + 1);
  const bounds = boundsOf(die);
  const base = element.name;
  for (let i = bounds.length - 1; i >= 0; i--) {
    const count = bounds[i]!;
    const suffix = bounds.slice(i).map((n) => `[${n ?? ''}]`);
    // Dimensions of an element that is itself an array come after ours.
    const inner = /(.*?) ?((?:\[\d*\])+)$/.exec(base);
    const name = inner ? `${inner[1]} ${suffix.join('')}${inner[2]}` : `${base} ${suffix.join('')}`;
    element = { kind: 'array', name, size: count === null ? 0 : count * element.size, count, element };
  }
  return element;
}

function memberOf(die: Die): Member {
  const type = typeOf(die);
  const location = die.attribute(AT.data_member_location)?.value;
  let offset = 0;
  if (typeof location === 'number' || typeof location === 'bigint') offset = Number(location);
  // DW_OP_plus_uconst with a one- or two-byte operand, as DWARF 2 wrote offsets.
  else if (location instanceof Uint8Array && location[0] === 0x23)
    for (let i = location.length - 1; i > 0; i--) offset = offset * 128 + (location[i]! & 0x7f);
  const name = die.string(AT.name) ?? '';
  const width = die.number(AT.bit_size);
  if (width === undefined) return { name, type, offset };
  const dataBit = die.number(AT.data_bit_offset);
  if (dataBit !== undefined) {
    const start = offset * 8 + dataBit;
    return { name, type, offset: Math.trunc(start / 8), bits: { offset: start % 8, width } };
  }
  // DWARF 2 and 3 count from the most significant bit of the storage unit.
  const storage = (die.number(AT.byte_size) ?? type.size) * 8;
  return { name, type, offset, bits: { offset: storage - (die.number(AT.bit_offset) ?? 0) - width, width } };
}

function compositeType(die: Die): CType {
  const kind = die.tag === TAG.union_type ? 'union' : 'struct';
  const keyword = die.tag === TAG.class_type ? 'class' : kind;
  const name = `${keyword} ${die.string(AT.name) ?? '<anonymous>'}`;
  let members: readonly Member[] | undefined;
  return {
    kind,
    name,
    size: sizeOf(die),
    isDeclaration: die.flag(AT.declaration),
    members: () => {
      die.unit.tree();
      members ??= die.children
        .filter((child) => child.tag === TAG.member && !child.flag(AT.external))
        .flatMap((child) => memberOf(child) ?? []);
      return members;
    },
  };
}

function enumType(die: Die, depth: number): CType {
  const children = (): Die[] => die.children.filter((child) => child.tag === TAG.enumerator);
  const underlying = die.has(AT.type) ? typeOf(die, depth + 1) : undefined;
  return {
    kind: 'enum',
    name: `enum ${die.string(AT.name) ?? '<anonymous>'}`,
    size: sizeOf(die) || (underlying?.size ?? 4),
    signed: children().some((child) => (child.signedInteger(AT.const_value) ?? 0n) < 0n && (child.integer(AT.const_value) ?? 0n) < 0n),
    enumerators: () =>
      die.unit.dwarf.attempt(() =>
        children().map((child) => ({ name: child.string(AT.name) ?? '?', value: child.integer(AT.const_value) ?? 0n })),
      ) ?? [],
  };
}

function functionType(die: Die, depth: number): CType {
  const parameters = die.children.flatMap((child) => {
    if (child.tag === TAG.formal_parameter) return [typeOf(child, depth + 1).name];
    return child.tag === TAG.unspecified_parameters ? ['...'] : [];
  });
  const list = parameters.length > 0 ? parameters.join(', ') : die.flag(AT.prototyped) ? 'void' : '';
  return { kind: 'function', name: `${typeOf(die, depth + 1).name} (${list})`, size: 0 };
}

function build(die: Die, depth: number): CType {
  switch (die.tag) {
    case TAG.base_type:
      return { kind: 'base', name: die.string(AT.name) ?? '?', size: sizeOf(die), encoding: die.number(AT.encoding) ?? 0 };
    case TAG.pointer_type:
    case TAG.reference_type:
    case TAG.rvalue_reference_type: {
      const name = pointerName(typeOf(die, depth + 1).name);
      return {
        kind: 'pointer',
        name,
        size: sizeOf(die) || die.unit.header.addressSize,
        target: () => die.unit.dwarf.attempt(() => typeOf(die)) ?? UNKNOWN,
      };
    }
    case TAG.array_type:
      return arrayType(die, depth);
    case TAG.structure_type:
    case TAG.class_type:
    case TAG.union_type: {
      const full = die.has(AT.signature) ? die.reference(AT.signature) : undefined;
      return full ? typeFromDie(full, depth + 1) : compositeType(die);
    }
    case TAG.enumeration_type: {
      const full = die.has(AT.signature) ? die.reference(AT.signature) : undefined;
      return full ? typeFromDie(full, depth + 1) : enumType(die, depth);
    }
    case TAG.subroutine_type:
      return functionType(die, depth);
    case TAG.typedef: {
      const target = typeOf(die, depth + 1);
      return { kind: 'alias', name: die.string(AT.name) ?? '?', size: target.size, target };
    }
    case TAG.unspecified_type:
      return { kind: 'unknown', name: die.string(AT.name) ?? '?', size: 0 };
    default: {
      const qualifier = QUALIFIERS[die.tag];
      if (!qualifier) return { kind: 'unknown', name: die.string(AT.name) ?? '<unknown type>', size: sizeOf(die) };
      const target = typeOf(die, depth + 1);
      return { kind: 'alias', name: qualifiedName(qualifier, target), size: target.size, target };
    }
  }
}

/** The type that a type entry describes. */
export function typeFromDie(die: Die, depth = 0): CType {
  const known = cache.get(die);
  if (known) return known;
  if (depth > MAX_DEPTH) return { kind: 'unknown', name: '<type nested too deeply>', size: 0 };
  die.unit.tree();
  const type = build(die, depth);
  // Inside a deep chain the answer may have been cut short: only whole answers are kept.
  if (depth === 0) cache.set(die, type);
  return type;
}

/** The type without typedefs and qualifiers. */
export function stripAliases(type: CType): CType {
  let current = type;
  for (let i = 0; current.kind === 'alias' && i < MAX_DEPTH; i++) current = current.target;
  return current;
}
