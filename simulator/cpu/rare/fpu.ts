// Floating-point state that x87 and SSE share: MXCSR, fxsave and fxrstor. Kept in the layout of fxsave.

import * as L from '../layout.ts';
import type { RareInstruction } from '../records.ts';
import { RareStatus } from '../tier0/status.ts';
import type { RareBody, RareContext } from './context.ts';
import { writeResult } from './segments.ts';

const DEVICE_NOT_AVAILABLE = 7;
const { MXCSR } = L;
const MXCSR_MASK = 0xffff;

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

const ldmxcsr: RareBody = (c, i) => {
  const v = c.value(i.d, 0, 4);
  if (v === null) return RareStatus.stopped;
  if (Number(v) & ~MXCSR_MASK) return c.stop(13, 0);
  c.core.view.setUint32(MXCSR, Number(v), true);
  return RareStatus.done;
};

/** Bytes of the image that this mode's fxsave stores: xmm8 to xmm15 exist in 64-bit mode only. */
const IMAGE = 416;
/** The area's last byte is looked at first. */
const LAST = 511n;
const AREA = 512;
/** Addresses are sign-extended from here. */
const LINEAR_BITS = 57;
const POINTERS = 6;
const POINTERS_END = 24;
const isWide = (i: RareInstruction): boolean => i.d.operandSize === 8;
/** AMD's processors store the last x87 instruction's addresses only while an exception is pending; they load them always. */
const hasPointers = (view: DataView): boolean => (view.getUint16(2, true) & 0x80) !== 0;
function storePointers(c: RareContext, i: RareInstruction, image: DataView): void {
  if (!hasPointers(image)) for (let at = POINTERS; at < POINTERS_END; at += 2) image.setUint16(at, 0, true);
  else if (!isWide(i)) {
    image.setUint32(12, c.core.view.getUint16(L.FCS, true), true);
    image.setUint32(20, c.core.view.getUint16(L.FDS, true), true);
  }
}
/** The words as fxrstor takes them from an image, pending exception or not. */
function loadPointers(c: RareContext, i: RareInstruction, image: DataView): void {
  const { view } = c.core;
  image.setUint16(0, (image.getUint16(0, true) & 0x1f7f) | 0x40, true);
  const status = image.getUint16(2, true);
  image.setUint16(2, status & ~image.getUint16(0, true) & 0x3f ? status | 0x8080 : status & ~0x8080, true);
  image.setUint8(5, 0);
  image.setUint16(POINTERS, image.getUint16(POINTERS, true) & 0x7ff, true);
  view.setUint16(L.FCS, isWide(i) ? 0 : image.getUint16(12, true), true);
  view.setUint16(L.FDS, isWide(i) ? 0 : image.getUint16(20, true), true);
  if (isWide(i)) {
    for (const at of [8, 16]) image.setBigInt64(at, BigInt.asIntN(LINEAR_BITS, image.getBigInt64(at, true)), true);
    return;
  }
  image.setUint32(12, 0, true);
  image.setUint32(20, 0, true);
}

/** Where alignment is checked, a misaligned word comes before the misaligned area (AMD's processors). */
const FIELD = 4;
/** What a misaligned area raises: AMD's processors look first whether its address is canonical, which on the stack is #SS(0). */
function misaligned(c: RareContext, i: RareInstruction, va: bigint): number {
  const canonical = c.bits !== 64 || BigInt.asUintN(64, BigInt.asIntN(48, va)) === va;
  return !canonical && c.core.model === 'amd' && c.usesStack(i.d) ? 12 : 13;
}

const fxsave: RareBody = (c, i) => {
  const va = c.place(i.d, AREA, true);
  if (va === null || !c.alignedTo(va, FIELD, c.usesStack(i.d))) return RareStatus.stopped;
  if (va & 15n) return c.stop(misaligned(c, i, va), 0);
  const image = c.core.u8.slice(L.FXSAVE, L.FXSAVE + (c.bits === 64 ? IMAGE : IMAGE - 128));
  const view = new DataView(image.buffer);
  view.setUint32(28, MXCSR_MASK, true);
  storePointers(c, i, view);
  // Aligned to 16 it may still cross a page: both pieces are checked first.
  if (!c.probe(BigInt.asUintN(c.bits, va + LAST), true, c.usesStack(i.d))) return RareStatus.stopped;
  const stores = [];
  for (let n = 0; n < image.length; n += 8) {
    const store = c.prepareStore(BigInt.asUintN(c.bits, va + BigInt(n)), 8, c.usesStack(i.d), true);
    if (!store) return RareStatus.stopped;
    stores.push(store);
  }
  let hit = false;
  stores.forEach((s, n) => {
    hit = c.commit(s, view.getBigUint64(8 * n, true)) || hit;
  });
  return c.done(hit);
};
const fxrstor: RareBody = (c, i) => {
  const va = c.place(i.d, AREA, false);
  if (va === null || !c.alignedTo(va, FIELD, c.usesStack(i.d))) return RareStatus.stopped;
  if (va & 15n) return c.stop(misaligned(c, i, va), 0);
  if (!c.probe(BigInt.asUintN(c.bits, va + LAST), false, c.usesStack(i.d))) return RareStatus.stopped;
  const image = new Uint8Array(c.bits === 64 ? IMAGE : IMAGE - 128);
  const view = new DataView(image.buffer);
  for (let n = 0; n < image.length; n += 8) {
    const v = c.read(BigInt.asUintN(c.bits, va + BigInt(n)), 8, c.usesStack(i.d), true);
    if (v === null) return RareStatus.stopped;
    view.setBigUint64(n, v, true);
  }
  if (view.getUint32(24, true) & ~MXCSR_MASK) return c.stop(13, 0);
  view.setUint32(28, 0, true);
  loadPointers(c, i, view);
  c.core.u8.set(image, L.FXSAVE);
  return RareStatus.done;
};

const unsupported: RareBody = (c, i) => {
  c.code.raiseUndefined(i.key);
  return RareStatus.stopped;
};

export const FPU: Record<string, RareBody> = {
  ldmxcsr: fpu(ldmxcsr),
  stmxcsr: fpu((c, i) => writeResult(c, i.d, 0, 4, BigInt(c.core.view.getUint32(MXCSR, true)))),
  fxsave: fpu(fxsave),
  fxrstor: fpu(fxrstor),
  'fpu-unsupported': fpu(unsupported),
};
