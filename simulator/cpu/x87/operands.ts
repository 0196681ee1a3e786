// Memory operands of x87 instructions.

import { OperandKind as K } from '../../../x86/types.ts';
import { mask, type Store } from '../rare/context.ts';
import { fromMemory, fromSigned } from './convert.ts';
import type { Extended } from './extended.ts';
import { DOUBLE, SINGLE } from './round.ts';
import type { Unit } from './unit.ts';

/** Largest operand that is one number; what is larger is an area of words, each aligned for itself. */
const LARGEST_NUMBER = 10;

export const isMemory = (u: Unit): boolean => u.i.d.count > 0 && u.i.d.kind[0] === K.memory;

/** Up to 16 bytes of memory behind `offset`; null: stopped. */
export function readBytes(u: Unit, offset: number, size: number): bigint | null {
  const { c } = u;
  const { d } = u.i;
  let value = 0n;
  for (let at = 0; at < size; ) {
    const left = size - at;
    const step = left >= 8 ? 8 : left >= 4 ? 4 : left >= 2 ? 2 : 1;
    const part = c.readOperand(d, step, offset + at, size > LARGEST_NUMBER);
    if (part === null) return null;
    value |= part << BigInt(8 * at);
    at += step;
  }
  return value;
}
/** Checks a store of `size` bytes; null: stopped. Then `commit` carries it out. */
export function prepareBytes(u: Unit, size: number): Store[] | null {
  const { c } = u;
  const { d } = u.i;
  const stores: Store[] = [];
  for (let at = 0; at < size; at += 8) {
    const store = c.prepareOperand(d, Math.min(8, size - at), at, size > LARGEST_NUMBER);
    if (!store) return null;
    stores.push(store);
  }
  return stores;
}
/** True when decoded code was hit. */
export function commitBytes(u: Unit, stores: readonly Store[], value: bigint): boolean {
  let hit = false;
  stores.forEach((s, n) => {
    hit = u.c.commit(s, mask(s.size, value >> BigInt(64 * n))) || hit;
  });
  return hit;
}

/** The first field (`field` bytes) and the last byte of an area of memory are looked at before the rest: they say where a fault is
 * reported. False: stopped. */
export function reachEnds(u: Unit, size: number, field: 2 | 4, write: boolean): boolean {
  const { c } = u;
  const { d } = u.i;
  const reach = (offset: number, bytes: number): boolean =>
    (write ? c.prepareOperand(d, bytes, offset) : c.readOperand(d, bytes, offset)) !== null;
  return reach(0, field) && reach(size - 1, 1);
}

/** Single, double or, for the fi… forms, integer operand; null: stopped. */
export function readOperand(u: Unit, integer: boolean): Extended | null {
  const size = u.i.d.size[0]!;
  const bits = readBytes(u, 0, size);
  if (bits === null) return null;
  return integer ? fromSigned(bits, size) : fromMemory(size === 4 ? SINGLE : DOUBLE, bits);
}
