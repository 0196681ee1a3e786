// Guesses where an indirect jump or call goes: to the addresses in the table that it takes its target from. The code made of a guess
// compares, so a wrong one costs time only.

import { type Decoded, OperandKind as K } from '../../../x86/types.ts';
import type { Core } from '../core.ts';
import { bankOfFetch, cachedAt } from '../tlb.ts';
import type { Step } from './step.ts';

const MAX_ENTRIES = 48;
const MAX_TARGETS = 16;
const MAX_HASH_BITS = 6;
const FS = 4;

export interface Target {
  readonly lo: number;
  readonly hi: number;
}

/** Target of an indirect jump or call, to be told apart by these bits of it: (address >>> shift) & (slots.length - 1). */
export interface Hash {
  readonly shift: number;
  /** Number of the target for every value of those bits, -1 none. */
  readonly slots: readonly number[];
}

/** Bits that differ between all targets; null when few bits do not suffice. */
export function hashOf(targets: readonly Target[]): Hash | null {
  for (let bits = Math.ceil(Math.log2(targets.length)); bits <= MAX_HASH_BITS; bits++)
    for (let shift = 0; shift < 12; shift++) {
      const slots = new Array<number>(1 << bits).fill(-1);
      const fits = targets.every(({ lo }, i) => {
        const slot = (lo >>> shift) & (slots.length - 1);
        if (slots[slot] !== -1) return false;
        slots[slot] = i;
        return true;
      });
      if (fits) return { shift, slots };
    }
  return null;
}

/** The operand is an entry of a table at a fixed address. */
function isTableEntry(d: Decoded, operand: number, bytes: number): boolean {
  return d.kind[operand] === K.memory && d.base < 0 && d.index >= 0 && 1 << d.scale === bytes && d.segment < FS && d.addressSize === bytes;
}
/** The instruction that reads the target of the transfer which ends a block from a table; null: none in sight. */
function readerOf(steps: readonly Step[], bytes: number): Decoded | null {
  const { d } = steps[steps.length - 1]!;
  if (d.operandSize !== bytes) return null;
  if (d.kind[0] !== K.gpr) return isTableEntry(d, 0, bytes) ? d : null;
  for (let i = steps.length - 2; i >= 0; i--) {
    const { d: earlier, plan } = steps[i]!;
    if (earlier.kind[0] !== K.gpr || earlier.reg[0] !== d.reg[0]) continue;
    const loads = plan.c.definition.key === 'mov' && earlier.operandSize === bytes && isTableEntry(earlier, 1, bytes);
    return loads ? earlier : null;
  }
  return null;
}

/** Different addresses in the table from which the last of the steps takes its target, up to the first that `isCode` does not know.
 * `fetchTlb`: the instruction TLB in use; the table is read through the data TLB beside it, without changing it. */
export function tableTargets(
  core: Core,
  steps: readonly Step[],
  bits: 64 | 32,
  fetchTlb: number,
  isCode: (lo: number, hi: number) => boolean,
): Target[] {
  const bytes = bits / 8;
  const reader = readerOf(steps, bytes);
  if (!reader) return [];
  const { view } = core;
  const targets: Target[] = [];
  const start = reader.dispLo;
  const high = bits === 64 ? reader.dispHi : 0;
  for (let i = 0; i < MAX_ENTRIES && targets.length < MAX_TARGETS; i++) {
    const lo = (start + i * bytes) | 0;
    // The table may go on in the next page, but not over a border of 4 GiB.
    if (lo >>> 0 < start >>> 0 || (lo & 4095) + bytes > 4096) break;
    const at = cachedAt(core, bankOfFetch(fetchTlb), lo, high);
    if (at < 0) break;
    const target = { lo: view.getInt32(at, true), hi: bits === 64 ? view.getInt32(at + 4, true) : 0 };
    if (!isCode(target.lo, target.hi)) break;
    if (!targets.some((t) => t.lo === target.lo && t.hi === target.hi)) targets.push(target);
  }
  return targets;
}
