// Checks of request parameters that come from outside: wrong ones are the client's mistake and are told so.

import type { TraceKind } from '../simulator/trace/records.ts';
import { UserError } from './errors.ts';
import type { MachineHost } from './machine-host.ts';
import { parseInteger } from './numbers.ts';

const kinds: Readonly<Record<TraceKind, true>> = {
  'hypercall-entry': true,
  hypercall: true,
  event: true,
  upcall: true,
  exception: true,
  emulate: true,
  'page-type': true,
  grant: true,
  xenstore: true,
  domain: true,
  log: true,
  undecoded: true,
};

/** Record kinds, or 'all'. Throws UserError. */
export function checkKinds(given: unknown): readonly TraceKind[] | 'all' {
  if (given === 'all') return 'all';
  if (Array.isArray(given) && given.every((kind) => Object.hasOwn(kinds, kind))) return given as TraceKind[];
  throw new UserError(`"kinds" must be 'all' or a list of: ${Object.keys(kinds).join(', ')}.`);
}

/** The machine's first domain when absent. Throws UserError. */
export function checkDomain(host: MachineHost, given: unknown): number {
  if (given === undefined) return host.machine.domain;
  const ids = host.machine.domains().map(({ id }) => id);
  if (typeof given === 'number' && (given === host.machine.domain || ids.includes(given))) return given;
  const runs = ids.length > 1 ? `domains ${ids.join(', ')}` : `domain ${host.machine.domain}`;
  throw new UserError(`There is no domain ${given}; this machine runs ${runs}.`);
}

/** An address or register value, written as a `0x…` string. Throws UserError. */
export function checkAddress(given: unknown, name: string): bigint {
  const value = typeof given === 'string' ? parseInteger(given) : null;
  if (value === null) throw new UserError(`"${name}" must be a number written as a string, such as "0xffffffff80000000".`);
  return BigInt.asUintN(64, value);
}

/** A whole number in a range. Throws UserError. */
export function checkCount(given: unknown, name: string, least: number, most: number): number {
  if (Number.isInteger(given) && (given as number) >= least && (given as number) <= most) return given as number;
  throw new UserError(`"${name}" must be a whole number from ${least} to ${most}.`);
}
