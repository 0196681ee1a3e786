// Records as JSON lines. The first line names schema and version and has the fields of every record; the shape of the others is
// that of records.ts, whose numbers start at 1.

import type { TraceRecord } from './records.ts';

export const TRACE_SCHEMA = 'hyperport-trace';
export const TRACE_VERSION = 1;

/** The first line of an exported trace, without a newline. */
export const exportHeader = (domain: number): string =>
  JSON.stringify({ n: 0, icount: 0, domain, vcpu: 0, kind: 'trace', schema: TRACE_SCHEMA, version: TRACE_VERSION });

/** One record as one line, without a newline; null for records that are for breakpoints only (a call's exit record has it all). */
export const exportRecord = (record: TraceRecord): string | null => (record.kind === 'hypercall-entry' ? null : JSON.stringify(record));
