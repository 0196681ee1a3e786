// Makes refusals: the one way in which the hypervisor says no.

import type { ErrnoName } from '../../abi/errno.table.ts';
import type { FactValue, Refusal } from '../../abi/refusal.ts';

type Facts = Readonly<Record<string, FactValue>>;

export function refuse(errno: ErrnoName, rule: string, facts: Facts = {}, xenLine?: Refusal['xenLine']): Refusal {
  return xenLine ? { errno, rule, facts, xenLine } : { errno, rule, facts };
}

/** Adds a line that Xen prints after those so far. */
export function alsoPrints(refusal: Refusal, template: string, args: Readonly<Record<string, string>>): Refusal {
  const line = { template, args };
  if (!refusal.xenLine) return { ...refusal, xenLine: line };
  return { ...refusal, furtherXenLines: [...(refusal.furtherXenLines ?? []), line] };
}

/** Adds what Xen says where it wanted a reference to a frame that it names to others: base pointers, entries above level 1. */
export const noReference = (refusal: Refusal, mfn: number): Refusal =>
  refusal.rule === 'frame-not-yours' ? alsoPrints(refusal, 'no-page-ref', { mfn: frameText(mfn) }) : refusal;

/** Adds one step of the way from the table the guest named down to the entry that is wrong: 'l3[510]'. */
export function throughSlot(refusal: Refusal, level: number, mfn: number, slot: number): Refusal {
  const path = Array.isArray(refusal.facts.path) ? (refusal.facts.path as FactValue[]) : [];
  return { ...refusal, facts: { ...refusal.facts, path: [`l${level} table 0x${mfn.toString(16)} slot ${slot}`, ...path] } };
}

export const hex = (value: number | bigint): string => `0x${value.toString(16)}`;

/** A frame number, and a pseudo-physical one (-1 for none), as Xen prints them. */
export const frameText = (frame: number): string => (frame < 0 ? 'ffffffffffffffff' : frame.toString(16).padStart(5, '0'));

/** A number as C's `%#x` prints it. */
export const alternate = (value: number): string => (value === 0 ? '0' : `0x${value.toString(16)}`);
