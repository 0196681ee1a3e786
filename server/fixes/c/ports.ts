// in and out with a constant port of the PIC, PIT or a UART, as inline asm.

import { ruleOfPort } from '../../analysis/idioms.ts';
import { portOf } from '../../analysis/rules/port-io.ts';
import { asmOperand, byLetter } from './operands.ts';
import type { Family } from './statement.ts';

export const isData = (port: number): boolean => (port & 7) === 0;
export const isLineStatus = (port: number): boolean => (port & 7) === 5;
/** Transmitter and holding register empty: what a UART that is always ready says. */
export const READY = '0x60';
export const writeConsole = (value: string): string => `HYPERVISOR_console_io(CONSOLEIO_write, 1, &(char){ ${value.trim()} })`;

export const REMOVE: Readonly<Record<string, string>> = {
  'port-pic': 'Remove: events need no interrupt controller',
  'port-pit': 'Remove: timers are set with set_timer_op',
  'port-uart': 'Remove: the console needs no set-up',
};

export const portAccess: Family = ({ document, site, statement, instructions, names }) => {
  const [instruction] = instructions;
  if ((names !== 'in' && names !== 'out') || !instruction) return null;
  const port = portOf(instruction, site, document.macros.constants);
  const rule = port === null ? null : ruleOfPort(port);
  if (port === null || !rule) return null;
  if (names === 'out') {
    if (rule !== 'port-uart' || !isData(port)) return { remove: REMOVE[rule]! };
    const value = asmOperand(statement, instruction.operands[1], false) ?? byLetter(statement, 'a', false);
    return value && { title: 'Write with console_io', lines: [`${writeConsole(value.value)};`] };
  }
  const to = asmOperand(statement, instruction.operands[0], true) ?? byLetter(statement, 'a', true);
  return to && rule === 'port-uart' && isLineStatus(port)
    ? { title: 'Always ready: a console call does not wait', lines: [`${to.value.trim()} = ${READY};`] }
    : null;
};
