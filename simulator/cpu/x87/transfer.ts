// Loads and stores: all memory formats, constants, and what only moves the stack.

import type { RareBody, Store } from '../rare/context.ts';
import { RareStatus, type RareStatusValue } from '../tier0/status.ts';
import { DECIMAL_INDEFINITE, fromBits, fromDecimal, fromMemory, fromSigned, toBits, toDecimal, toMemory, toSigned } from './convert.ts';
import { BIAS, type Extended, Flag, INDEFINITE, isNaNValue, isSignalling, make, ONE, quiet, Rounding, zero } from './extended.ts';
import { commitBytes, isMemory, prepareBytes, readBytes } from './operands.ts';
import { DOUBLE, SINGLE } from './round.ts';
import { type Unit, waiting } from './unit.ts';

const fld = waiting((u) => {
  const { d } = u.i;
  let v: Extended;
  if (!isMemory(u)) {
    const from = d.reg[0]!;
    if (u.isEmpty(from)) {
      if (u.stackFault(false)) u.push(INDEFINITE);
      return u.conclude();
    }
    v = u.read(from);
  } else {
    const size = d.size[0]!;
    const bits = readBytes(u, 0, size);
    if (bits === null) return RareStatus.stopped;
    if (size === 10) v = fromBits(bits);
    else if (u.isEmpty(7)) {
      v = fromMemory(size === 4 ? SINGLE : DOUBLE, bits);
      if (v.wasDenormal) u.o.raised |= Flag.denormal;
      if (isSignalling(v)) u.o.raised |= Flag.invalid;
      // A denormal is loaded even where its exception is not masked.
      if (u.o.raised & ~u.o.masked & Flag.invalid) return u.conclude();
      if (isNaNValue(v)) v = quiet(v);
    } else v = INDEFINITE;
  }
  u.pushResult(v);
  return u.conclude();
});

const loader = (convert: (bits: bigint, size: number) => Extended): RareBody =>
  waiting((u) => {
    const size = u.i.d.size[0]!;
    const bits = readBytes(u, 0, size);
    if (bits === null) return RareStatus.stopped;
    u.pushResult(convert(bits, size));
    return u.conclude();
  });

/** Stores st(0) as `convert` gives it, `indefinite` when it is empty. */
function store(
  u: Unit,
  pops: boolean,
  convert: (v: Extended, size: number) => bigint,
  indefinite: (size: number) => bigint,
): RareStatusValue {
  const size = u.i.d.size[0]!;
  const stores: Store[] | null = prepareBytes(u, size);
  if (!stores) return RareStatus.stopped;
  let bits: bigint;
  if (u.isEmpty(0)) {
    if (!u.stackFault(false)) return u.conclude();
    bits = indefinite(size);
  } else {
    bits = convert(u.read(0), size);
    // An unmasked exception other than an inexact result leaves memory and stack as they were.
    if (u.o.raised & ~u.o.masked & ~Flag.inexact) return u.conclude();
  }
  const hit = commitBytes(u, stores, bits);
  if (pops) u.pop();
  u.conclude();
  return u.c.done(hit);
}
const indefiniteFloat = (size: number): bigint => (size === 4 ? 0xffc00000n : size === 8 ? 0xfff8000000000000n : toBits(INDEFINITE));

const fst = (pops: boolean): RareBody =>
  waiting((u) => {
    if (isMemory(u))
      return store(u, pops, (v, size) => (size === 10 ? toBits(v) : toMemory(u.o, size === 4 ? SINGLE : DOUBLE, v)), indefiniteFloat);
    let v = INDEFINITE;
    if (!u.isEmpty(0)) v = u.read(0);
    else if (!u.stackFault(false)) return u.conclude();
    u.write(u.i.d.reg[0]!, v);
    if (pops) u.pop();
    return u.conclude();
  });
const fist = (pops: boolean, truncate: boolean): RareBody =>
  waiting((u) =>
    store(
      u,
      pops,
      (v, size) => toSigned(u.o, v, size, truncate),
      (size) => 1n << BigInt(8 * size - 1),
    ),
  );

/** A constant by its 67 leading bits: the last three decide the rounding, with more behind them. */
const constant = (exponent: number, bits: bigint): RareBody =>
  waiting((u) => {
    const { rounding } = u.o;
    const n = bits >> 3n;
    const up = rounding === Rounding.nearest ? (bits & 4n) !== 0n : rounding === Rounding.up;
    u.pushResult(make(false, exponent + BIAS, up ? n + 1n : n));
    return u.conclude();
  });
const exactly = (v: Extended): RareBody =>
  waiting((u) => {
    u.pushResult(v);
    return u.conclude();
  });

const turn = (by: number): RareBody =>
  waiting((u) => {
    u.top = u.top + by;
    return u.conclude();
  });
const release = (pops: boolean): RareBody =>
  waiting((u) => {
    u.free(u.i.d.reg[0]!);
    if (pops) u.pop();
    return u.conclude();
  });
/** An alias of fstp that does not look at the tag of st(0). */
const fstpnce = waiting((u) => {
  if (!u.isEmpty(0)) u.write(u.i.d.reg[0]!, u.read(0));
  u.pop();
  return u.conclude();
});

export const TRANSFER: Record<string, RareBody> = {
  fld,
  fild: loader(fromSigned),
  fbld: loader(fromDecimal),
  fst: fst(false),
  fstp: fst(true),
  fstpnce,
  fist: fist(false, false),
  fistp: fist(true, false),
  fisttp: fist(true, true),
  fbstp: waiting((u) =>
    store(
      u,
      true,
      (v) => toDecimal(u.o, v),
      () => DECIMAL_INDEFINITE,
    ),
  ),
  fld1: exactly(ONE),
  fldz: exactly(zero(false)),
  fldl2t: constant(1, 0x6a4d3c25e68dc57f2n),
  fldl2e: constant(0, 0x5c551d94ae0bf85ddn),
  fldpi: constant(1, 0x6487ed5110b4611a6n),
  fldlg2: constant(-2, 0x4d104d427de7fbcc4n),
  fldln2: constant(-1, 0x58b90bfbe8e7bcd5en),
  fincstp: turn(1),
  fdecstp: turn(-1),
  ffree: release(false),
  ffreep: release(true),
  fnop: waiting((u) => u.conclude(0, 0)),
};
