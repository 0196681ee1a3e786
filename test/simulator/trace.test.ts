// The trace: records in a bounded ring, filters at the source, export as JSON lines.

import { describe, expect, test } from 'vitest';
import { exportHeader, exportRecord } from '../../simulator/trace/export.ts';
import type { TraceRecord } from '../../simulator/trace/records.ts';
import { TraceRing } from '../../simulator/trace/ring.ts';
import { Trace } from '../../simulator/trace/trace.ts';

const record = (n: number, text = ''): TraceRecord => ({
  n,
  icount: n * 2 ** 33,
  domain: 1,
  vcpu: 0,
  kind: 'hypercall',
  nr: 26,
  name: 'mmuext_op',
  operation: null,
  args: { uops: [{ cmd: `x${text}`, mfn: '0x1234' }], negative: -5, half: 0.5, flag: true, off: false },
  ret: -16,
  reason: `ünïcode ${text}`,
});

describe('the ring', () => {
  test('gives back what was put in, oldest first', () => {
    const ring = new TraceRing(1 << 16);
    for (let n = 0; n < 10; n++) ring.push(record(n));
    expect(ring.last(100)).toEqual({ records: Array.from({ length: 10 }, (_, n) => record(n)), dropped: 0 });
    expect(ring.last(3)).toEqual({ records: [7, 8, 9].map((n) => record(n)), dropped: 7 });
  });

  test('never grows: the oldest records go, and are counted', () => {
    const ring = new TraceRing(4096);
    for (let n = 0; n < 1000; n++) ring.push(record(n, 'y'.repeat(n % 40)));
    const { records, dropped } = ring.last(Number.POSITIVE_INFINITY);
    expect(records.length).toBeGreaterThan(5);
    expect(dropped + records.length).toBe(1000);
    expect(records.at(-1)).toEqual(record(999, 'y'.repeat(39)));
    expect(records.map((r) => r.n)).toEqual(records.map((_, k) => dropped + k));
  });

  test('a record larger than the ring is dropped and counted', () => {
    const ring = new TraceRing(512);
    ring.push(record(0, 'z'.repeat(2000)));
    expect(ring.last(10)).toEqual({ records: [], dropped: 1 });
  });
});

describe('the stream', () => {
  test('numbers records from 1 and makes only those that somebody wants', () => {
    const trace = new Trace(() => 42, 1 << 16);
    expect(trace.wants('emulate')).toBe(false);
    expect(trace.emit('emulate', { domain: 1, vcpu: 0, instruction: 'cli', rule: 'cli', detail: null })).toBe(false);
    const seen: TraceRecord[] = [];
    const end = trace.subscribe(['emulate'], (r) => seen.push(r));
    trace.emit('emulate', { domain: 1, vcpu: 0, instruction: 'cli', rule: 'cli', detail: null });
    end();
    trace.emit('emulate', { domain: 1, vcpu: 0, instruction: 'sti', rule: 'sti', detail: null });
    expect(seen).toEqual([{ n: 1, icount: 42, domain: 1, vcpu: 0, kind: 'emulate', instruction: 'cli', rule: 'cli', detail: null }]);
  });

  test('stops at records that the predicate picks, in their order', () => {
    const trace = new Trace(() => 0, 1 << 16);
    trace.stopWhen(['domain'], (r) => r.kind === 'domain' && r.state === 'blocked');
    expect(trace.emit('domain', { domain: 1, vcpu: 0, state: 'running', reason: null })).toBe(false);
    expect(trace.emit('domain', { domain: 1, vcpu: 0, state: 'blocked', reason: null })).toBe(true);
    expect(trace.stops.map((r) => r.n)).toEqual([2]);
  });
});

test('an exported trace starts with schema and version, and leaves out what exists for breakpoints only', () => {
  expect(JSON.parse(exportHeader(1))).toEqual({
    n: 0,
    icount: 0,
    domain: 1,
    vcpu: 0,
    kind: 'trace',
    schema: 'hyperport-trace',
    version: 1,
  });
  expect(JSON.parse(exportRecord(record(3))!)).toEqual(record(3));
  expect(exportRecord({ ...record(3), kind: 'hypercall-entry' } as TraceRecord)).toBeNull();
});
