// The rules with a behaviour of their own; every other rule is its row in the catalogue.

import { intGate } from './int-gate.ts';
import { movToCr3 } from './mov-to-cr3.ts';
import { msr } from './msr.ts';
import { portIo } from './port-io.ts';
import type { Refine } from './refine.ts';
import { cli, sti } from './sti.ts';

export const REFINEMENTS: Readonly<Record<string, Refine>> = {
  'int-gate': intGate,
  'mov-to-cr3': movToCr3,
  'mov-from-cr3': movToCr3,
  'port-io': portIo,
  rdmsr: msr,
  wrmsr: msr,
  cli,
  sti,
};
