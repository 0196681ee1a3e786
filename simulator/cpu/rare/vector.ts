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

/** Bytes whose mask has its top bit go to [rdi]. All of the operand must be writable, whatever the mask is (the processor's choice, says
 * the manual; AMD's look at all of it); watchpoints see only the bytes that are stored. */
const maskedStore: RareBody = (c, i) => {
  if (c.core.i32[L.FPU_DISABLED >> 2]) return c.stop(DEVICE_NOT_AVAILABLE);
  const { d } = i;
  const mmx = d.kind[0] === K.mmx;
  if (mmx) {
    if (pendingX87(c)) return c.stop(MATH_FAULT);
    // The processor has made the x87 registers mmx registers when it finds that it may not store.
    enterMmx(c.core);
  }
  const { u8 } = c.core;
  const at = (n: number): number => (mmx ? L.MMX : L.XMM) + 16 * n;
  const value = at(d.reg[0]!);
  const select = at(d.reg[1]!);
  const segment = d.segment >= 0 ? d.segment : DS;
  const offset = mask(d.addressSize, c.reg(RDI));
  const va = c.linear(segment, offset);
  const size = mmx ? 8 : 16;
  if (!c.alignedTo(va, 8) || !c.allows(segment, offset, size, true) || !c.probe(va, true)) return RareStatus.stopped;
  const beyond = (va | 4095n) + 1n;
  if (va + BigInt(size) > beyond && !c.probe(BigInt.asUintN(c.bits, beyond), true)) return RareStatus.stopped;
  const stores: [Store, bigint][] = [];
  for (let n = 0; n < size; n++) {
    if (!(u8[select + n]! & 0x80)) continue;
    const store = c.prepareStore(BigInt.asUintN(c.bits, va + BigInt(n)), 1);
    if (!store) return RareStatus.stopped;
    stores.push([store, BigInt(u8[value + n]!)]);
  }
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
