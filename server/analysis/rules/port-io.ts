// in and out: a constant port names the device that is missing.

import type { Instruction } from '../../syntax/instruction.ts';
import { evaluate } from '../constants.ts';
import { ruleOfPort } from '../idioms.ts';
import type { Site } from '../site.ts';
import type { Refine } from './refine.ts';

/** The constant port of an in or out: an immediate, or a template operand whose expression is constant. Null: not known here. */
export function portOf(instruction: Instruction, site: Site, constants: ReadonlyMap<string, string>): number | null {
  const port = instruction.mnemonic.startsWith('in') ? instruction.operands[1] : instruction.operands[0];
  if (port?.kind === 'immediate') return evaluate(port.value ?? '', constants);
  const operands = site.asm?.statement.operands;
  if (!operands || !port) return null;
  const named = port.kind === 'template' ? operands.find(({ name }, i) => name === port.value || String(i) === port.value) : undefined;
  const dx =
    port.text.includes('%dx') || /^\(?dx\)?$/.test(port.text)
      ? operands.find(({ constraint, output }) => !output && /^N?d$/.test(constraint))
      : undefined;
  const value = (named ?? dx)?.value;
  return value === undefined ? null : evaluate(value, constants);
}

const DEVICES: Readonly<Record<string, string>> = { 'port-pic': 'PIC', 'port-pit': 'PIT', 'port-uart': 'UART' };

export const portIo: Refine = ({ instruction }, site, constants) => {
  const port = portOf(instruction, site, constants);
  const rule = port === null ? null : ruleOfPort(port);
  return rule ? { message: `Port 0x${port!.toString(16)} belongs to the ${DEVICES[rule]}, which a PV guest does not have.` } : null;
};
