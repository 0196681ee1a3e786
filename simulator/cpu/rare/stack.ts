// popf, enter, pusha, popa.

import { FLAG } from '../isa/builder.ts';
import * as L from '../layout.ts';
import { RareStatus } from '../tier0/status.ts';
import { mask, type RareBody, type RareContext } from './context.ts';

const RSP = 4;
const RBP = 5;
const SS = 2;

/** Flags that popf and iret change: IF and IOPL only with the privilege for them, silently kept otherwise. */
export function changeableFlags(c: RareContext, operandSize: number): number {
  const cpl = c.core.i32[L.MODE_CPL >> 2]!;
  const iopl = (c.core.i32[L.SYSTEM_FLAGS >> 2]! >> 12) & 3;
  let change = 0x8d5 | FLAG.t | FLAG.d | FLAG.nt;
  if (operandSize > 2) change |= FLAG.ac | FLAG.id;
  if (cpl <= iopl) change |= FLAG.i;
  if (cpl === 0) change |= 3 << 12;
  return change;
}
export function mergeRflags(c: RareContext, v: bigint, change: number): void {
  c.setRflags((Number(v & 0xffffffffn) & change) | (c.rflags & ~change & ~FLAG.rf));
}

const popf: RareBody = (c, i) => {
  const size = i.d.operandSize;
  const sp = c.reg(RSP, c.stackSize);
  const v = c.readStack(sp, size);
  if (v === null) return RareStatus.stopped;
  mergeRflags(c, v, changeableFlags(c, size));
  c.setReg(RSP, c.stackSize, sp + BigInt(size));
  return RareStatus.done;
};

/** Words are stored one by one, as processors do: a fault leaves those below the stack pointer, and registers as they were. */
const enter: RareBody = (c, i) => {
  const size = i.d.operandSize;
  const level = i.d.imm2 & 31;
  const width = c.stackSize;
  let sp = c.reg(RSP, width);
  let frame = c.reg(RBP, width);
  const push = (v: bigint): boolean => {
    sp = mask(width, sp - BigInt(size));
    const store = c.prepareStack(sp, size);
    if (store) c.commit(store, v);
    return store !== null;
  };
  if (!push(c.reg(RBP, size))) return RareStatus.stopped;
  // With a 16-bit stack the upper half of esp goes along.
  const newFrame = c.bits === 64 ? sp : (c.reg(RSP, 4) & ~mask(width, -1n)) | sp;
  if (level > 0) {
    for (let n = 1; n < level; n++) {
      frame = mask(width, frame - BigInt(size));
      const v = c.readStack(frame, size);
      if (v === null || !push(v)) return RareStatus.stopped;
    }
    if (!push(newFrame)) return RareStatus.stopped;
  }
  sp = mask(width, sp - BigInt(i.d.immLo & 0xffff));
  // The processor checks that the new top of the stack can be written.
  const last = mask(width, sp + BigInt(size - 1));
  if (!c.allows(SS, sp, size, true)) return RareStatus.stopped;
  if (!c.probe(c.stackLinear(sp), true, true) || !c.probe(c.stackLinear(last), true, true)) return RareStatus.stopped;
  c.setReg(RBP, size === 2 ? 2 : c.bits === 64 ? 8 : 4, newFrame);
  c.setReg(RSP, width, sp);
  return RareStatus.done;
};

/** Words are stored one by one here too. */
const pusha: RareBody = (c, i) => {
  const size = i.d.operandSize;
  const width = c.stackSize;
  const start = c.reg(RSP, width);
  let hit = false;
  for (let n = 0; n < 8; n++) {
    const store = c.prepareStack(mask(width, start - BigInt(size * (n + 1))), size);
    if (!store) return RareStatus.stopped;
    hit = c.commit(store, c.reg(n, size)) || hit;
  }
  c.setReg(RSP, width, start - BigInt(8 * size));
  return c.done(hit);
};

/** Registers are written one by one, as processors do: a fault leaves those already popped. */
const popa: RareBody = (c, i) => {
  const size = i.d.operandSize;
  const width = c.stackSize;
  const start = c.reg(RSP, width);
  for (let n = 0; n < 8; n++) {
    const v = c.readStack(mask(width, start + BigInt(size * n)), size);
    if (v === null) return RareStatus.stopped;
    if (7 - n !== RSP) c.setReg(7 - n, size, v);
  }
  c.setReg(RSP, width, start + BigInt(8 * size));
  return RareStatus.done;
};

export const STACK: Record<string, RareBody> = { popf, enter, pusha, popa };
