// Compares outcomes field by field, after taking out what QEMU 7.2 is known to do otherwise than processors.

import { ARENA, GDT, LDT } from './arena.ts';
import type { Outcome } from './vectors.ts';
import { GPR } from './vectors.ts';

const RF = 0x10000;
const TF = 0x100;
const RSP = 4;
const SEGMENT_NAMES = ['ds', 'es', 'fs', 'gs'];

/** Far transfers in QEMU 7.2 do not mark the code segment's descriptor accessed, and reach for the stack as the supervisor, which the
 * error code of a page fault shows (Intel SDM volume 3, 3.4.5.1 and 4.7: both otherwise). `far` leaves these two out. */
export interface Leniency {
  readonly far?: boolean;
}
const ACCESSED = 1n << 40n;
const USER = 4;
const isDescriptor = (at: number): boolean => at >= GDT - ARENA && at < LDT - ARENA + 4096;

export function differences(qemu: Outcome, engine: Outcome, { far = false }: Leniency = {}): string[] {
  const out: string[] = [];
  const hex = (x: bigint | number): string => `0x${x.toString(16)}`;
  const look = (name: string, q: bigint | number, e: bigint | number): void => {
    if (q !== e) out.push(`${name}: QEMU ${hex(q)}, engine ${hex(e)}`);
  };
  // QEMU does not set RF in the flags that a fault saves (Intel SDM volume 3, 17.3.1.1: all faults but instruction breakpoints do),
  // and counts 16 bytes for a vector in the error code of a closed gate of long mode (6.13: the vector, from bit 3 on).
  const gate = qemu.vector === 13 && (qemu.error & 7) === 2;
  look('vector', qemu.vector, engine.vector);
  // Without the P bit, which comes with every reserved one (Intel SDM volume 3, 4.7).
  const reserved = qemu.vector === 14 && qemu.error & 8 ? 1 : 0;
  const privilege = far && qemu.vector === 14 ? USER : 0;
  look('error', gate ? ((qemu.error >> 4) << 3) | 2 : qemu.error | privilege | reserved, engine.error | privilege);
  // syscall clears the harness's choice of flags, TF among them.
  const flags = ~(engine.vector < 0x100 ? RF : RF | TF);
  look('rflags', qemu.rflags & flags, engine.rflags & flags);
  if (engine.vector < 0x100) look('cs', qemu.cs, engine.cs);
  // syscall and sysenter keep no selectors of the caller; sysenter neither address nor stack pointer.
  if (engine.vector < 0x100) look('ss', qemu.ss, engine.ss);
  if (engine.vector !== 0x102) look('rip', qemu.rip, engine.rip);
  GPR.forEach((name, n) => {
    if (n !== RSP || engine.vector !== 0x102) look(name, qemu.gpr[n]!, engine.gpr[n]!);
  });
  SEGMENT_NAMES.forEach((name, n) => {
    look(name, qemu.segments[n]!, engine.segments[n]!);
  });
  look('fs base', qemu.fsBase, engine.fsBase);
  look('gs base', qemu.gsBase, engine.gsBase);
  look('cr2', qemu.cr2, engine.cr2);
  look('dr6', qemu.dr6, engine.dr6);
  const changed = (o: Outcome): Map<number, bigint> => new Map(o.diffs);
  const [q, e] = [changed(qemu), changed(engine)];
  if (far) for (const [at, v] of e) if (isDescriptor(at) && v & ACCESSED && !q.has(at)) e.delete(at);
  for (const at of new Set([...q.keys(), ...e.keys()]))
    if (q.get(at) !== e.get(at)) out.push(`arena + ${hex(at)}: QEMU ${hex(q.get(at) ?? -1)}, engine ${hex(e.get(at) ?? -1)}`);
  return out;
}
