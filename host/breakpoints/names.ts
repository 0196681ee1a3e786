// The names of breakpoints over trace records: `hypercall:mmuext_op.PIN_L4_TABLE`, `event:VIRQ_TIMER`, `exception:#PF`,
// `emulate:cli`, each class also with `*`.

import type { TraceKind, TraceRecord } from '../../simulator/trace/records.ts';
import { UserError } from '../errors.ts';
import { parseInteger } from '../numbers.ts';
import { exceptionNames, suggest } from './known-names.ts';

export type NamedTarget =
  | { readonly class: 'hypercall'; readonly name: string | null; readonly nr: number | null; readonly operation: string | null }
  | { readonly class: 'event'; readonly virq: string | null; readonly port: number | null }
  | { readonly class: 'exception'; readonly vector: number | null }
  | { readonly class: 'emulate'; readonly instruction: string | null };

/** What a name needs to know of the interface: supplied by abi/'s tables. */
export interface KnownHypercalls {
  /** Names of all hypercalls, in order of their numbers. */
  readonly names: readonly string[];
  /** Names of a call's sub-operations; null where it has none. */
  operations(name: string): readonly string[] | null;
  readonly virqs: readonly string[];
}

const prefix = /^(hypercall|event|exception|emulate):/;

/** Whether a function breakpoint's name is one of these and not a function of the guest. */
export const isNamed = (name: string): boolean => prefix.test(name.trim());

/** Throws UserError that says which names exist. */
export function parseNamedTarget(text: string, known: KnownHypercalls): NamedTarget {
  const trimmed = text.trim();
  const match = prefix.exec(trimmed);
  if (!match) throw new UserError(`'${text}' names no breakpoint; write hypercall:, event:, exception: or emulate: and a name or '*'.`);
  const rest = trimmed.slice(match[0].length).trim();
  if (!rest) throw new UserError(`'${text}' names nothing after '${match[0]}'; write a name or '*'.`);
  switch (match[1]) {
    case 'hypercall':
      return hypercallTarget(rest, known);
    case 'event':
      return eventTarget(rest, known);
    case 'exception':
      return { class: 'exception', vector: rest === '*' ? null : exceptionVector(rest) };
    default:
      return { class: 'emulate', instruction: rest === '*' ? null : rest.toLowerCase() };
  }
}

function hypercallTarget(rest: string, known: KnownHypercalls): NamedTarget {
  if (rest === '*') return { class: 'hypercall', name: null, nr: null, operation: null };
  const number = parseInteger(rest);
  if (number !== null) return { class: 'hypercall', name: null, nr: Number(number), operation: null };
  const dot = rest.indexOf('.');
  const written = dot < 0 ? rest : rest.slice(0, dot);
  const name = known.names.find((n) => n.toLowerCase() === written.replace(/^(__)?HYPERVISOR_/i, '').toLowerCase());
  if (!name) throw new UserError(`There is no hypercall '${written}'${suggest(written, known.names)}`);
  const operation = dot < 0 ? '*' : rest.slice(dot + 1);
  if (operation === '*') return { class: 'hypercall', name, nr: null, operation: null };
  const operations = known.operations(name);
  if (!operations) throw new UserError(`${name} has no operations; write hypercall:${name}.`);
  const found = operations.find((o) => o.toLowerCase() === operation.toLowerCase());
  if (!found) throw new UserError(`${name} has no operation '${operation}'${suggest(operation, operations)}`);
  return { class: 'hypercall', name, nr: null, operation: found };
}

function eventTarget(rest: string, known: KnownHypercalls): NamedTarget {
  if (rest === '*') return { class: 'event', virq: null, port: null };
  const port = /^(?:port\s*)?([0-9]+)$/i.exec(rest);
  if (port) return { class: 'event', virq: null, port: Number(port[1]) };
  const virq = known.virqs.find((v) => v === rest.toUpperCase() || v === `VIRQ_${rest.toUpperCase()}`);
  if (!virq) throw new UserError(`There is no virtual interrupt '${rest}'${suggest(rest, known.virqs)} A port is written as its number.`);
  return { class: 'event', virq, port: null };
}

function exceptionVector(rest: string): number {
  const number = parseInteger(rest);
  if (number !== null && number >= 0n && number < 256n) return Number(number);
  const wanted = rest.replace(/^#/, '').toUpperCase();
  const vector = exceptionNames.indexOf(wanted);
  const names = exceptionNames.filter((n) => n).map((n) => `#${n}`);
  if (vector < 0) throw new UserError(`There is no exception '${rest}'${suggest(`#${wanted}`, names)} A vector is written as its number.`);
  return vector;
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

/** Operations of a call that carries several: mmuext_op's array `ops`, each with its `cmd`. */
function hasOperation(record: TraceRecord & { kind: 'hypercall' | 'hypercall-entry' }, operation: string): boolean {
  if (record.operation === operation) return true;
  return Object.values(record.args).some(
    (arg) => Array.isArray(arg) && arg.some((op) => op !== null && typeof op === 'object' && Object.values(op).includes(operation)),
  );
}

/** Whether the record is what the name stands for; kinds are filtered by kindsOf(). */
export function targetMatches(target: NamedTarget, record: TraceRecord): boolean {
  switch (target.class) {
    case 'hypercall':
      if (record.kind !== 'hypercall' && record.kind !== 'hypercall-entry') return false;
      if (target.nr !== null) return record.nr === target.nr;
      if (target.name !== null && record.name !== target.name) return false;
      return target.operation === null || hasOperation(record, target.operation);
    case 'event':
      if (record.kind !== 'upcall') return false;
      if (target.virq !== null) return record.virqs.includes(target.virq);
      return target.port === null || record.ports.includes(target.port);
    case 'exception':
      return record.kind === 'exception' && (target.vector === null || record.vector === target.vector);
    case 'emulate':
      if (record.kind !== 'emulate') return false;
      return target.instruction === null || record.instruction.toLowerCase().split(/\s/)[0] === target.instruction || record.rule === target.instruction;
  }
}
