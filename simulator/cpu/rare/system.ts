// cpuid, time stamp, fs and gs bases, reads of system registers, decimal adjustment, bound, wide division.

import { type Decoded, OperandKind as K } from '../../../x86/types.ts';
import type { SensitiveStore } from '../engine-types.ts';
import { FLAG } from '../isa/builder.ts';
import * as L from '../layout.ts';
import { RareStatus, type RareStatusValue } from '../tier0/status.ts';
import type { RareBody, RareContext } from './context.ts';
import { writeResult } from './segments.ts';

const big = (v: number): bigint => BigInt(v >>> 0);

const cpuid: RareBody = (c) => {
  const r = c.core.host.cpuid(c.core.current, c.core.i32[L.REG >> 2]!, c.core.i32[(L.REG + 8) >> 2]!);
  c.setReg(0, 4, big(r.eax));
  c.setReg(1, 4, big(r.ecx));
  c.setReg(2, 4, big(r.edx));
  c.setReg(3, 4, big(r.ebx));
  return RareStatus.done;
};

const rdtsc: RareBody = (c) => {
  const { i32 } = c.core;
  if (i32[L.TRAP_TSC >> 2]) return c.stop(13, 0);
  // Instructions of this run before this one: those of its block behind it are already off the budget.
  const behind = c.code.countOf(c.code.headerOf(c.record)) - c.code.indexOf(c.record);
  const executed = c.budget - i32[L.COUNT >> 2]! - behind;
  const v = c.core.host.tsc(c.core.current, executed);
  c.setReg(0, 4, v);
  c.setReg(2, 4, v >> 32n);
  return RareStatus.done;
};

// CR4.FSGSBASE is never set for a PV guest.
const baseInstruction: RareBody = (c) => c.stop(6);

const tableRegister =
  (what: SensitiveStore): RareBody =>
  (c, i) => {
    const v = c.core.host.sensitive(c.core.current, what);
    const size = c.bits === 64 ? 10 : 6;
    const store = c.prepareOperand(i.d, size, 0, true);
    if (!store) return RareStatus.stopped;
    return c.done(c.commit(store, v));
  };
const sensitive =
  (what: SensitiveStore): RareBody =>
  (c, i) =>
    writeResult(c, i.d, 0, i.d.kind[0] === K.memory ? 2 : i.d.operandSize, c.core.host.sensitive(c.core.current, what));

// ---- division of 128 bits, the divisor in SCRATCH_READ
export function divideWide(c: RareContext, signed: boolean): RareStatusValue {
  const { u64 } = c.core;
  const divisor = u64[L.SCRATCH_READ >> 3]!;
  const n = (c.reg(2) << 64n) | c.reg(0);
  const [a, b] = signed ? [BigInt.asIntN(128, n), BigInt.asIntN(64, divisor)] : [n, divisor];
  const q = a / b;
  const fits = signed ? BigInt.asIntN(64, q) === q : q < 1n << 64n;
  if (!fits) return c.stop(0);
  c.setReg(0, 8, q);
  c.setReg(2, 8, a % b);
  return RareStatus.done;
}

// ---- decimal adjustment (32-bit mode)
const parity = (v: number): number => {
  let x = v;
  x ^= x >> 4;
  x ^= x >> 2;
  x ^= x >> 1;
  return x & 1 ? 0 : FLAG.p;
};
const szp = (v: number): number => (v & 0x80 ? FLAG.s : 0) | (v === 0 ? FLAG.z : 0) | parity(v);
const al = (c: RareContext): number => Number(c.reg(0, 1));
const ah = (c: RareContext): number => Number((c.reg(0, 2) >> 8n) & 0xffn);

const decimalAdjust =
  (sign: 1 | -1): RareBody =>
  (c) => {
    const flags = c.rflags;
    const old = al(c);
    let v = old;
    let out = 0;
    if ((old & 15) > 9 || flags & FLAG.a) {
      v += 6 * sign;
      out |= FLAG.a;
      if (sign < 0 && v < 0) out |= FLAG.c;
      if (flags & FLAG.c) out |= FLAG.c;
    }
    if (old > 0x99 || flags & FLAG.c) {
      v += 0x60 * sign;
      out |= FLAG.c;
    }
    const r = v & 0xff;
    c.setReg(0, 1, BigInt(r));
    c.setArithmeticFlags(out | szp(r) | (flags & FLAG.o));
    return RareStatus.done;
  };

const asciiAdjust =
  (sign: 1 | -1): RareBody =>
  (c) => {
    const flags = c.rflags;
    const adjust = (al(c) & 15) > 9 || (flags & FLAG.a) !== 0;
    const ax = Number(c.reg(0, 2)) + (adjust ? sign * 0x106 : 0);
    c.setReg(0, 2, BigInt(ax & 0xff0f));
    const set = FLAG.a | FLAG.c;
    c.setArithmeticFlags((flags & ~set) | (adjust ? set : 0));
    return RareStatus.done;
  };

const aam: RareBody = (c, i) => {
  const base = i.d.immLo & 0xff;
  if (base === 0) return c.stop(0);
  const v = al(c);
  const low = v % base;
  c.setReg(0, 2, BigInt((Math.floor(v / base) << 8) | low));
  c.setArithmeticFlags((c.rflags & (FLAG.o | FLAG.a | FLAG.c)) | szp(low));
  return RareStatus.done;
};
const aad: RareBody = (c, i) => {
  const v = (al(c) + ah(c) * (i.d.immLo & 0xff)) & 0xff;
  c.setReg(0, 2, BigInt(v));
  c.setArithmeticFlags((c.rflags & (FLAG.o | FLAG.a | FLAG.c)) | szp(v));
  return RareStatus.done;
};

const bound: RareBody = (c, i) => {
  const d: Decoded = i.d;
  const size = d.operandSize;
  const low = c.readOperand(d, size);
  const high = low === null ? null : c.readOperand(d, size, size);
  if (low === null || high === null) return RareStatus.stopped;
  const signed = (v: bigint): bigint => BigInt.asIntN(8 * size, v);
  const v = signed(c.operand(d, 0));
  return v < signed(low) || v > signed(high) ? c.stop(5) : RareStatus.done;
};

/** bt bts btr btc in a bit string with an address size other than the mode's: the offset wraps at the address size. */
const bitString: RareBody = (c, i) => {
  const { d } = i;
  const size = d.operandSize;
  const bits = BigInt(8 * size);
  const n = BigInt.asIntN(8 * size, c.operand(d, 1));
  const unit = (n - (BigInt.asUintN(64, n) % bits)) / bits;
  const offset = BigInt.asUintN(8 * d.addressSize, c.offset(d) + unit * BigInt(size));
  const stack = c.usesStack(d);
  const segment = d.segment >= 0 ? d.segment : stack ? 2 : 3;
  if (!c.allows(segment, offset, size, i.key !== 'bt')) return RareStatus.stopped;
  const va = c.linear(segment, offset);
  const store = i.key === 'bt' ? null : c.prepareStore(va, size, stack);
  if (i.key !== 'bt' && store === null) return RareStatus.stopped;
  const v = c.read(va, size, stack);
  if (v === null) return RareStatus.stopped;
  const one = 1n << (BigInt.asUintN(64, n) % bits);
  c.setArithmeticFlags((c.rflags & ~FLAG.c) | (v & one ? FLAG.c : 0));
  if (store === null) return RareStatus.done;
  return c.done(c.commit(store, i.key === 'bts' ? v | one : i.key === 'btr' ? v & ~one : v ^ one));
};

export const SYSTEM: Record<string, RareBody> = {
  cpuid,
  rdtsc,
  rdfsbase: baseInstruction,
  rdgsbase: baseInstruction,
  wrfsbase: baseInstruction,
  wrgsbase: baseInstruction,
  sgdt: tableRegister('sgdt'),
  sidt: tableRegister('sidt'),
  sldt: sensitive('sldt'),
  str: sensitive('str'),
  smsw: sensitive('smsw'),
  daa: decimalAdjust(1),
  das: decimalAdjust(-1),
  aaa: asciiAdjust(1),
  aas: asciiAdjust(-1),
  aam,
  aad,
  bound,
  'bit-string': bitString,
};
