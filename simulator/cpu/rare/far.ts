// Transfers to another code segment: far jumps, calls and returns, iret. Privilege may stay or, by a return, drop; what a gate
// would do is the host's (its loadSegment refuses the selector). Order of the checks as AMD's processors make them: the code
// segment, the instruction pointer, the stack segment. Source: Intel SDM volume 2, AMD APM volume 3, host processor.

import type { SegmentCache } from '../engine-types.ts';
import { FLAG } from '../isa/builder.ts';
import * as L from '../layout.ts';
import { RareStatus, type RareStatusValue } from '../tier0/status.ts';
import { mask, type RareBody, type RareContext, type Store } from './context.ts';
import { type PreparedLoad, prepareLoad, readFarPointer, selectorOf, setSegment } from './segments.ts';
import { changeableFlags, mergeRflags } from './stack.ts';

const CS = 1;
const SS = 2;
const RSP = 4;
const USER = 3;
const DATA_REGISTERS = [0, 3, 4, 5] as const;
const LONG = 0x2000;
const BIG = 0x4000;
const CONFORMING_CODE = 0x0c;

const cplOf = (c: RareContext): number => c.core.i32[L.MODE_CPL >> 2]!;
const isCanonical = (v: bigint): boolean => BigInt.asUintN(64, BigInt.asIntN(48, v)) === v;

/** Can code of this segment be at `rip`? False: stopped. */
function reachable(c: RareContext, cs: SegmentCache, rip: bigint): boolean {
  if (cs.attributes & LONG ? isCanonical(rip) : rip <= BigInt(cs.limit)) return true;
  c.stop(13, 0);
  return false;
}

/** Mode, privilege and, when that changes, the TLB bank follow the code segment. */
function enter(c: RareContext, code: PreparedLoad, selector: number): void {
  const { i32 } = c.core;
  code.apply();
  const before = cplOf(c);
  const cpl = selector & 3;
  i32[(L.SELECTOR >> 2) + CS] = selector;
  i32[L.MODE_BITS >> 2] = code.cache.attributes & LONG ? 64 : 32;
  i32[L.MODE_CPL >> 2] = cpl;
  if (cpl !== before) i32[L.MODE_BANK >> 2] = cpl === USER ? 1 : 0;
  c.modeChanged();
}

/** The new stack pointer, in the width of the stack segment. */
function setStack(c: RareContext, sp: bigint): void {
  c.setReg(RSP, c.stackSize, sp);
}

/** Data segments that the lower privilege may not use become null. */
function dropDataSegments(c: RareContext): void {
  const { i32 } = c.core;
  for (const segment of DATA_REGISTERS) {
    const attributes = i32[(L.SEGMENT_ATTRIBUTES >> 2) + segment]!;
    const present = (attributes & 0x80) !== 0;
    const conforming = (attributes & CONFORMING_CODE) === CONFORMING_CODE;
    if (present && !conforming && ((attributes >> 5) & 3) < cplOf(c)) setSegment(c, segment, 0, 0n, 0, 0);
  }
}

/** The return address on the stack, checked; null: stopped. */
function checkReturn(c: RareContext, cs: bigint, rip: bigint): PreparedLoad | null {
  const selector = Number(cs & 0xffffn);
  if ((selector & ~3) === 0 || (selector & 3) < cplOf(c)) {
    c.stop(13, selector & 0xfffc);
    return null;
  }
  const code = prepareLoad(c, CS, selector, selector & 3, 'return');
  return code && reachable(c, code.cache, rip) ? code : null;
}

const iret: RareBody = (c, i) => {
  // Long mode has no task to return to.
  if (c.core.i32[L.SYSTEM_FLAGS >> 2]! & FLAG.nt) return c.stop(13, 0);
  const size = i.d.operandSize;
  const width = c.stackSize;
  const sp = c.reg(RSP, width);
  const word = (n: number): bigint | null => c.readStack(mask(width, sp + BigInt(size * n)), size);
  // In this order AMD's processors fault when part of the frame is missing (seen on one).
  const flags = word(2);
  const rip = flags === null ? null : word(0);
  const cs = rip === null ? null : word(1);
  if (rip === null || cs === null || flags === null) return RareStatus.stopped;
  const selector = Number(cs & 0xffffn);
  // In 64-bit mode the stack is always there, so its words are read with the others.
  const wide = c.bits === 64;
  const ss = wide ? word(4) : 0n;
  const top = wide && ss !== null ? word(3) : 0n;
  if (top === null || ss === null) return RareStatus.stopped;
  const code = checkReturn(c, cs, rip);
  if (!code) return RareStatus.stopped;
  let popped = 3;
  const pop = (): bigint | null => word(popped++);
  const stack = outerStack(c, selector, wide ? { sp: top, ss } : null, pop, mask(width, sp + BigInt(3 * size)));
  if (!stack) return RareStatus.stopped;
  let change = changeableFlags(c, size);
  if (size > 2) change |= FLAG.rf;
  mergeRflags(c, flags, change);
  leave(c, code, selector, stack);
  return c.moveTo(rip);
};

interface NewStack {
  readonly sp: bigint;
  readonly load: PreparedLoad | null;
}
/** The stack that a return goes to: the words read already, or for a lower privilege those popped now, or the same. Null: stopped. */
function outerStack(
  c: RareContext,
  selector: number,
  read: { readonly sp: bigint; readonly ss: bigint } | null,
  pop: () => bigint | null,
  same: bigint,
): NewStack | null {
  let found = read;
  if (!found) {
    if ((selector & 3) === cplOf(c)) return { sp: same, load: null };
    const sp = pop();
    const ss = sp === null ? null : pop();
    if (sp === null || ss === null) return null;
    found = { sp, ss };
  }
  const load = prepareLoad(c, SS, Number(found.ss & 0xffffn), selector & 3);
  return load && { sp: found.sp, load };
}
function leave(c: RareContext, code: PreparedLoad, selector: number, stack: NewStack): void {
  const outer = (selector & 3) > cplOf(c);
  enter(c, code, selector);
  stack.load?.apply();
  if (outer) dropDataSegments(c);
  setStack(c, stack.sp);
}

const retFar: RareBody = (c, i) => {
  const size = i.d.operandSize;
  const width = c.stackSize;
  const sp = c.reg(RSP, width);
  const extra = BigInt(i.d.count > 0 ? i.d.immLo & 0xffff : 0);
  let next = sp;
  const pop = (): bigint | null => {
    const v = c.readStack(next, size);
    next = mask(width, next + BigInt(size));
    return v;
  };
  const rip = pop();
  const cs = rip === null ? null : pop();
  if (rip === null || cs === null) return RareStatus.stopped;
  const code = checkReturn(c, cs, rip);
  if (!code) return RareStatus.stopped;
  next = mask(width, next + extra);
  const selector = Number(cs & 0xffffn);
  const outer = (selector & 3) > cplOf(c);
  const stack = outerStack(c, selector, null, pop, next);
  if (!stack) return RareStatus.stopped;
  leave(c, code, selector, outer ? { ...stack, sp: stack.sp + extra } : stack);
  return c.moveTo(rip);
};

/** Far jump or call to selector:offset, without change of privilege. */
function farTransfer(c: RareContext, selector: number, offset: bigint, size: number, call: boolean): RareStatusValue {
  if ((selector & ~3) === 0) return c.stop(13, 0);
  const cpl = cplOf(c);
  const code = prepareLoad(c, CS, selector, cpl, 'jump');
  if (!code) return RareStatus.stopped;
  const stores: [Store, bigint][] = [];
  const width = c.stackSize;
  let sp = c.reg(RSP, width);
  if (call)
    for (const v of [BigInt(selectorOf(c, CS)), c.next]) {
      sp = mask(width, sp - BigInt(size));
      const store = c.prepareStack(sp, size);
      if (!store) return RareStatus.stopped;
      stores.push([store, v]);
    }
  if (!reachable(c, code.cache, offset)) return RareStatus.stopped;
  for (const [store, v] of stores) c.commit(store, v);
  if (call) c.setReg(RSP, width, sp);
  enter(c, code, (selector & ~3) | cpl);
  return c.moveTo(offset);
}

const farPointer =
  (call: boolean): RareBody =>
  (c, i) =>
    farTransfer(c, i.d.imm2 & 0xffff, mask(i.d.operandSize, c.immediate(i.d)), i.d.operandSize, call);

const farMemory =
  (call: boolean): RareBody =>
  (c, i) => {
    const pointer = readFarPointer(c, i.d);
    return pointer === null ? RareStatus.stopped : farTransfer(c, pointer.selector, pointer.offset, i.d.operandSize, call);
  };

/** Is this the size bit of a 16-bit code segment? The engine has no 16-bit mode yet. */
export const is16Bit = (attributes: number): boolean => attributes !== 0 && (attributes & (LONG | BIG)) === 0;

export const FAR: Record<string, RareBody> = {
  iret,
  'jmp-far': farPointer(false),
  'call-far': farPointer(true),
  'jmp-far-ind': farMemory(false),
  'call-far-ind': farMemory(true),
  'ret-far': retFar,
};
