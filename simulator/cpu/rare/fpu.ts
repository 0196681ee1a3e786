// State of the floating-point unit: control and status words, fxsave and fxrstor. Kept in the layout of fxsave.

import { OperandKind as K } from '../../../x86/types.ts';
import { setTop } from '../float/mmx.ts';
import * as L from '../layout.ts';
import { RareStatus } from '../tier0/binding.ts';
import type { RareBody, RareContext } from './context.ts';
import { writeResult } from './segments.ts';

const DEVICE_NOT_AVAILABLE = 7;
const MATH_FAULT = 16;
const FCW = L.FXSAVE;
const FSW = L.FXSAVE + 2;
const FTW = L.FXSAVE + 4; // abridged: one bit for each register that is not empty
const MXCSR = L.FXSAVE + 24;
const MXCSR_MASK = 0xffff;

const word = (c: RareContext, at: number): number => c.core.view.getUint16(at, true);
const setWord = (c: RareContext, at: number, v: number): void => c.core.view.setUint16(at, v, true);

/** #NM while the unit is disabled comes before everything else. */
const fpu =
  (body: RareBody): RareBody =>
  (c, i) =>
    c.core.i32[L.FPU_DISABLED >> 2] ? c.stop(DEVICE_NOT_AVAILABLE) : body(c, i);

/** The state after power-up and fninit. */
export function resetFpu(view: DataView, at: number): void {
  for (let i = 0; i < 512; i += 4) view.setInt32(at + i, 0, true);
  view.setUint16(at, 0x37f, true);
  view.setUint32(at + 24, 0x1f80, true);
}

const fninit: RareBody = (c) => {
  // Registers keep their contents, and the image counts them from the top of the stack.
  setTop(c.core, 0);
  setWord(c, FCW, 0x37f);
  setWord(c, FSW, 0);
  setWord(c, FTW, 0);
  for (let i = 6; i < 24; i += 2) setWord(c, L.FXSAVE + i, 0);
  return RareStatus.done;
};
const fnclex: RareBody = (c) => {
  setWord(c, FSW, word(c, FSW) & 0x7f00);
  return RareStatus.done;
};
/** An exception whose mask was taken away waits for the next x87 instruction. */
const pending = (c: RareContext): boolean => (word(c, FSW) & ~word(c, FCW) & 0x3f) !== 0;
const wait: RareBody = (c) => (pending(c) ? c.stop(MATH_FAULT) : RareStatus.done);

function updateSummary(c: RareContext): void {
  const status = word(c, FSW) & 0x7f7f;
  setWord(c, FSW, pending(c) ? status | 0x8080 : status);
}
const fldcw: RareBody = (c, i) => {
  if (pending(c)) return c.stop(MATH_FAULT);
  const v = c.value(i.d, 0, 2);
  if (v === null) return RareStatus.stopped;
  setWord(c, FCW, (Number(v) & 0x1f7f) | 0x40);
  updateSummary(c);
  return RareStatus.done;
};

const ldmxcsr: RareBody = (c, i) => {
  const v = c.value(i.d, 0, 4);
  if (v === null) return RareStatus.stopped;
  if (Number(v) & ~MXCSR_MASK) return c.stop(13, 0);
  c.core.view.setUint32(MXCSR, Number(v), true);
  return RareStatus.done;
};

/** Bytes of the image that this mode's fxsave stores: xmm8 to xmm15 exist in 64-bit mode only. */
const IMAGE = 416;
const fxsave: RareBody = (c, i) => {
  const va = c.address(i.d);
  if (va & 15n) return c.stop(13, 0);
  const image = c.core.u8.slice(L.FXSAVE, L.FXSAVE + (c.bits === 64 ? IMAGE : IMAGE - 128));
  new DataView(image.buffer).setUint32(28, MXCSR_MASK, true);
  // Aligned to 16 it may still cross a page: both pieces are checked first.
  const stores = [];
  for (let n = 0; n < image.length; n += 8) {
    const store = c.prepareStore(BigInt.asUintN(c.bits, va + BigInt(n)), 8, c.usesStack(i.d));
    if (!store) return RareStatus.stopped;
    stores.push(store);
  }
  const view = new DataView(image.buffer);
  let hit = false;
  stores.forEach((s, n) => {
    hit = c.commit(s, view.getBigUint64(8 * n, true)) || hit;
  });
  return c.done(hit);
};
const fxrstor: RareBody = (c, i) => {
  const va = c.address(i.d);
  if (va & 15n) return c.stop(13, 0);
  const image = new Uint8Array(c.bits === 64 ? IMAGE : IMAGE - 128);
  const view = new DataView(image.buffer);
  for (let n = 0; n < image.length; n += 8) {
    const v = c.read(BigInt.asUintN(c.bits, va + BigInt(n)), 8, c.usesStack(i.d));
    if (v === null) return RareStatus.stopped;
    view.setBigUint64(n, v, true);
  }
  if (view.getUint32(24, true) & ~MXCSR_MASK) return c.stop(13, 0);
  view.setUint32(28, 0, true);
  c.core.u8.set(image, L.FXSAVE);
  return RareStatus.done;
};

const unsupported: RareBody = (c, i) => {
  c.code.raiseUndefined(i.key);
  return RareStatus.stopped;
};

export const FPU: Record<string, RareBody> = {
  fninit: fpu(fninit),
  fnclex: fpu(fnclex),
  wait: fpu(wait),
  fldcw: fpu(fldcw),
  fnstcw: fpu((c, i) => writeResult(c, i.d, 0, 2, BigInt(word(c, FCW)))),
  fnstsw: fpu((c, i) => {
    if (i.d.kind[0] === K.memory) return writeResult(c, i.d, 0, 2, BigInt(word(c, FSW)));
    c.setReg(0, 2, BigInt(word(c, FSW)));
    return RareStatus.done;
  }),
  ldmxcsr: fpu(ldmxcsr),
  stmxcsr: fpu((c, i) => writeResult(c, i.d, 0, 4, BigInt(c.core.view.getUint32(MXCSR, true)))),
  fxsave: fpu(fxsave),
  fxrstor: fpu(fxrstor),
  'fpu-unsupported': fpu(unsupported),
};
