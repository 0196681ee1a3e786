// Makes breakpoints over trace records from what a person writes: a name, a condition, a hit count, a log message.

import type { TraceKind } from '../../simulator/trace/records.ts';
import { parseExpression } from '../expression/parser.ts';
import { namesOf } from '../expression/syntax.ts';
import type { RecordFilter } from './filters.ts';
import { parseHitCondition } from './hits.ts';
import { parseLogMessage } from './log-message.ts';
import { kindsOf, parseNamedTarget, targetMatches } from './names.ts';
import type { RecordBreakpoint } from './table.ts';

export interface WrittenConditions {
  readonly condition?: string;
  readonly hitCondition?: string;
  readonly logMessage?: string;
}

/** What a call has only when it is done: a condition over these waits for the exit. */
const known = ['ret', 'reason', 'refusal', 'unimplemented'];

/** Throws UserError when a condition, count or message cannot be read. */
export function parseConditions(written: WrittenConditions) {
  return {
    condition: written.condition?.trim() ? parseExpression(written.condition) : null,
    hits: written.hitCondition?.trim() ? parseHitCondition(written.hitCondition) : null,
    log: written.logMessage ? parseLogMessage(written.logMessage) : null,
  };
}

/** `name` is one of names.ts, such as 'hypercall:mmuext_op.PIN_L4_TABLE'. Throws UserError. */
export function namedBreakpoint(id: number, name: string, written: WrittenConditions): RecordBreakpoint {
  const target = parseNamedTarget(name);
  const conditions = parseConditions(written);
  const used = [conditions.condition, ...(conditions.log?.expressions ?? [])].flatMap((e) => (e ? [...namesOf(e)] : []));
  const atExit = used.some((n) => known.includes(n));
  const kinds: readonly TraceKind[] = kindsOf(target, atExit);
  const isBroad = target.class === 'hypercall' && (target.name === null || target.operation === null);
  return { id, label: name, kinds, filter: null, isBroad, matches: (record) => targetMatches(target, record), ...conditions };
}

/** A breakpoint of an exception filter. Throws UserError. */
export function filterBreakpoint(id: number, filter: RecordFilter, condition?: string): RecordBreakpoint {
  const conditions = parseConditions(condition === undefined ? {} : { condition });
  return {
    id,
    label: `the filter '${filter.label}'`,
    kinds: filter.kinds,
    filter: filter.id,
    isBroad: true,
    matches: filter.matches,
    ...conditions,
  };
}
