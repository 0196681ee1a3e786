// The locals of a function of regions.

import { I32, I64, V128, type ValueType } from '../emit/expressions.ts';
import { VECTOR_LOCALS } from '../isa/vector-builder.ts';

/** Parameter: base of the TLB bank. */
export const TLB = 0;
/** Parameter: which of the function's regions to run. */
export const ENTRY = 1;
/** Budget left, after all of the block under way. */
export const COUNT = 2;
/** What the function will return. */
export const STATUS = 3;
/** Kind of the flags, where it is not known while translating. */
export const FLAG_OP = 4;
export const FIRST_TEMP_32 = 5;
export const TEMPS_32 = 12;
/** The first of 16 general registers. */
export const REGISTERS = FIRST_TEMP_32 + TEMPS_32;
export const FLAG_1 = REGISTERS + 16;
export const FLAG_2 = FLAG_1 + 1;
/** Address of an indirect transfer. */
export const TARGET = FLAG_2 + 1;
export const FIRST_TEMP_64 = TARGET + 1;
export const TEMPS_64 = 24;
export const FIRST_VECTOR = FIRST_TEMP_64 + TEMPS_64;

/** The locals behind the parameters. V8 compiles faster the fewer there are, so the last ones are there where they are used only. */
export function localGroups(temps64: number, vector: boolean): readonly (readonly [number, ValueType])[] {
  const plain = [
    [REGISTERS - COUNT, I32],
    [FIRST_TEMP_64 - REGISTERS + (vector ? TEMPS_64 : temps64), I64],
  ] as const;
  return vector ? [...plain, [VECTOR_LOCALS, V128]] : plain;
}
