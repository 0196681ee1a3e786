// Values that parameters had at function entry, from the caller's call sites (DW_TAG_call_site, or its GNU form before DWARF 5).

import { AT, TAG } from './constants.table.ts';
import type { Die } from './die.ts';
import { type ExpressionContext, evaluateNumber } from './expression.ts';

function callSites(subprogram: Die): readonly Die[] {
  const found: Die[] = [];
  const pending = [subprogram];
  for (let die = pending.pop(); die; die = pending.pop()) {
    if (die.tag === TAG.call_site || die.tag === TAG.GNU_call_site) found.push(die);
    else pending.push(...die.children);
  }
  return found;
}

const sameBytes = (a: Uint8Array, b: Uint8Array): boolean => a.length === b.length && a.every((byte, i) => byte === b[i]);

/**
 * What `wanted` (usually a single register) held when the call that returns to `returnAddress` was made.
 * @param caller the function that contains the call; `context` is of its frame.
 * @throws Unavailable when the value cannot be computed in the caller's frame.
 */
export function valueAtEntry(caller: Die, returnAddress: bigint, wanted: Uint8Array, context: ExpressionContext): bigint | undefined {
  for (const site of callSites(caller)) {
    if ((site.address(AT.call_return_pc) ?? site.address(AT.low_pc)) !== returnAddress) continue;
    for (const parameter of site.children) {
      const location = parameter.block(AT.location);
      if (!location || !sameBytes(location, wanted)) continue;
      const value = parameter.block(AT.call_value) ?? parameter.block(AT.GNU_call_site_value);
      return value && evaluateNumber(value, context);
    }
  }
  return undefined;
}
