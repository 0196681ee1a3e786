// Hands trace records to a subscriber in batches: a guest makes hundreds of thousands of them in a second, a view can draw
// some hundreds. What does not fit is counted, never silently lost.

import type { Machine } from '../simulator/machine-types.ts';
import type { HostClock } from './clock.ts';
import type { TracedRecord, TraceKind, TraceRecord } from './protocol.ts';

export interface TraceBatch {
  readonly records: readonly TracedRecord[];
  readonly dropped: number;
}

/** Wall time between two batches. */
const everyMs = 50;
export const defaultBatch = 500;
export const largestBatch = 10_000;

export class TraceFeed {
  private readonly machine: Machine;
  private readonly clock: HostClock;
  private readonly decorate: (record: TraceRecord) => TracedRecord;
  private readonly sink: (batch: TraceBatch) => void;
  private records: TracedRecord[] = [];
  private dropped = 0;
  private scheduled = false;
  private unsubscribe: (() => void) | null = null;

  constructor(machine: Machine, clock: HostClock, decorate: (record: TraceRecord) => TracedRecord, sink: (batch: TraceBatch) => void) {
    this.machine = machine;
    this.clock = clock;
    this.decorate = decorate;
    this.sink = sink;
  }

  /** Replaces the subscription. */
  subscribe(kinds: readonly TraceKind[] | 'all', batch = defaultBatch): void {
    this.end();
    const most = Math.min(Math.max(1, Math.trunc(batch)), largestBatch);
    this.unsubscribe = this.machine.subscribe(kinds, (record) => {
      if (this.records.length >= most) {
        this.dropped++;
        return;
      }
      this.records.push(this.decorate(record));
      if (!this.scheduled) this.schedule();
    });
  }

  /** Sends what there is at once: at a stop the view shall be up to date. */
  flush(): void {
    if (this.records.length === 0 && this.dropped === 0) return;
    const batch = { records: this.records, dropped: this.dropped };
    this.records = [];
    this.dropped = 0;
    this.sink(batch);
  }

  end(): void {
    this.unsubscribe?.();
    this.unsubscribe = null;
    this.flush();
  }

  private schedule(): void {
    this.scheduled = true;
    void this.clock.sleep(everyMs).done.then(() => {
      this.scheduled = false;
      this.flush();
    });
  }
}
