// Conditions and log messages of code breakpoints, over the guest as it stands at the breakpoint.

import type { Machine } from '../../simulator/machine-types.ts';
import type { GuestEvaluator } from '../breakpoints/table.ts';
import type { Guests } from '../guests.ts';
import type { GuestSymbols } from '../symbols/guest-symbols.ts';
import { memoryOf } from '../symbols/stack.ts';
import { evaluateOnGuest, type GuestScope, type GuestValue, numberOf } from './guest-value.ts';
import { evaluateOnRecord } from './record-value.ts';

/** One line: `4660 (0x1234)` for numbers, what the debug information makes of it for objects. */
export function guestText(value: GuestValue): string {
  if (value.kind === 'object') return value.value.text;
  const { number } = value;
  if (number < 0n) return `${number}`;
  return number < 10n ? `${number}` : `0x${number.toString(16)} (${number})`;
}

export function innermostScope(machine: Machine, symbols: GuestSymbols, vcpu: number): GuestScope {
  const frame = symbols.symbolizer.unwind(machine.registers(vcpu), memoryOf(machine, vcpu), 1)[0] ?? null;
  return { machine, symbols, vcpu, frame, inlineLevel: 0 };
}

export const guestEvaluator = (machine: Machine, guests: Guests): GuestEvaluator => ({
  holds: (expression, vcpu) =>
    numberOf(evaluateOnGuest(expression, innermostScope(machine, guests.ofVcpu(vcpu), vcpu)), 'The condition') !== 0n,
  text: (expression, vcpu) => guestText(evaluateOnGuest(expression, innermostScope(machine, guests.ofVcpu(vcpu), vcpu))),
  recordText: (expression, record) => {
    const value = evaluateOnRecord(expression, record);
    if (typeof value === 'bigint') return guestText({ kind: 'number', number: value, type: null });
    return typeof value === 'string' ? value : (JSON.stringify(value) ?? 'nothing');
  },
});
