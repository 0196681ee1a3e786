// Types that casts name: from the debug information, and C's own integers where it has none of that name.

import { ENCODING } from '../../image/dwarf/constants.table.ts';
import type { CType } from '../../image/dwarf/types.ts';
import type { Symbolizer } from '../../image/symbolizer.ts';

const integers: Readonly<Record<string, { size: number | 'word'; signed: boolean }>> = {
  char: { size: 1, signed: true },
  'signed char': { size: 1, signed: true },
  'unsigned char': { size: 1, signed: false },
  short: { size: 2, signed: true },
  'unsigned short': { size: 2, signed: false },
  int: { size: 4, signed: true },
  signed: { size: 4, signed: true },
  unsigned: { size: 4, signed: false },
  'unsigned int': { size: 4, signed: false },
  long: { size: 'word', signed: true },
  'unsigned long': { size: 'word', signed: false },
  'long long': { size: 8, signed: true },
  'unsigned long long': { size: 8, signed: false },
  bool: { size: 1, signed: false },
  _Bool: { size: 1, signed: false },
};
for (const bits of [8, 16, 32, 64]) {
  const table = integers as Record<string, { size: number; signed: boolean }>;
  for (const name of [`u${bits}`, `uint${bits}_t`, `__u${bits}`]) table[name] = { size: bits / 8, signed: false };
  for (const name of [`s${bits}`, `int${bits}_t`, `__s${bits}`]) table[name] = { size: bits / 8, signed: true };
}

/** 'long unsigned int', as gcc writes it, and 'unsigned long' are one type. */
function normalise(name: string): string {
  const words = name.split(' ').filter((word) => word !== 'int' || name.split(' ').length === 1);
  const sign = words.filter((word) => word === 'unsigned' || word === 'signed');
  const rest = words.filter((word) => word !== 'unsigned' && word !== 'signed');
  return [...(sign[0] === 'signed' && rest[0] !== 'char' && rest.length ? [] : sign), ...rest].join(' ');
}

export function typeByName(symbolizer: Symbolizer, name: string, bits: 64 | 32): CType | null {
  if (name === 'void') return { kind: 'void', name, size: 0 };
  const found = symbolizer.typeNamed(name);
  if (found) return found;
  const integer = Object.hasOwn(integers, normalise(name)) ? integers[normalise(name)]! : null;
  if (!integer) return null;
  const size = integer.size === 'word' ? bits / 8 : integer.size;
  const isChar = size === 1;
  const encoding = integer.signed ? (isChar ? ENCODING.signed_char : ENCODING.signed) : isChar ? ENCODING.unsigned_char : ENCODING.unsigned;
  return { kind: 'base', name, size, encoding };
}

export const pointerTo = (target: CType, addressSize: 4 | 8): CType => ({
  kind: 'pointer',
  name: target.name.endsWith('*') ? `${target.name}*` : `${target.name} *`,
  size: addressSize,
  target: () => target,
});
