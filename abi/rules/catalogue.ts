// Look-up over both rule tables. Which table a rule came from is told by its type.

import { instructionRules } from './instructions.table.ts';
import { refusalRules } from './refusals.table.ts';
import type { InstructionRule, RefusalRule, Severity } from './rule.ts';

const rules = new Map<string, InstructionRule | RefusalRule>();
for (const rule of [...instructionRules, ...refusalRules]) {
  if (rules.has(rule.id)) throw new Error(`rule id ${rule.id} is in the tables twice`);
  rules.set(rule.id, rule);
}

/** The rule of that id, or null. */
export const findRule = (id: string): InstructionRule | RefusalRule | null => rules.get(id) ?? null;

/** All rules: those of instructions first, each table in its own order. */
export const allRules = (): readonly (InstructionRule | RefusalRule)[] => [...rules.values()];

const order: readonly Severity[] = ['refused', 'idiom', 'emulated', 'fault', 'silent'];

/** Is `severity` at or above `level` in silent > fault > emulated > idiom? */
export const atLeast = (severity: Severity, level: Severity): boolean => order.indexOf(severity) >= order.indexOf(level);
