// Segment registers: loads through the host's descriptor tables, reads, far transfers, iret, descriptor probes.

import { type Decoded, OperandKind as K } from '../../../x86/types.ts';
import type { SegmentNumber } from '../engine-types.ts';
import * as L from '../layout.ts';
import { RareStatus, type RareStatusValue } from '../tier0/binding.ts';
import { FixedCase } from '../tier0/cases.ts';
import { mask, type RareBody, type RareContext, type Store } from './context.ts';
import { changeableFlags, mergeRflags } from './stack.ts';

const CS = 1;
const SS = 2;
const RSP = 4;

const pointerSize = (c: RareContext): number => (c.bits === 64 ? 8 : 4);
export const selectorOf = (c: RareContext, segment: number): number => c.core.i32[(L.SELECTOR >> 2) + segment]!;

function setSegment(c: RareContext, segment: number, selector: number, base: bigint, limit: number, attributes: number): void {
  const { i32, u64 } = c.core;
  u64[(L.SEGMENT_BASE >> 3) + segment] = base;
  i32[(L.SEGMENT_LIMIT >> 2) + segment] = limit | 0;
  i32[(L.SEGMENT_ATTRIBUTES >> 2) + segment] = attributes;
  i32[(L.SELECTOR >> 2) + segment] = selector;
}

/** A checked load that waits to be carried out; null: stopped. */
function prepareLoad(c: RareContext, segment: number, selector: number): (() => void) | null {
  if ((selector & ~3) === 0 && segment !== CS) {
    const cpl = c.core.i32[L.MODE_CPL >> 2]!;
    if (segment === SS && !(c.bits === 64 && cpl < 3 && (selector & 3) === cpl)) {
      c.stop(13, 0);
      return null;
    }
    // AMD's processors keep base and limit of a null fs or gs.
    const keep = c.core.model === 'amd' && segment >= 4 && c.bits === 64;
    return () =>
      setSegment(c, segment, selector, keep ? c.segmentBase(segment) : 0n, keep ? c.core.i32[(L.SEGMENT_LIMIT >> 2) + segment]! : 0, 0);
  }
  const load = c.core.host.loadSegment(c.core.current, segment as SegmentNumber, selector);
  if (!load.ok) {
    c.stop(load.vector, load.errorCode);
    return null;
  }
  return () => setSegment(c, segment, selector, load.cache.base, load.cache.limit, load.cache.attributes);
}

/** Type and limit of a 32-bit segment that is not flat, for the access of an address record. Source: Intel SDM volume 3, 5.3 to 5.5. */
export function checkSegment(c: RareContext): RareStatusValue {
  const { u8, i32, u64, view } = c.core;
  const p = c.record;
  const access = i32[(p + L.RECORD.link) >> 2]!;
  const size = access & 0xff;
  if (size === 0) return RareStatus.done;
  const segment = u8[p + L.RECORD.second]! >> 2;
  const refuse = (): RareStatusValue => c.stop(segment === SS ? 12 : 13, 0);
  const attributes = i32[(L.SEGMENT_ATTRIBUTES >> 2) + segment]!;
  // A null selector leaves no segment at all: #GP whichever register it is.
  if (!(attributes & 0x80)) return c.stop(13, 0);
  const code = (attributes & 8) !== 0;
  const writable = !code && (attributes & 2) !== 0;
  const readable = !code || (attributes & 2) !== 0;
  if (access & 256 ? !writable : !readable) return c.stop(13, 0);
  const limit = i32[(L.SEGMENT_LIMIT >> 2) + segment]! >>> 0;
  const last = offsetOf(p) + size - 1;
  const expandDown = !code && (attributes & 4) !== 0;
  const top = attributes & 0x4000 ? 0xffffffff : 0xffff;
  const inside = expandDown ? offsetOf(p) > limit && last <= top : last <= limit;
  return inside ? RareStatus.done : refuse();

  function offsetOf(record: number): number {
    const immediate = u64[(record + L.RECORD.immediate) >> 3]!;
    if (view.getUint16(record, true) === FixedCase.absolute) return Number(immediate & 0xffffffffn);
    const base = u64[(L.REG + u8[record + L.RECORD.base]!) >> 3]!;
    const index = u64[(L.REG + u8[record + L.RECORD.index]!) >> 3]! << BigInt(u8[record + L.RECORD.scale]!);
    const sum = base + index + BigInt(i32[(record + L.RECORD.displacement) >> 2]!);
    return Number(sum & immediate & 0xffffffffn);
  }
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
  const load = prepareLoad(c, segment, Number(v));
  if (!load) return RareStatus.stopped;
  load();
  castShadow(c, segment);
  c.modeChanged();
  return RareStatus.done;
};

const popSegment: RareBody = (c, i) => {
  const size = i.d.operandSize;
  const sp = c.reg(RSP, pointerSize(c));
  const v = c.read(c.stackLinear(sp), 2, true);
  if (v === null) return RareStatus.stopped;
  const load = prepareLoad(c, i.d.reg[0]!, Number(v));
  if (!load) return RareStatus.stopped;
  load();
  castShadow(c, i.d.reg[0]!);
  c.setReg(RSP, pointerSize(c), sp + BigInt(size));
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
  const store = c.prepareStore(c.address(d), size, c.usesStack(d));
  if (!store) return RareStatus.stopped;
  return c.done(c.commit(store, v));
}

const pushSegment: RareBody = (c, i) => {
  const size = i.d.operandSize;
  const sp = mask(pointerSize(c), c.reg(RSP, pointerSize(c)) - BigInt(size));
  // Intel's processors write the low half of a 32-bit slot only, AMD's all of it.
  const width = size === 4 && c.core.model === 'intel' ? 2 : size;
  const store = c.prepareStore(c.stackLinear(sp), width, true);
  if (!store) return RareStatus.stopped;
  const hit = c.commit(store, BigInt(selectorOf(c, i.d.reg[0]!)));
  c.setReg(RSP, pointerSize(c), sp);
  return c.done(hit);
};

const loadFar =
  (segment: number): RareBody =>
  (c, i) => {
    const { d } = i;
    const at = c.address(d);
    const offset = c.read(at, d.operandSize, c.usesStack(d));
    if (offset === null) return RareStatus.stopped;
    const selector = c.read(mask(c.bits === 64 ? 8 : 4, at + BigInt(d.operandSize)), 2, c.usesStack(d));
    if (selector === null) return RareStatus.stopped;
    const load = prepareLoad(c, segment, Number(selector));
    if (!load) return RareStatus.stopped;
    load();
    c.setReg(d.reg[0]!, d.operandSize, offset);
    c.modeChanged();
    return RareStatus.done;
  };

const isCode64 = (c: RareContext): boolean => (c.core.i32[(L.SEGMENT_ATTRIBUTES >> 2) + CS]! & 0x2000) !== 0;

/** After a load of cs: mode and privilege follow the descriptor and the selector. */
function enterCodeSegment(c: RareContext): void {
  const { i32 } = c.core;
  i32[L.MODE_BITS >> 2] = isCode64(c) ? 64 : 32;
  i32[L.MODE_CPL >> 2] = selectorOf(c, CS) & 3;
  c.modeChanged();
}

const iret: RareBody = (c, i) => {
  const size = i.d.operandSize;
  const width = pointerSize(c);
  const sp = c.reg(RSP, width);
  const cpl = c.core.i32[L.MODE_CPL >> 2]!;
  const values: bigint[] = [];
  const pop = (): bigint | null => {
    const v = c.read(c.stackLinear(mask(width, sp + BigInt(size * values.length))), size, true);
    if (v !== null) values.push(v);
    return v;
  };
  const rip = pop();
  const cs = rip === null ? null : pop();
  const flags = cs === null ? null : pop();
  if (rip === null || cs === null || flags === null) return RareStatus.stopped;
  const selector = Number(cs & 0xffffn);
  if ((selector & ~3) === 0 || (selector & 3) < cpl) return c.stop(13, selector & 0xfffc);
  const outer = (selector & 3) > cpl;
  let newSp = mask(width, sp + BigInt(3 * size));
  let loadStack: (() => void) | null = null;
  if (outer || c.bits === 64) {
    const top = pop();
    const ss = top === null ? null : pop();
    if (top === null || ss === null) return RareStatus.stopped;
    newSp = top;
    loadStack = prepareLoad(c, SS, Number(ss & 0xffffn));
    if (!loadStack) return RareStatus.stopped;
  }
  const change = changeableFlags(c, size);
  const loadCode = prepareLoad(c, CS, selector);
  if (!loadCode) return RareStatus.stopped;
  loadCode();
  loadStack?.();
  mergeRflags(c, flags, change);
  enterCodeSegment(c);
  if (c.bits === 64) c.setReg(RSP, 8, newSp);
  else c.setReg(RSP, 4, newSp);
  return c.moveTo(rip);
};

/** Far jump or call to selector:offset. */
function farTransfer(c: RareContext, selector: number, offset: bigint, size: number, call: boolean): RareStatusValue {
  if ((selector & ~3) === 0) return c.stop(13, 0);
  const load = prepareLoad(c, CS, selector);
  if (!load) return RareStatus.stopped;
  const stores: [Store, bigint][] = [];
  const width = pointerSize(c);
  let sp = c.reg(RSP, width);
  if (call)
    for (const v of [BigInt(selectorOf(c, CS)), c.next]) {
      sp = mask(width, sp - BigInt(size));
      const store = c.prepareStore(c.stackLinear(sp), size, true);
      if (!store) return RareStatus.stopped;
      stores.push([store, v]);
    }
  for (const [store, v] of stores) c.commit(store, v);
  if (call) c.setReg(RSP, width, sp);
  const cpl = c.core.i32[L.MODE_CPL >> 2]!;
  load();
  // A transfer to a conforming or same-level segment keeps the privilege level.
  c.core.i32[(L.SELECTOR >> 2) + CS] = (selector & ~3) | cpl;
  enterCodeSegment(c);
  return c.moveTo(c.bits === 64 ? offset : mask(4, offset));
}

const farPointer =
  (call: boolean): RareBody =>
  (c, i) =>
    farTransfer(c, i.d.imm2 & 0xffff, mask(i.d.operandSize, c.immediate(i.d)), i.d.operandSize, call);

const farMemory =
  (call: boolean): RareBody =>
  (c, i) => {
    const { d } = i;
    const at = c.address(d);
    const offset = c.read(at, d.operandSize, c.usesStack(d));
    if (offset === null) return RareStatus.stopped;
    const selector = c.read(mask(c.bits === 64 ? 8 : 4, at + BigInt(d.operandSize)), 2, c.usesStack(d));
    if (selector === null) return RareStatus.stopped;
    return farTransfer(c, Number(selector), offset, d.operandSize, call);
  };

const retFar: RareBody = (c, i) => {
  const size = i.d.operandSize;
  const width = pointerSize(c);
  const sp = c.reg(RSP, width);
  const at = (n: number): bigint => c.stackLinear(mask(width, sp + BigInt(n)));
  const rip = c.read(at(0), size, true);
  const cs = rip === null ? null : c.read(at(size), size, true);
  if (rip === null || cs === null) return RareStatus.stopped;
  const selector = Number(cs & 0xffffn);
  const cpl = c.core.i32[L.MODE_CPL >> 2]!;
  if ((selector & ~3) === 0 || (selector & 3) < cpl) return c.stop(13, selector & 0xfffc);
  const extra = i.d.count > 0 ? i.d.immLo & 0xffff : 0;
  let newSp = mask(width, sp + BigInt(2 * size + extra));
  let loadStack: (() => void) | null = null;
  if ((selector & 3) > cpl) {
    const top = c.read(at(2 * size + extra), size, true);
    const ss = top === null ? null : c.read(at(3 * size + extra), size, true);
    if (top === null || ss === null) return RareStatus.stopped;
    newSp = top + BigInt(extra);
    loadStack = prepareLoad(c, SS, Number(ss & 0xffffn));
    if (!loadStack) return RareStatus.stopped;
  }
  const loadCode = prepareLoad(c, CS, selector);
  if (!loadCode) return RareStatus.stopped;
  loadCode();
  loadStack?.();
  enterCodeSegment(c);
  c.setReg(RSP, c.bits === 64 ? 8 : 4, newSp);
  return c.moveTo(rip);
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
// System descriptor types that lar and lsl accept: in 64-bit mode LDT and 64-bit TSS (and call gates for lar).
const LAR_64 = (1 << 2) | (1 << 9) | (1 << 11) | (1 << 12);
const LSL_64 = (1 << 2) | (1 << 9) | (1 << 11);
const LAR_32 = LAR_64 | (1 << 1) | (1 << 3) | (1 << 4) | (1 << 5);
const LSL_32 = LSL_64 | (1 << 1) | (1 << 3);

const lar: RareBody = (c, i) => {
  const v = c.value(i.d, 1, 2);
  if (v === null) return RareStatus.stopped;
  const raw = visible(c, Number(v), c.bits === 64 ? LAR_64 : LAR_32);
  setZero(c, raw !== null);
  if (raw !== null) c.setReg(i.d.reg[0]!, i.d.operandSize, (raw >> 32n) & 0xffff00n);
  return RareStatus.done;
};
const lsl: RareBody = (c, i) => {
  const v = c.value(i.d, 1, 2);
  if (v === null) return RareStatus.stopped;
  const raw = visible(c, Number(v), c.bits === 64 ? LSL_64 : LSL_32);
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
  const store = raise && d.kind[0] === K.memory ? c.prepareStore(c.address(d), 2, c.usesStack(d)) : null;
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
  iret,
  'jmp-far': farPointer(false),
  'call-far': farPointer(true),
  'jmp-far-ind': farMemory(false),
  'call-far-ind': farMemory(true),
  'ret-far': retFar,
  lar,
  lsl,
  verr: verify(false),
  verw: verify(true),
  arpl,
};
