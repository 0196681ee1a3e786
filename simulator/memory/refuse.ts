// Makes refusals: the one way in which the hypervisor says no.

import type { ErrnoName } from '../../abi/errno.table.ts';
import type { FactValue, Refusal } from '../../abi/refusal.ts';

type Facts = Readonly<Record<string, FactValue>>;

export function refuse(errno: ErrnoName, rule: string, facts: Facts = {}, xenLine?: Refusal['xenLine']): Refusal {
  return xenLine ? { errno, rule, facts, xenLine } : { errno, rule, facts };
}

/** Adds one step of the way from the table the guest named down to the entry that is wrong: 'l3[510]'. */
export function throughSlot(refusal: Refusal, level: number, mfn: number, slot: number): Refusal {
  const path = Array.isArray(refusal.facts.path) ? (refusal.facts.path as FactValue[]) : [];
  return { ...refusal, facts: { ...refusal.facts, path: [`l${level} table 0x${mfn.toString(16)} slot ${slot}`, ...path] } };
}

export const hex = (value: number | bigint): string => `0x${value.toString(16)}`;
