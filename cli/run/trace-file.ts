// --trace FILE: the machine's records as JSON lines, written in blocks. The first line names schema and version.

import { closeSync, openSync, writeSync } from 'node:fs';
import type { Machine } from '../../simulator/machine-types.ts';
import { exportHeader, exportRecord } from '../../simulator/trace/export.ts';
import type { TraceRecord } from '../../simulator/trace/records.ts';
import { reasonOf, UsageError } from '../io.ts';

const BLOCK = 1 << 16;

/** Starts writing; the returned function flushes and closes. Throws UsageError when the file cannot be made. */
export function traceToFile(machine: Machine, path: string): () => void {
  let fd: number;
  try {
    fd = openSync(path, 'w');
  } catch (error) {
    throw new UsageError(`cannot write the trace to ${path}: ${reasonOf(error)}.`);
  }
  let pending = `${exportHeader(machine.domain)}\n`;
  const flush = () => {
    if (pending) writeSync(fd, pending);
    pending = '';
  };
  const write = (record: TraceRecord) => {
    const line = exportRecord(record);
    if (line !== null) pending += `${line}\n`;
    if (pending.length > BLOCK) flush();
  };
  // What building the domain has left in the ring comes first.
  for (const record of machine.recent(Number.MAX_SAFE_INTEGER).records) write(record);
  const stop = machine.subscribe('all', write);
  return () => {
    stop();
    flush();
    closeSync(fd);
  };
}
