// The one stream of records: makes them only for the classes that somebody wants, keeps the last ones in a bounded ring,
// hands them to subscribers and asks the stop predicate.

import type { CapturedCall } from './captured-call.ts';
import type { TraceKind, TraceRecord } from './records.ts';
import { TraceRing } from './ring.ts';

const ALL: readonly TraceKind[] = [
  'hypercall-entry',
  'hypercall',
  'event',
  'upcall',
  'exception',
  'emulate',
  'page-type',
  'grant',
  'xenstore',
  'domain',
  'log',
  'undecoded',
];

/** Kinds kept for `recent()` when nobody asked: not the very frequent ones. */
const RING_KINDS: ReadonlySet<TraceKind> = new Set([
  'hypercall',
  'event',
  'upcall',
  'exception',
  'grant',
  'xenstore',
  'domain',
  'log',
  'undecoded',
]);

type Body<K extends TraceKind> = Omit<Extract<TraceRecord, { kind: K }>, 'n' | 'icount' | 'kind'>;

interface Subscriber {
  readonly kinds: ReadonlySet<TraceKind>;
  readonly sink: (record: TraceRecord) => void;
}

export class Trace {
  private readonly ring: TraceRing;
  private readonly icount: () => number;
  private subscribers: Subscriber[] = [];
  private stopKinds: ReadonlySet<TraceKind> = new Set();
  private predicate: ((record: TraceRecord) => boolean) | null = null;
  private readonly wanted = new Set<TraceKind>();
  /** Kinds that have a subscriber or a stop predicate. */
  private readonly seen = new Set<TraceKind>();
  private next = 1;
  /** Records at which the machine has to stop, in order. */
  readonly stops: TraceRecord[] = [];

  constructor(icount: () => number, ringBytes: number) {
    this.icount = icount;
    this.ring = new TraceRing(ringBytes);
    this.recompute();
  }

  wants(kind: TraceKind): boolean {
    return this.wanted.has(kind);
  }

  /** True when the machine has to stop at this record. */
  emit<K extends TraceKind>(kind: K, body: Body<K>): boolean {
    if (!this.wanted.has(kind)) return false;
    const record = { n: this.next++, icount: this.icount(), kind, ...body } as unknown as TraceRecord;
    if (RING_KINDS.has(kind)) this.ring.push(record);
    for (const subscriber of this.subscribers) if (subscriber.kinds.has(kind)) subscriber.sink(record);
    if (!this.predicate || !this.stopKinds.has(kind) || !this.predicate(record)) return false;
    this.stops.push(record);
    return true;
  }

  /** Does somebody look at each record of this kind as it is made? */
  observed(kind: TraceKind): boolean {
    return this.seen.has(kind);
  }

  /** A hypercall at which nobody looks now: it is kept for recent(). */
  keepCall(call: CapturedCall): void {
    this.ring.pushCall(call, this.next++, this.icount());
  }

  subscribe(kinds: readonly TraceKind[] | 'all', sink: (record: TraceRecord) => void): () => void {
    const subscriber = { kinds: new Set(kinds === 'all' ? ALL : kinds), sink };
    this.subscribers = [...this.subscribers, subscriber];
    this.recompute();
    return () => {
      this.subscribers = this.subscribers.filter((other) => other !== subscriber);
      this.recompute();
    };
  }

  stopWhen(kinds: readonly TraceKind[], predicate: ((record: TraceRecord) => boolean) | null): void {
    this.stopKinds = new Set(predicate ? kinds : []);
    this.predicate = predicate;
    this.recompute();
  }

  recent(limit: number): { records: TraceRecord[]; dropped: number } {
    return this.ring.last(limit);
  }

  private recompute(): void {
    this.wanted.clear();
    this.seen.clear();
    for (const kind of ALL) {
      if (this.stopKinds.has(kind) || this.subscribers.some((s) => s.kinds.has(kind))) this.seen.add(kind);
      if (RING_KINDS.has(kind) || this.seen.has(kind)) this.wanted.add(kind);
    }
  }
}
