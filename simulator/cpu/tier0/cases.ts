// The list of interpreter cases: every definition in every form, width and condition, behind a few fixed ones.

import type { Width } from '../emit/expressions.ts';
import { DEFINITIONS } from '../isa/all.ts';
import type { Definition } from '../isa/definitions.ts';

/** Cases that are not instructions of their own. */
export const FixedCase = {
  header: 0,
  /** Goes on at the address in `immediate`: end of a block without a branch. */
  next: 1,
  /** Computes an address with segment base and address size, for the record after it. */
  address: 2,
  /** The same for a 64-bit absolute offset. */
  absolute: 3,
  secondPage: 4,
  /** Body in TypeScript. */
  rare: 5,
  /** Leaves to the engine at the address in `immediate`. */
  leave: 6,
  count: 7,
} as const;

export interface Case {
  readonly definition: Definition;
  readonly form: string;
  readonly w: Width;
  readonly sw: Width | 0;
  readonly cc: number;
}

const KIND_CODE: Record<string, number> = { r: 1, m: 2, i: 3 };

/** Number of an operand shape: two bits for each operand. */
export function shapeCode(form: string): number {
  let code = 0;
  for (let i = 0; i < form.length; i++) code |= KIND_CODE[form[i]!]! << (2 * i);
  return code;
}

export interface CaseList {
  readonly cases: readonly Case[];
  /** Number of the definition of a key. */
  readonly definitionIndex: ReadonlyMap<string, number>;
  /** Handler of a case, or 0. */
  handler(definition: number, shape: number, w: number, sw: number, cc: number): number;
}

const number = (definition: number, shape: number, w: number, sw: number, cc: number): number =>
  (((definition * 64 + shape) * 9 + w) * 9 + sw) * 16 + cc;

export function listCases(): CaseList {
  const cases: Case[] = [];
  const handlers = new Map<number, number>();
  const definitionIndex = new Map<string, number>();
  for (const definition of DEFINITIONS.values()) {
    const index = definitionIndex.size;
    definitionIndex.set(definition.key, index);
    for (const form of definition.forms)
      for (const w of definition.sizes)
        for (const sw of definition.sourceSizes) {
          if (sw > w) continue;
          for (let cc = 0; cc < (definition.conditional ? 16 : 1); cc++) {
            handlers.set(number(index, shapeCode(form), w, sw, cc), FixedCase.count + cases.length);
            cases.push({ definition, form, w, sw, cc });
          }
        }
  }
  return { cases, definitionIndex, handler: (...key) => handlers.get(number(...key)) ?? 0 };
}

export const caseName = (c: Case): string =>
  `${c.definition.key}${c.form && `.${c.form}`}.${8 * c.w}${c.sw ? `.${8 * c.sw}` : ''}${c.definition.conditional ? `.cc${c.cc}` : ''}`;
