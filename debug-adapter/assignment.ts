// Setting what a person edits: registers, and variables that are in guest memory.

import { asVirtual, isCanonical } from '../abi/address.ts';
import { UserError } from '../host/errors.ts';
import { evaluateOnGuest, type GuestScope, numberOf } from '../host/expression/guest-value.ts';
import { parseExpression } from '../host/expression/parser.ts';
import type { MachineHost, RegisterName } from '../host/machine-host.ts';
import { hex } from '../host/numbers.ts';
import { Unavailable } from '../image/dwarf/expression.ts';
import type { Value } from '../image/value.ts';

const selectors: readonly string[] = ['cs', 'ss', 'ds', 'es', 'fs', 'gs'];
const addresses: readonly string[] = ['rip', 'fsBase', 'gsBase', 'gsBaseKernel', 'gsBaseUser'];

/** The number that a person wrote as the new value. */
const numberFor = (text: string, scope: GuestScope): bigint => numberOf(evaluateOnGuest(parseExpression(text), scope), 'The new value');

/** Throws UserError when the value is too wide for the register, or is no address where one is needed. */
export function assignRegister(host: MachineHost, vcpu: number, name: RegisterName, text: string, scope: GuestScope): void {
  const value = numberFor(text, scope);
  const bits = selectors.includes(name) ? 16 : host.machine.bits;
  if (value < -(1n << BigInt(bits - 1)) || value >= 1n << BigInt(bits))
    throw new UserError(`${text} does not fit into ${name}, which has ${bits} bits.`);
  const stored = BigInt.asUintN(bits, value);
  if (bits === 64 && addresses.includes(name) && !isCanonical(stored))
    throw new UserError(`${hex(stored)} is not canonical: bits 48 to 63 of an address in ${name} must equal bit 47.`);
  host.setRegister(vcpu, name, stored);
}

/** Throws UserError when the value does not fit, or the variable is not in memory that the debugger may write. */
export function assignValue(host: MachineHost, vcpu: number, target: Value, text: string, scope: GuestScope): void {
  host.mustBeStopped();
  let change: ReturnType<Value['bytesFor']>;
  try {
    change = target.bytesFor(numberFor(text, scope));
  } catch (error) {
    if (!(error instanceof Unavailable)) throw error;
    throw new UserError(`${target.name || 'This'} cannot be set: ${error.message}.`);
  }
  const { address, bytes } = change;
  // A value over two pages is written whole or not at all.
  const reachable = host.read(vcpu, address, bytes.length).length === bytes.length;
  const written = reachable ? host.machine.writeMemory(vcpu, asVirtual(address), bytes) : 0;
  if (written < bytes.length)
    throw new UserError(
      `${target.name || 'This'} cannot be set: ${hex(address)} is not mapped, or lies in a page table, which only hypercalls may change.`,
    );
}
