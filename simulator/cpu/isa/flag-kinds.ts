// Names of flags, and how the flags of the last operation are remembered.

import type { Node, Width } from '../emit/expressions.ts';

/** How flags are remembered: operands of the last operation, evaluated on demand. The flags of a logic result r are those of r - 0. */
export const FlagKind = {
  raw: 0, // f1: the flags themselves, in their places in rflags
  add: 1, // f1 result, f2 second operand
  sub: 2, // f1, f2 operands
  inc: 4, // f1 result, f2 carry before
  dec: 5,
  shl: 6, // f1 value, f2 count (not 0)
  shr: 7,
  sar: 8,
  imul: 9, // f1, f2 operands
} as const;
export type FlagKindName = keyof typeof FlagKind;
export const FLAG = {
  c: 1,
  p: 4,
  a: 16,
  z: 64,
  s: 128,
  t: 256,
  i: 512,
  d: 1024,
  o: 2048,
  nt: 1 << 14,
  rf: 1 << 16,
  ac: 1 << 18,
  id: 1 << 21,
} as const;
export const ARITHMETIC_FLAGS = 0x8d5;

export interface StaticFlags {
  readonly kind: number;
  readonly w: Width;
  readonly f1: Node;
  readonly f2: Node;
}
