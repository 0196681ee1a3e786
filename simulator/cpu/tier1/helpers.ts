// The functions that regions import: flags from operands in parameters, wide products, and floating point in TypeScript.

import { I32, I64 } from '../emit/expressions.ts';
import { assembleModule } from '../emit/module.ts';
import { ARITHMETIC, buildFunctions, type Helper, IMPORTS, writeCondition, writeEflags } from '../tier0/helpers.ts';
import type { HelperSignature } from '../tier0/locals.ts';

const FUNCTIONS: readonly Helper[] = [
  ...ARITHMETIC,
  /** Arithmetic flags in their places: (kind and width, first operand, second). */
  { name: 'eflags', params: [I32, I64, I64], result: I32, write: (h) => writeEflags(h, h.param(0), h.param(1), h.param(2)) },
  {
    name: 'condition',
    params: [I32, I64, I64, I32],
    result: I32,
    write: (h) => writeCondition(h, h.call('eflags', [h.param(0), h.param(1), h.param(2)]), 3),
  },
];
const FROM_ENGINE = IMPORTS.filter((f) => f.name === 'float' || f.name === 'enterMmx');

/** What a region's module imports, in order. */
export const REGION_IMPORTS = [...FROM_ENGINE, ...FUNCTIONS.map(({ name, params, result }) => ({ name, params, result }))];
export const REGION_HELPERS: ReadonlyMap<string, HelperSignature> = new Map(
  REGION_IMPORTS.map((f, index) => [f.name, { index, result: f.result }] as const),
);

/** The module with FUNCTIONS; it imports nothing but the memory. */
export function buildHelperModule(): Uint8Array {
  const own = new Map(FUNCTIONS.map((f, index) => [f.name, { index, result: f.result }] as const));
  return assembleModule([], buildFunctions(FUNCTIONS, own));
}
