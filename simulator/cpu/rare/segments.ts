// Segment registers: loads through the host's descriptor tables, reads, limits, descriptor probes.

import { type Decoded, OperandKind as K } from '../../../x86/types.ts';
import type { LoadReason, SegmentCache, SegmentNumber } from '../engine-types.ts';
import * as L from '../layout.ts';
import { FixedCase } from '../tier0/cases.ts';
import { RareStatus, type RareStatusValue } from '../tier0/status.ts';
import { mask, type RareBody, type RareContext } from './context.ts';

const CS = 1;
const SS = 2;
const RSP = 4;

export const selectorOf = (c: RareContext, segment: number): number => c.core.i32[(L.SELECTOR >> 2) + segment]!;

export function setSegment(c: RareContext, segment: number, selector: number, base: bigint, limit: number, attributes: number): void {
  const { i32, u64 } = c.core;
  u64[(L.SEGMENT_BASE >> 3) + segment] = base;
  i32[(L.SEGMENT_LIMIT >> 2) + segment] = limit | 0;
  i32[(L.SEGMENT_ATTRIBUTES >> 2) + segment] = attributes;
  i32[(L.SELECTOR >> 2) + segment] = selector;
}

/** A checked load that waits to be carried out. */
export interface PreparedLoad {
  readonly cache: SegmentCache;
  apply(): void;
}

/** Checks a load for the privilege level `cpl`; null: stopped. */
export function prepareLoad(c: RareContext, segment: number, selector: number, cpl: number, how: LoadReason = 'load'): PreparedLoad | null {
  const prepared = (cache: SegmentCache): PreparedLoad => ({
    cache,
    apply: () => setSegment(c, segment, selector, cache.base, cache.limit, cache.attributes),
  });
  if ((selector & ~3) === 0 && segment !== CS) {
    if (segment === SS && !(c.bits === 64 && cpl < 3 && (selector & 3) === cpl)) {
      c.stop(13, 0);
      return null;
    }
    // AMD's processors keep base and limit of a null fs or gs.
    const keep = c.core.model === 'amd' && segment >= 4 && c.bits === 64;
    return prepared({
      base: keep ? c.segmentBase(segment) : 0n,
      limit: keep ? c.core.i32[(L.SEGMENT_LIMIT >> 2) + segment]! >>> 0 : 0,
      attributes: 0,
    });
  }
  const load = c.core.host.loadSegment(c.core.current, segment as SegmentNumber, selector, cpl, how);
  if (load.ok) return prepared(load.cache);
  c.stop(load.vector, load.errorCode);
  return null;
}
const cplOf = (c: RareContext): number => c.core.i32[L.MODE_CPL >> 2]!;

/** Type and limit of a 32-bit segment that is not flat, for the access of an address record. */
export function checkSegment(c: RareContext): RareStatusValue {
  const { u8, i32, u64, view } = c.core;
  const p = c.record;
  const access = i32[(p + L.RECORD.link) >> 2]!;
  const size = access & 0xff;
  if (size === 0) return RareStatus.done;
  const segment = u8[p + L.RECORD.second]! >> 2;
  return c.allows(segment, offsetOf(p), size, (access & 256) !== 0) ? RareStatus.done : RareStatus.stopped;

  function offsetOf(record: number): bigint {
    const immediate = u64[(record + L.RECORD.immediate) >> 3]!;
    if (view.getUint16(record, true) === FixedCase.absolute) return immediate & 0xffffffffn;
    const base = u64[(L.REG + u8[record + L.RECORD.base]!) >> 3]!;
    const index = u64[(L.REG + u8[record + L.RECORD.index]!) >> 3]! << BigInt(u8[record + L.RECORD.scale]!);
    return (base + index + BigInt(i32[(record + L.RECORD.displacement) >> 2]!)) & immediate & 0xffffffffn;
  }
}
/** The same for a stack access: offset, size and kind lie in SCRATCH_READ. */
export function checkStack(c: RareContext): RareStatusValue {
  const access = c.core.i32[(L.SCRATCH_READ + 8) >> 2]!;
  return c.allows(SS, c.core.u64[L.SCRATCH_READ >> 3]!, access & 0xff, (access & 256) !== 0) ? RareStatus.done : RareStatus.stopped;
}

/** lea with an address size that is not the mode's. */
const lea: RareBody = (c, i) => {
  c.setReg(i.d.reg[0]!, i.d.operandSize, c.offset(i.d));
  return RareStatus.done;
};

/** mov ss and pop ss (lss does not) hold back interrupts and debug traps until the next instruction, which loads the stack pointer. */
function castShadow(c: RareContext, segment: number): void {
  if (segment === SS) c.core.i32[L.SHADOW >> 2] = 1;
}

const movToSegment: RareBody = (c, i) => {
  const { d } = i;
  const segment = d.reg[0]!;
  if (segment === CS || segment > 5) return c.stop(6);
  const v = c.value(d, 1, 2);
  if (v === null) return RareStatus.stopped;
  const load = prepareLoad(c, segment, Number(v), cplOf(c));
  if (!load) return RareStatus.stopped;
  load.apply();
  castShadow(c, segment);
  c.modeChanged();
  return RareStatus.done;
};

const popSegment: RareBody = (c, i) => {
  const size = i.d.operandSize;
  const sp = c.reg(RSP, c.stackSize);
  const v = c.readStack(sp, 2);
  if (v === null) return RareStatus.stopped;
  const load = prepareLoad(c, i.d.reg[0]!, Number(v), cplOf(c));
  if (!load) return RareStatus.stopped;
  load.apply();
  castShadow(c, i.d.reg[0]!);
  c.setReg(RSP, c.stackSize, sp + BigInt(size));
  c.modeChanged();
  return RareStatus.done;
};

const movFromSegment: RareBody = (c, i) => {
  const { d } = i;
  const v = BigInt(selectorOf(c, d.reg[1]!));
  return writeResult(c, d, 0, d.kind[0] === K.memory ? 2 : d.operandSize, v);
};

/** Stores a value to a register or memory operand. */
export function writeResult(c: RareContext, d: Decoded, i: number, size: number, v: bigint): RareStatusValue {
  if (d.kind[i] !== K.memory) {
    c.setReg(d.reg[i]!, size, v);
    return RareStatus.done;
  }
  const store = c.prepareOperand(d, size);
  if (!store) return RareStatus.stopped;
  return c.done(c.commit(store, v));
}

const pushSegment: RareBody = (c, i) => {
  const size = i.d.operandSize;
  const sp = mask(c.stackSize, c.reg(RSP, c.stackSize) - BigInt(size));
  // Intel's processors write the low half of a 32-bit slot only, AMD's all of it.
  const width = size === 4 && c.core.model === 'intel' ? 2 : size;
  const store = c.prepareStack(sp, width);
  if (!store) return RareStatus.stopped;
  const hit = c.commit(store, BigInt(selectorOf(c, i.d.reg[0]!)));
  c.setReg(RSP, c.stackSize, sp);
  return c.done(hit);
};

/** A far pointer in memory; null: stopped. */
export function readFarPointer(c: RareContext, d: Decoded): { readonly offset: bigint; readonly selector: number } | null {
  const offset = c.readOperand(d, d.operandSize);
  const selector = offset === null ? null : c.readOperand(d, 2, d.operandSize);
  return offset === null || selector === null ? null : { offset, selector: Number(selector) };
}

const loadFar =
  (segment: number): RareBody =>
  (c, i) => {
    const { d } = i;
    const pointer = readFarPointer(c, d);
    if (pointer === null) return RareStatus.stopped;
    const { offset, selector } = pointer;
    const load = prepareLoad(c, segment, selector, cplOf(c));
    if (!load) return RareStatus.stopped;
    load.apply();
    c.setReg(d.reg[0]!, d.operandSize, offset);
    c.modeChanged();
    return RareStatus.done;
  };

// ---- descriptor probes

const ZF = 64;
function setZero(c: RareContext, v: boolean): void {
  c.setArithmeticFlags((c.rflags & ~ZF) | (v ? ZF : 0));
}
/** Access rights word of a descriptor that may be seen at this privilege, else null. */
function visible(c: RareContext, selector: number, types: number): bigint | null {
  if ((selector & ~3) === 0) return null;
  const raw = c.core.host.readDescriptor(c.core.current, selector);
  if (raw === null) return null;
  const access = Number((raw >> 40n) & 0xffn);
  const system = (access & 0x10) === 0;
  if (system && !(types & (1 << (access & 15)))) return null;
  const conforming = (access & 0x1c) === 0x1c;
  const cpl = c.core.i32[L.MODE_CPL >> 2]!;
  const dpl = (access >> 5) & 3;
  if (!conforming && dpl < Math.max(cpl, selector & 3)) return null;
  return raw;
}
// System descriptor types that lar and lsl accept in long mode, 64-bit and 32-bit code alike: LDT and 64-bit TSS, for lar call
// gates too. Source: AMD APM volume 3, Intel SDM volume 2 (tables of lar and lsl).
const LAR_TYPES = (1 << 2) | (1 << 9) | (1 << 11) | (1 << 12);
const LSL_TYPES = (1 << 2) | (1 << 9) | (1 << 11);

const lar: RareBody = (c, i) => {
  const v = c.value(i.d, 1, 2);
  if (v === null) return RareStatus.stopped;
  const raw = visible(c, Number(v), LAR_TYPES);
  setZero(c, raw !== null);
  if (raw !== null) c.setReg(i.d.reg[0]!, i.d.operandSize, (raw >> 32n) & 0xffff00n);
  return RareStatus.done;
};
const lsl: RareBody = (c, i) => {
  const v = c.value(i.d, 1, 2);
  if (v === null) return RareStatus.stopped;
  const raw = visible(c, Number(v), LSL_TYPES);
  setZero(c, raw !== null);
  if (raw !== null) {
    const limit = (raw & 0xffffn) | ((raw >> 32n) & 0xf0000n);
    c.setReg(i.d.reg[0]!, i.d.operandSize, raw & (1n << 55n) ? (limit << 12n) | 0xfffn : limit);
  }
  return RareStatus.done;
};
const verify =
  (write: boolean): RareBody =>
  (c, i) => {
    const v = c.value(i.d, 0, 2);
    if (v === null) return RareStatus.stopped;
    const raw = visible(c, Number(v), 0);
    let ok = false;
    if (raw !== null) {
      const type = Number((raw >> 40n) & 15n);
      ok = write ? (type & 0xa) === 2 : (type & 8) === 0 || (type & 2) !== 0;
    }
    setZero(c, ok);
    return RareStatus.done;
  };

const arpl: RareBody = (c, i) => {
  const { d } = i;
  const source = c.operand(d, 1) & 3n;
  const v = c.value(d, 0, 2);
  if (v === null) return RareStatus.stopped;
  const raise = (v & 3n) < source;
  // Memory that would keep its value is not written.
  const store = raise && d.kind[0] === K.memory ? c.prepareOperand(d, 2) : null;
  if (raise && d.kind[0] === K.memory && !store) return RareStatus.stopped;
  setZero(c, raise);
  if (!raise) return RareStatus.done;
  const r = (v & ~3n) | source;
  if (store) return c.done(c.commit(store, r));
  c.setReg(d.reg[0]!, 2, r);
  return RareStatus.done;
};

export const SEGMENTS: Record<string, RareBody> = {
  lea,
  'mov-to-seg': movToSegment,
  'pop-seg': popSegment,
  'mov-from-seg': movFromSegment,
  'push-seg': pushSegment,
  les: loadFar(0),
  lss: loadFar(2),
  lds: loadFar(3),
  lfs: loadFar(4),
  lgs: loadFar(5),
  lar,
  lsl,
  verr: verify(false),
  verw: verify(true),
  arpl,
};
