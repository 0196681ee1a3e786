// How an operation on page types ends: done, refused, or stopped in the middle because the hypercall is to be continued.

import type { Refusal } from '../../abi/refusal.ts';

/** 'partial': the frame keeps what was done so far and goes on from there. 'untouched': nothing was done to it. */
export type Stop = 'partial' | 'untouched';

/** Null: done. */
export type Outcome = Refusal | Stop | null;

export const isStop = (outcome: Outcome): outcome is Stop => typeof outcome === 'string';
