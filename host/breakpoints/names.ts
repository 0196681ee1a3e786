// The names of breakpoints over trace records: `hypercall:mmuext_op.PIN_L4_TABLE`, `event:VIRQ_TIMER`, `exception:#PF`,
// `emulate:cli`, each class also with `*`.

import { virqs } from '../../abi/constants/event.table.ts';
import { exceptionVectors } from '../../abi/constants/trap.table.ts';
import { findOperation, hypercallByName, hypercalls } from '../../abi/hypercalls.ts';
import type { ArgValue, TraceKind, TraceRecord } from '../../simulator/trace/records.ts';
import { UserError } from '../errors.ts';
import { parseInteger } from '../numbers.ts';
import { suggest } from './suggest.ts';

export type NamedTarget =
  | { readonly class: 'hypercall'; readonly name: string | null; readonly nr: number | null; readonly operation: string | null }
  | { readonly class: 'event'; readonly virq: string | null; readonly port: number | null }
  | { readonly class: 'exception'; readonly vector: number | null }
  | { readonly class: 'emulate'; readonly instruction: string | null };

const prefix = /^(hypercall|event|exception|emulate):/;

/** Whether a function breakpoint's name is one of these and not a function of the guest. */
export const isNamed = (name: string): boolean => prefix.test(name.trim());

/** Throws UserError that says which names exist. */
export function parseNamedTarget(text: string): NamedTarget {
  const trimmed = text.trim();
  const match = prefix.exec(trimmed);
  if (!match)
    throw new UserError(`'${text}' names no breakpoint; write 'hypercall:', 'event:', 'exception:' or 'emulate:' and a name or '*'.`);
  const rest = trimmed.slice(match[0].length).trim();
  if (!rest) throw new UserError(`'${text}' names nothing after '${match[0]}'; write a name or '*'.`);
  switch (match[1]) {
    case 'hypercall':
      return hypercallTarget(rest);
    case 'event':
      return eventTarget(rest);
    case 'exception':
      return { class: 'exception', vector: rest === '*' ? null : exceptionVector(rest) };
    default:
      return { class: 'emulate', instruction: rest === '*' ? null : rest.toLowerCase() };
  }
}

function hypercallTarget(rest: string): NamedTarget {
  if (rest === '*') return { class: 'hypercall', name: null, nr: null, operation: null };
  const number = parseInteger(rest);
  if (number !== null) return { class: 'hypercall', name: null, nr: Number(number), operation: null };
  const dot = rest.indexOf('.');
  const written = (dot < 0 ? rest : rest.slice(0, dot)).replace(/^(__)?HYPERVISOR_/i, '');
  const names = hypercalls().map((call) => call.name);
  const name = names.find((n) => n.toLowerCase() === written.toLowerCase());
  if (!name) throw new UserError(`There is no hypercall '${written}'${suggest(written, names)}`);
  const operation = dot < 0 ? '*' : rest.slice(dot + 1);
  if (operation === '*') return { class: 'hypercall', name, nr: null, operation: null };
  const exact = findOperation(`${name}.${operation}`)?.operation;
  if (exact) return { class: 'hypercall', name, nr: null, operation: exact.name };
  const table = hypercallByName(name)?.operations;
  if (!table) throw new UserError(`${name} has no operations; write hypercall:${name}.`);
  const bare = operation.toLowerCase().replace(table.prefix.toLowerCase(), '');
  const found = table.list.find((o) => o.name.toLowerCase() === bare);
  if (!found)
    throw new UserError(
      `${name} has no operation '${operation}'${suggest(
        operation,
        table.list.map((o) => o.name),
      )}`,
    );
  return { class: 'hypercall', name, nr: null, operation: found.name };
}

function eventTarget(rest: string): NamedTarget {
  if (rest === '*') return { class: 'event', virq: null, port: null };
  const port = /^(?:port\s*)?([0-9]+)$/i.exec(rest);
  if (port) return { class: 'event', virq: null, port: Number(port[1]) };
  const names = Object.keys(virqs);
  const virq = names.find((v) => v === rest.toUpperCase() || v === `VIRQ_${rest.toUpperCase()}`);
  if (!virq) throw new UserError(`There is no virtual interrupt '${rest}'${suggest(rest, names)} A port is written as its number.`);
  return { class: 'event', virq, port: null };
}

function exceptionVector(rest: string): number {
  const number = parseInteger(rest);
  if (number !== null && number >= 0n && number < 256n) return Number(number);
  const wanted = rest.replace(/^#/, '').toUpperCase();
  const found = Object.entries(exceptionVectors).find(([name]) => name.replace('#', '') === wanted);
  if (found) return found[1];
  throw new UserError(`There is no exception '${rest}'${suggest(rest, Object.keys(exceptionVectors))} A vector is written as its number.`);
}

/** The kinds of record that can match. `atExit`: a hypercall is looked at when it is done and has a `ret`. */
export function kindsOf(target: NamedTarget, atExit: boolean): readonly TraceKind[] {
  switch (target.class) {
    case 'hypercall':
      return [atExit ? 'hypercall' : 'hypercall-entry'];
    case 'event':
      return ['upcall'];
    case 'exception':
      return ['exception'];
    case 'emulate':
      return ['emulate'];
  }
}

/** A call as a record or the `calls` of a multicall show it. A batch of operations is written 'PIN_L4_TABLE+NEW_BASEPTR'. */
interface Call {
  readonly name: string;
  readonly operation: string | null;
  readonly args: { readonly [name: string]: ArgValue };
}

function callMatches(target: NamedTarget & { class: 'hypercall' }, call: Call): boolean {
  if (call.name === target.name && (target.operation === null || call.operation?.split('+').includes(target.operation))) return true;
  const inner = call.name === 'multicall' ? call.args.calls : null;
  return Array.isArray(inner) && inner.some((one) => callMatches(target, one as unknown as Call));
}

/** Whether the record is what the name stands for; kinds are filtered by kindsOf(). */
export function targetMatches(target: NamedTarget, record: TraceRecord): boolean {
  switch (target.class) {
    case 'hypercall':
      if (record.kind !== 'hypercall' && record.kind !== 'hypercall-entry') return false;
      if (target.nr !== null) return record.nr === target.nr;
      return target.name === null || callMatches(target, record);
    case 'event':
      if (record.kind !== 'upcall') return false;
      if (target.virq !== null) return record.virqs.includes(target.virq);
      return target.port === null || record.ports.includes(target.port);
    case 'exception':
      return record.kind === 'exception' && (target.vector === null || record.vector === target.vector);
    case 'emulate':
      if (record.kind !== 'emulate') return false;
      return (
        target.instruction === null ||
        record.instruction.toLowerCase().split(/\s/)[0] === target.instruction ||
        record.rule === target.instruction
      );
  }
}
