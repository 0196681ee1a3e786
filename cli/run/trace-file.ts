// --trace FILE: the machine's records as JSON lines, written in blocks. The first line names schema and version.

import { closeSync, openSync, writeSync } from 'node:fs';
import type { Machine } from '../../simulator/machine-types.ts';
import { exportHeader, exportRecord } from '../../simulator/trace/export.ts';
import { UsageError } from '../io.ts';

const BLOCK = 1 << 16;

/** Starts writing; the returned function flushes and closes. Throws UsageError when the file cannot be made. */
export function traceToFile(machine: Machine, path: string): () => void {
  let fd: number;
  try {
    fd = openSync(path, 'w');
  } catch (error) {
    throw new UsageError(`cannot write the trace to ${path}: ${(error as { code?: string }).code ?? error}.`);
  }
  let pending = `${exportHeader()}\n`;
  const flush = () => {
    if (pending) writeSync(fd, pending);
    pending = '';
  };
  const stop = machine.subscribe('all', (record) => {
    const line = exportRecord(record);
    if (line !== null) pending += `${line}\n`;
    if (pending.length > BLOCK) flush();
  });
  return () => {
    stop();
    flush();
    closeSync(fd);
  };
}
