// The functions of a unit by address, and the chain of inlined functions and blocks at an address.

import { AT, TAG } from './constants.table.ts';
import type { Die } from './die.ts';
import { type AddressRange, inRanges, rangesOf } from './ranges.ts';
import type { Unit } from './unit.ts';

export interface FunctionRange extends AddressRange {
  readonly die: Die;
}

const cache = new WeakMap<Unit, readonly FunctionRange[]>();

/** All out-of-line functions of a unit, sorted by address; those with several ranges (hot and cold parts) several times. */
export function functionsOf(unit: Unit): readonly FunctionRange[] {
  const known = cache.get(unit);
  if (known) return known;
  const found: FunctionRange[] = [];
  const pending: Die[] = [unit.tree()];
  for (let die = pending.pop(); die; die = pending.pop()) {
    if (die.tag === TAG.subprogram) for (const range of rangesOf(die)) found.push({ ...range, die });
    pending.push(...die.children);
  }
  found.sort((a, b) => (a.low < b.low ? -1 : a.low > b.low ? 1 : 0));
  cache.set(unit, found);
  return found;
}

/** The innermost function that covers an address. */
export function functionAt(unit: Unit, address: bigint): Die | undefined {
  let best: FunctionRange | undefined;
  for (const range of functionsOf(unit)) {
    if (range.low > address) break;
    if (address < range.high && (!best || range.high - range.low <= best.high - best.low)) best = range;
  }
  return best?.die;
}

/**
 * The scopes at an address, outermost first: the function, then inlined subroutines and lexical blocks inside it.
 */
export function scopesAt(subprogram: Die, address: bigint): readonly Die[] {
  const scopes = [subprogram];
  for (let current: Die | undefined = subprogram; current; ) {
    let next: Die | undefined;
    for (const child of current.children) {
      if ((child.tag === TAG.inlined_subroutine || child.tag === TAG.lexical_block) && inRanges(rangesOf(child), address)) {
        next = child;
        break;
      }
    }
    if (next) scopes.push(next);
    current = next;
  }
  return scopes;
}

/** The inlined subroutines at an address, outermost first (without the function itself). */
export const inlinedAt = (subprogram: Die, address: bigint): readonly Die[] =>
  scopesAt(subprogram, address).filter((die) => die.tag === TAG.inlined_subroutine);

/** Lowest address of a function or an inlined instance: DW_AT_entry_pc, else low_pc, else the first range. */
export function entryOf(die: Die): bigint | undefined {
  const entry = die.address(AT.entry_pc) ?? die.address(AT.low_pc);
  if (entry !== undefined) return entry;
  const ranges = rangesOf(die);
  const offset = die.integer(AT.entry_pc);
  if (ranges.length === 0) return undefined;
  return offset === undefined ? ranges[0]!.low : ranges[0]!.low + offset;
}

const withLists = new WeakMap<Unit, boolean>();

/**
 * Whether variables of a unit move during their life (location lists). Then the compiler describes them from a function's first
 * instruction on, and a breakpoint needs not skip the prologue; gdb decides by the same sign.
 */
export function hasLocationLists(unit: Unit): boolean {
  let known = withLists.get(unit);
  if (known === undefined) {
    const pending: Die[] = [unit.tree()];
    known = false;
    for (let die = pending.pop(); die && !known; die = pending.pop()) {
      const isVariable = die.tag === TAG.variable || die.tag === TAG.formal_parameter;
      known = isVariable && typeof die.attribute(AT.location)?.value === 'number';
      pending.push(...die.children);
    }
    withLists.set(unit, known);
  }
  return known;
}
