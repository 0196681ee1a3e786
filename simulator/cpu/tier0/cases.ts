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
  /** Address without index register: a cheaper twin of a frequent case. */
  readonly baseOnly?: boolean;
  /** A second instruction in the same case: cmp or test with the conditional jump behind it. Records stay as they are but for the
   * first one's handler number. */
  readonly then?: Case;
}

const KIND_CODE: Record<string, number> = { r: 1, m: 2, i: 3, x: 4, q: 5 };

/** Number of an operand shape: three bits for each operand. */
export function shapeCode(form: string): number {
  let code = 0;
  for (let i = 0; i < form.length; i++) code |= KIND_CODE[form[i]!]! << (3 * i);
  return code;
}

export interface CaseList {
  readonly cases: readonly Case[];
  /** MMX and SSE: a function of their own, with the handler numbers after those of `cases`. */
  readonly vectorCases: readonly Case[];
  /** Number of the definition of a key. */
  readonly definitionIndex: ReadonlyMap<string, number>;
  /** Handler of a case, or 0. */
  handler(definition: number, shape: number, w: number, sw: number, cc: number): number;
  /** Twin of a handler for addresses without index, or the handler itself. */
  readonly baseOnly: (handler: number) => number;
  /** Handler of two instructions in a row, or 0. */
  readonly fused: (first: number, second: number) => number;
  /** Handler of the first instruction of a fused pair; the handler itself for others. */
  readonly unfused: (handler: number) => number;
}

/** Frequent instructions with a memory operand. */
const BASE_ONLY = new Set(['mov', 'movzx', 'movsx', 'movsxd', 'cmp', 'test', 'add', 'sub', 'and', 'or', 'xor', 'lea']);
/** Conditions worth fusing: all but those on o and p. */
const FUSED_CONDITIONS = [2, 3, 4, 5, 6, 7, 8, 9, 12, 13, 14, 15];
const FUSED_SIZES: readonly Width[] = [1, 4, 8];

const number = (definition: number, shape: number, w: number, sw: number, cc: number): number =>
  (((definition * 512 + shape) * 9 + w) * 9 + sw) * 16 + cc;

/** Handlers by case number, open addressing: a lookup for every instruction decoded makes no garbage and calls nothing. */
function handlerTable(handlers: ReadonlyMap<number, number>): CaseList['handler'] {
  const bits = Math.ceil(Math.log2(handlers.size)) + 1;
  const last = (1 << bits) - 1;
  const shift = 32 - bits;
  const keys = new Int32Array(last + 1).fill(-1);
  const values = new Uint16Array(last + 1);
  for (const [key, handler] of handlers) {
    let at = Math.imul(key, 0x9e3779b1) >>> shift;
    while (keys[at] !== -1) at = (at + 1) & last;
    keys[at] = key;
    values[at] = handler;
  }
  return (definition, shape, w, sw, cc) => {
    const key = number(definition, shape, w, sw, cc);
    for (let at = Math.imul(key, 0x9e3779b1) >>> shift; ; at = (at + 1) & last) {
      if (keys[at] === key) return values[at]!;
      if (keys[at] === -1) return 0;
    }
  };
}

export function listCases(): CaseList {
  const cases: Case[] = [];
  const handlers = new Map<number, number>();
  const definitionIndex = new Map<string, number>();
  const vectors: Case[] = [];
  for (const definition of DEFINITIONS.values()) {
    const index = definitionIndex.size;
    definitionIndex.set(definition.key, index);
    if (definition.vector) {
      for (const form of definition.forms) for (const w of definition.sizes) vectors.push({ definition, form, w, sw: 0, cc: 0 });
      continue;
    }
    for (const form of definition.forms)
      for (const w of definition.sizes)
        for (const sw of definition.sourceSizes) {
          if (sw > w && !definition.narrows) continue;
          for (let cc = 0; cc < (definition.conditional ? 16 : 1); cc++) {
            handlers.set(number(index, shapeCode(form), w, sw, cc), FixedCase.count + cases.length);
            cases.push({ definition, form, w, sw, cc });
          }
        }
  }
  const twins = addTwins(cases);
  vectors.forEach((c, n) => {
    const index = definitionIndex.get(c.definition.key)!;
    handlers.set(number(index, shapeCode(c.form), c.w, 0, 0), FixedCase.count + cases.length + n);
  });
  return { cases, vectorCases: vectors, definitionIndex, handler: handlerTable(handlers), ...twins };
}

/** Appends the cheaper twins: addresses without index, then fused pairs. */
function addTwins(cases: Case[]): Pick<CaseList, 'baseOnly' | 'fused' | 'unfused'> {
  const baseOnly = new Map<number, number>();
  const fused = new Map<number, number>();
  const unfused = new Map<number, number>();
  const plain = [...cases.entries()].map(([i, c]) => [FixedCase.count + i, c] as const);
  const append = (c: Case): number => FixedCase.count + cases.push(c) - 1;
  for (const [handler, c] of plain)
    if (c.form.includes('m') && BASE_ONLY.has(c.definition.key)) baseOnly.set(handler, append({ ...c, baseOnly: true }));
  const jumps = plain.filter(([, c]) => c.definition.key === 'jcc' && c.w === 8 && FUSED_CONDITIONS.includes(c.cc));
  const jumps32 = plain.filter(([, c]) => c.definition.key === 'jcc' && c.w === 4 && FUSED_CONDITIONS.includes(c.cc));
  const fuse = (handler: number, c: Case): void => {
    for (const [second, then] of jumps) {
      const pair = append({ ...c, then });
      unfused.set(pair, handler);
      fused.set(handler * 65536 + second, pair);
      // Both modes decode the same pair: in 32-bit mode the jump's operand size is 4.
      const [second32] = jumps32.find(([, j]) => j.cc === then.cc)!;
      fused.set(handler * 65536 + second32, pair);
    }
  };
  for (const [handler, c] of plain) {
    const { key } = c.definition;
    if ((key !== 'cmp' && key !== 'test') || !FUSED_SIZES.includes(c.w)) continue;
    const twin = baseOnly.get(handler);
    if (twin === undefined) fuse(handler, c);
    else fuse(twin, cases[twin - FixedCase.count]!);
  }
  const twins = Uint16Array.from({ length: 65536 }, (_, handler) => baseOnly.get(handler) ?? handler);
  const fusible = new Uint8Array(65536);
  for (const handler of unfused.values()) fusible[handler] = 1;
  return {
    baseOnly: (handler) => twins[handler]!,
    fused: (first, second) => (fusible[first] === 0 ? 0 : (fused.get(first * 65536 + second) ?? 0)),
    unfused: (handler) => unfused.get(handler) ?? handler,
  };
}

export const caseName = (c: Case): string =>
  `${c.definition.key}${c.form && `.${c.form}`}.${8 * c.w}${c.sw ? `.${8 * c.sw}` : ''}${c.definition.conditional ? `.cc${c.cc}` : ''}${c.baseOnly ? '.base' : ''}${c.then ? `+${caseName(c.then)}` : ''}`;
