// The interpreter's locals, and what both tiers call its helpers by.

import { I32, I64, type ValueType, type Width } from '../emit/expressions.ts';

export const LOG2: Record<Width, number> = { 1: 0, 2: 1, 4: 2, 8: 3 };

/** Locals of the interpreter function. */
export const P = 0;
export const CNT = 1;
export const TLB = 2;
export const PARAMETERS: readonly ValueType[] = [I32, I32, I32];
export const TARGET = 3; // i64: where a lookup goes
export const TEMPS_64 = 14;
export const LINK = TARGET + 1 + TEMPS_64; // i32: record field that may be linked to the block found, 0 none
export const TEMPS_32 = 18;
export const LOCALS = [
  [1 + TEMPS_64, I64],
  [1 + TEMPS_32, I32],
] as const;

export interface HelperSignature {
  readonly index: number;
  readonly result: ValueType;
}
