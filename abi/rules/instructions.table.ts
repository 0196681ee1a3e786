// The rules of instructions.

import type { InstructionRule } from './rule.ts';

export const instructionRules: readonly InstructionRule[] = [];
