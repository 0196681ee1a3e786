// Instructions that end the run for the host to decide, and those that fault always.

import { FLAG } from '../isa/builder.ts';
import * as L from '../layout.ts';
import { RareStatus, type RareStatusValue } from '../tier0/status.ts';
import type { RareBody, RareContext } from './context.ts';

/** The instruction is done; the run ends. */
function exit(c: RareContext, kind: 'syscall' | 'sysenter' | 'interrupt' | 'hlt', vector = 0): RareStatusValue {
  c.core.stop.kind = kind;
  c.core.stop.vector = vector;
  c.core.u64[L.RIP >> 3] = c.next;
  return RareStatus.stopped;
}

/** Above CPL 0 the processor raises #GP(0); this engine has no guest at CPL 0 yet. */
const privileged: RareBody = (c, i) => {
  if (c.core.i32[L.MODE_CPL >> 2] !== 0) return c.stop(13, 0);
  c.code.raiseUndefined(i.key);
  return RareStatus.stopped;
};

export const TRAPS: Record<string, RareBody> = {
  privileged,
  // In long mode AMD's processors do not know it.
  sysexit: (c, i) => (c.core.model === 'amd' ? c.stop(6) : privileged(c, i)),
  hlt: (c) => (c.core.i32[L.MODE_CPL >> 2] === 0 ? exit(c, 'hlt') : c.stop(13, 0)),
  int: (c, i) => exit(c, 'interrupt', i.d.immLo & 0xff),
  int3: (c) => exit(c, 'interrupt', 3),
  int1: (c) => exit(c, 'interrupt', 1),
  into: (c) => (c.rflags & FLAG.o ? exit(c, 'interrupt', 4) : c.moveTo(c.next)),
  // In long mode Intel's processors know syscall in 64-bit code only, AMD's do not know sysenter at all.
  syscall: (c) => (c.core.model === 'intel' && c.bits === 32 ? c.stop(6) : exit(c, 'syscall')),
  sysenter: (c) => (c.core.model === 'amd' ? c.stop(6) : exit(c, 'sysenter')),
  undefined: (c) => c.stop(6),
  'too-long': (c) => c.stop(13, 0),
  unsupported: (c, i) => {
    c.code.raiseUndefined(i.key);
    return RareStatus.stopped;
  },
};
