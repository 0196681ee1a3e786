// Resident memory of this process, in MB, as the kernel counts it.

import { readFileSync } from 'node:fs';

export function memoryOf(pid: number | 'self' = 'self'): { residentMb: number; peakMb: number } {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const of = (name: string): number => Math.round(Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)?.[1]) / 1024);
  return { residentMb: of('VmRSS'), peakMb: of('VmHWM') };
}
