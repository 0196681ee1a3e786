// The locals of a region's function.

import { I32, I64, V128, type ValueType } from '../emit/expressions.ts';
import { VECTOR_LOCALS } from '../isa/vector-builder.ts';

/** Parameter: base of the TLB bank. */
export const TLB = 0;
/** Budget left, after all of the block under way. */
export const COUNT = 1;
/** What the function will return. */
export const STATUS = 2;
/** Kind of the flags, where it is not known while translating. */
export const FLAG_OP = 3;
/** The first of 16 general registers. */
export const REGISTERS = 4;
export const FLAG_1 = 20;
export const FLAG_2 = 21;
/** Where the guest goes on when the function returns. */
export const TARGET = 22;
export const FIRST_TEMP_64 = 23;
export const TEMPS_64 = 24;
export const FIRST_TEMP_32 = FIRST_TEMP_64 + TEMPS_64;
export const TEMPS_32 = 24;
export const FIRST_VECTOR = FIRST_TEMP_32 + TEMPS_32;

export const LOCALS: readonly (readonly [number, ValueType])[] = [
  [3, I32],
  [FIRST_TEMP_32 - REGISTERS, I64],
  [TEMPS_32, I32],
];
export const VECTOR_GROUP: readonly [number, ValueType] = [VECTOR_LOCALS, V128];
