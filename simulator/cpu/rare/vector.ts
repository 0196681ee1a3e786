// MMX and SSE instructions with a body in TypeScript: masked stores, emms.

import { OperandKind as K } from '../../../x86/types.ts';

import { enterMmx, setTop } from '../float/mmx.ts';
import * as L from '../layout.ts';
import { RareStatus } from '../tier0/status.ts';
import { mask, type RareBody, type RareContext, type Store } from './context.ts';

const DEVICE_NOT_AVAILABLE = 7;
const MATH_FAULT = 16;
const RDI = 7;
const DS = 3;

const pendingX87 = (c: RareContext): boolean => (c.core.view.getUint16(L.FSW, true) & ~c.core.view.getUint16(L.FCW, true) & 0x3f) !== 0;

/** Bytes whose mask has its top bit go to [rdi]; bytes that are not stored are not accessed either. */
const maskedStore: RareBody = (c, i) => {
  if (c.core.i32[L.FPU_DISABLED >> 2]) return c.stop(DEVICE_NOT_AVAILABLE);
  const { d } = i;
  const mmx = d.kind[0] === K.mmx;
  if (mmx && pendingX87(c)) return c.stop(MATH_FAULT);
  const { u8 } = c.core;
  const base = mmx ? L.MMX : L.XMM;
  const turn = mmx ? (c.core.view.getUint16(L.FSW, true) >> 11) & 7 : 0;
  // Before the transition registers still lie in stack order.
  const at = (n: number): number => base + 16 * (mmx ? (n - turn) & 7 : n);
  const value = at(d.reg[0]!);
  const select = at(d.reg[1]!);
  const segment = d.segment >= 0 ? d.segment : DS;
  const offset = mask(d.addressSize, c.reg(RDI));
  const va = c.linear(segment, offset);
  if (!c.alignedTo(va, 8)) return RareStatus.stopped;
  const stores: [Store, bigint][] = [];
  for (let n = 0; n < (mmx ? 8 : 16); n++) {
    if (!(u8[select + n]! & 0x80)) continue;
    if (!c.allows(segment, offset + BigInt(n), 1, true)) return RareStatus.stopped;
    const store = c.prepareStore(BigInt.asUintN(c.bits, va + BigInt(n)), 1);
    if (!store) return RareStatus.stopped;
    stores.push([store, BigInt(u8[value + n]!)]);
  }
  if (mmx) enterMmx(c.core);
  let hit = false;
  for (const [store, v] of stores) hit = c.commit(store, v) || hit;
  return c.done(hit);
};

const emms: RareBody = (c) => {
  if (c.core.i32[L.FPU_DISABLED >> 2]) return c.stop(DEVICE_NOT_AVAILABLE);
  if (pendingX87(c)) return c.stop(MATH_FAULT);
  setTop(c.core, 0);
  c.core.u8[L.FTW] = 0;
  return RareStatus.done;
};

export const VECTOR: Record<string, RareBody> = { maskmovq: maskedStore, maskmovdqu: maskedStore, emms };
