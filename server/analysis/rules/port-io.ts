// in and out: a constant port names the device that is missing, and with it what takes its place.

import { findRule } from '../../../abi/rules/catalogue.ts';
import { classifyOperand } from '../../syntax/gas/operand.ts';
import type { Instruction, Operand } from '../../syntax/instruction.ts';
import { evaluate } from '../constants.ts';
import { ruleOfPort } from '../idioms.ts';
import type { Site } from '../site.ts';
import { constantOf } from './operand.ts';
import type { Refine } from './refine.ts';

/** The constant port of an in or out: an immediate, or an operand of the asm statement whose expression is constant. Null: not known here. */
export function portOf(instruction: Instruction, site: Site, constants: ReadonlyMap<string, string>): number | null {
  const port = instruction.mnemonic.startsWith('in') ? instruction.operands[1] : instruction.operands[0];
  // `inb $0x21` and `in 0x21` leave the accumulator out.
  const literal = constantOf(port ?? instruction.operands[0], site, constants);
  if (literal !== null || !port) return literal;
  const throughDx = port.text.includes('%dx') || /^\(?dx\)?$/.test(port.text);
  const dx = throughDx ? site.asm?.statement.operands.find(({ constraint, output }) => !output && /^N?d$/.test(constraint)) : undefined;
  return dx ? evaluate(dx.value, constants) : null;
}

/** What may stand between the load of dx and its use: straight code of instructions that write no dx unless they name it. */
const HARMLESS = /^(mov|or|and|xor|add|sub|inc|dec|test|cmp|nop|in|out)[bwlq]?$/;
const usesDx = ({ text }: Operand): boolean => /(?<!\w)[er]?d[xhl](?!\w)/i.test(text);

/** The constant that an instruction shortly before puts into dx, for `out %al, %dx`; null when it is not that plain. */
function portInDx(instruction: Instruction, site: Site, constants: ReadonlyMap<string, string>, text: string): number | null {
  if (!instruction.operands.some(usesDx)) return null;
  const before = site.asm
    ? site.asm.instructions.slice(
        0,
        site.asm.instructions.findIndex(({ start }) => start === instruction.start),
      )
    : straightBefore(text, instruction);
  for (const { mnemonic, operands } of before.reverse().slice(0, FARTHEST)) {
    if (!HARMLESS.test(mnemonic)) return null;
    if (/^(in|out)[bwl]?$/.test(mnemonic)) continue;
    const [to, from] = operands;
    if (to && usesDx(to)) return mnemonic.startsWith('mov') && /dx$/.test(to.register ?? '') ? constantOf(from, site, constants) : null;
  }
  return null;
}

const FARTHEST = 6;

/** The statements before an instruction of an assembly source, back to the last label, directive or line of the preprocessor. */
function straightBefore(text: string, { start, dialect }: Instruction): Pick<Instruction, 'mnemonic' | 'operands'>[] {
  const code = text
    .slice(Math.max(0, text.lastIndexOf('\n', Math.max(0, start - 400))), start)
    .replace(/\/\*.*?\*\/|\/\/[^\n]*|(?<=\S[ \t]*)#[^\n]*/gs, ' ');
  const found: Pick<Instruction, 'mnemonic' | 'operands'>[] = [];
  for (const statement of code.split(/[;\n]/)) {
    const match = /^\s*([a-z]\w*)(?:\s+([^:]*))?$/i.exec(statement);
    if (match) {
      const operands = (match[2] ?? '').split(',').map((operand) => classifyOperand(operand, dialect));
      found.push({ mnemonic: match[1]!.toLowerCase(), operands: dialect === 'att' ? operands.reverse() : operands });
    } else if (statement.trim() !== '') found.length = 0;
  }
  return found;
}

const DEVICES: Readonly<Record<string, string>> = { 'port-pic': 'PIC', 'port-pit': 'PIT', 'port-uart': 'UART' };

export const portIo: Refine = ({ instruction }, site, constants, text) => {
  const port = portOf(instruction, site, constants) ?? portInDx(instruction, site, constants, text);
  const rule = port === null ? null : ruleOfPort(port);
  const row = rule && findRule(rule);
  if (port === null || !rule || !row || !('replacement' in row)) return null;
  // 0x80 is the delay between two accesses: what was written there is of no interest.
  const device = port === 0x80 ? 'is the delay that programming a PIC or PIT needs' : `belongs to the ${DEVICES[rule]}`;
  const tail = port === 0x80 ? '' : ', which a PV guest does not have';
  return { message: `Port 0x${port.toString(16)} ${device}${tail}.`, replacement: row.replacement };
};
