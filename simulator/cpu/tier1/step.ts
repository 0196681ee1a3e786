// One instruction of a region as tier 1 translates it: the decoded fields, and what is known of its case.

import type { Decoded } from '../../../x86/types.ts';
import type { Insn } from '../isa/builder.ts';
import type { Case } from '../tier0/cases.ts';

/** How control leaves an instruction. */
export type Flow = 'none' | 'branch' | 'direct' | 'call' | 'return' | 'indirect';

/** What the code of a case does with flags, observed while generating it once. */
export interface Effects {
  /** Uses flags that it did not set itself. */
  readonly reads: boolean;
  /** Sets all of them, whatever the operands are. */
  readonly writes: boolean;
  /** May leave the region before it completes. */
  readonly exits: boolean;
}

export interface Plan {
  readonly c: Case;
  readonly insn: Insn;
  readonly flow: Flow;
  readonly effects: Effects;
}

export interface Step {
  readonly d: Decoded;
  readonly plan: Plan;
  readonly lo: number;
  readonly hi: number;
  /** Address of the instruction behind it. */
  readonly nextLo: number;
  readonly nextHi: number;
  /** Frame of the second page of an instruction over a page border, -1 for others. */
  readonly secondFrame: number;
}

/** A canonical or 32-bit address as an exact number. */
export const exact = (lo: number, hi: number): number => hi * 2 ** 32 + (lo >>> 0);
