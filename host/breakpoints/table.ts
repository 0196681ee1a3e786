// Every breakpoint of a machine: which addresses and record kinds to watch, and whether a hit stops.

import type { VirtualAddress } from '../../abi/address.ts';
import type { WatchedAccess, Watchpoint } from '../../simulator/machine-types.ts';
import type { TraceKind, TraceRecord } from '../../simulator/trace/records.ts';
import { UserError } from '../errors.ts';
import { holdsOnRecord } from '../expression/record-value.ts';
import type { Expression } from '../expression/syntax.ts';
import { type HitCondition, hitHolds } from './hits.ts';
import type { LogTemplate } from './log-message.ts';

interface Conditions {
  readonly id: number;
  /** What a person called it, for messages. */
  readonly label: string;
  readonly condition: Expression | null;
  readonly hits: HitCondition | null;
  /** With a log message a hit prints and never stops. */
  readonly log: LogTemplate | null;
}

export interface CodePlace {
  readonly domain: number;
  readonly address: VirtualAddress;
}

export interface CodeBreakpoint extends Conditions {
  readonly places: readonly CodePlace[];
}

export interface RecordBreakpoint extends Conditions {
  readonly kinds: readonly TraceKind[];
  readonly matches: (record: TraceRecord) => boolean;
  /** Id of the exception filter that it comes from; null for a named breakpoint. */
  readonly filter: string | null;
  /** It looks at records of several shapes: what its condition names may well be missing in most of them. */
  readonly isBroad: boolean;
}

/** Stops behind an instruction that accessed its memory. */
export interface DataBreakpoint extends Conditions {
  readonly domain: number;
  readonly address: VirtualAddress;
  readonly length: number;
  readonly access: Watchpoint['access'];
}

/** Evaluates over the stopped guest: conditions and log messages of code breakpoints. */
export interface GuestEvaluator {
  holds(expression: Expression, vcpu: number): boolean;
  text(expression: Expression, vcpu: number): string;
  recordText(expression: Expression, record: TraceRecord): string;
}

export interface BreakpointReporter {
  /** A condition that cannot be evaluated; said once for each breakpoint. */
  problem(text: string): void;
  log(text: string): void;
}

const keyOf = ({ domain, address }: CodePlace): string => `${domain} ${address}`;

export class BreakpointTable {
  private readonly code = new Map<string, readonly CodeBreakpoint[]>();
  private data: readonly DataBreakpoint[] = [];
  private readonly records = new Map<string, readonly RecordBreakpoint[]>();
  /** By domain and address. */
  private readonly byPlace = new Map<string, CodeBreakpoint[]>();
  private byKind = new Map<TraceKind, RecordBreakpoint[]>();
  /** Hits of a breakpoint since it was set. */
  private readonly counts = new WeakMap<Conditions, number>();
  private readonly complained = new WeakSet<Conditions>();
  private readonly evaluator: GuestEvaluator;
  private readonly reporter: BreakpointReporter;
  private readonly changed: () => void;

  constructor(evaluator: GuestEvaluator, reporter: BreakpointReporter, changed: () => void) {
    this.evaluator = evaluator;
    this.reporter = reporter;
    this.changed = changed;
  }

  /** Replaces the breakpoints of a group: a source file, 'functions', 'instructions'. */
  setCode(group: string, breakpoints: readonly CodeBreakpoint[]): void {
    this.code.set(group, breakpoints);
    this.byPlace.clear();
    for (const breakpoint of [...this.code.values()].flat())
      for (const place of breakpoint.places) {
        const there = this.byPlace.get(keyOf(place));
        if (there) there.push(breakpoint);
        else this.byPlace.set(keyOf(place), [breakpoint]);
      }
    this.changed();
  }

  /** Replaces the record breakpoints of a group: 'named', 'filters'. */
  setRecords(group: string, breakpoints: readonly RecordBreakpoint[]): void {
    this.records.set(group, breakpoints);
    const byKind = new Map<TraceKind, RecordBreakpoint[]>();
    for (const breakpoint of [...this.records.values()].flat())
      for (const kind of breakpoint.kinds) byKind.set(kind, [...(byKind.get(kind) ?? []), breakpoint]);
    this.byKind = byKind;
    this.changed();
  }

  /** Replaces the data breakpoints. */
  setData(breakpoints: readonly DataBreakpoint[]): void {
    this.data = breakpoints;
    this.changed();
  }

  watchpoints(): readonly Watchpoint[] {
    return this.data.map(({ id, domain, address, length, access }) => ({ id, domain, address, length, access }));
  }

  /** Ids of the data breakpoints that stop for these accesses of one instruction; counts a hit each, prints log messages. */
  hitData(vcpu: number, accesses: readonly WatchedAccess[]): number[] {
    const hit = new Set(accesses.map(({ id }) => id));
    return this.data.filter(({ id }) => hit.has(id)).flatMap((breakpoint) => (this.stops(breakpoint, vcpu) ? [breakpoint.id] : []));
  }

  /** Addresses to stop at, by domain. */
  addresses(): ReadonlyMap<number, ReadonlySet<VirtualAddress>> {
    const found = new Map<number, Set<VirtualAddress>>();
    for (const { places } of [...this.code.values()].flat())
      for (const { domain, address } of places) found.set(domain, (found.get(domain) ?? new Set()).add(address));
    return found;
  }

  kinds(): TraceKind[] {
    return [...this.byKind.keys()];
  }

  /** Ids of the breakpoints that stop here; counts the hit, prints log messages. */
  hitCode(vcpu: number, place: CodePlace): number[] {
    return (this.byPlace.get(keyOf(place)) ?? []).flatMap((breakpoint) => (this.stops(breakpoint, vcpu) ? [breakpoint.id] : []));
  }

  /** Whether a breakpoint over the stopped guest holds and is no log point. */
  private stops(breakpoint: Conditions, vcpu: number): boolean {
    const { condition, log } = breakpoint;
    if (condition && !this.holds(breakpoint, true, () => this.evaluator.holds(condition, vcpu))) return false;
    if (!this.countsHit(breakpoint)) return false;
    if (log) this.reporter.log(log.render((expression) => this.evaluator.text(expression, vcpu)));
    return log === null;
  }

  /** Breakpoints and filters that stop at this record. */
  hitRecord(record: TraceRecord): { readonly ids: readonly number[]; readonly filters: readonly string[] } {
    const ids: number[] = [];
    const filters: string[] = [];
    for (const breakpoint of this.byKind.get(record.kind) ?? []) {
      const { condition, log } = breakpoint;
      if (!breakpoint.matches(record)) continue;
      if (condition && !this.holds(breakpoint, !breakpoint.isBroad, () => holdsOnRecord(condition, record))) continue;
      if (!this.countsHit(breakpoint)) continue;
      if (log) this.reporter.log(log.render((expression) => this.evaluator.recordText(expression, record)));
      else if (breakpoint.filter !== null) filters.push(breakpoint.filter);
      else ids.push(breakpoint.id);
    }
    return { ids, filters };
  }

  private countsHit(breakpoint: Conditions): boolean {
    const hits = (this.counts.get(breakpoint) ?? 0) + 1;
    this.counts.set(breakpoint, hits);
    return hitHolds(breakpoint.hits, hits);
  }

  /** A condition that cannot be evaluated stops, so that a slip of the pen does not hide the hit; a broad one would stop at everything. */
  private holds(breakpoint: Conditions, stopsOnError: boolean, evaluate: () => boolean): boolean {
    try {
      return evaluate();
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      if (stopsOnError || !this.complained.has(breakpoint)) {
        this.complained.add(breakpoint);
        const then = stopsOnError ? 'so it stops here' : 'so it does not stop here';
        this.reporter.problem(`The condition of ${breakpoint.label} cannot be evaluated, ${then}: ${error.message}`);
      }
      return stopsOnError;
    }
  }
}
