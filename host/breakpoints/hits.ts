// Hit conditions as editors write them: `3` and `>= 3` stop from the third hit on, `== 3` at the third only, `% 10` at every tenth.

import { UserError } from '../errors.ts';

export type HitCondition = { readonly operator: '>=' | '>' | '==' | '<' | '<=' | '%'; readonly count: number };

export function parseHitCondition(text: string): HitCondition {
  const match = /^\s*(>=|<=|==|=|>|<|%)?\s*([0-9]+)\s*$/.exec(text);
  const count = match ? Number(match[2]) : 0;
  if (!match || !Number.isSafeInteger(count) || (match[1] === '%' && count === 0))
    throw new UserError(`'${text}' is not a hit count; write a number such as 3 (from the third hit on), '== 3', '> 3' or '% 10'.`);
  const operator = match[1] === '=' ? '==' : (match[1] ?? '>=');
  return { operator: operator as HitCondition['operator'], count };
}

/** `hits` counts from 1. */
export function hitHolds(condition: HitCondition | null, hits: number): boolean {
  if (!condition) return true;
  switch (condition.operator) {
    case '>=':
      return hits >= condition.count;
    case '>':
      return hits > condition.count;
    case '==':
      return hits === condition.count;
    case '<':
      return hits < condition.count;
    case '<=':
      return hits <= condition.count;
    case '%':
      return hits % condition.count === 0;
  }
}
