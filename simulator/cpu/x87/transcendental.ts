// f2xm1, fyl2x, fyl2xp1, fptan, fpatan, fsin, fcos, fsincos. Results are correctly rounded (computed to 200 bits and more): within one
// unit of the last place of what processors give, which differ among themselves.

import { bitLength } from '../float/format.ts';
import type { RareBody } from '../rare/context.ts';
import {
  BIAS,
  type Extended,
  Flag,
  INDEFINITE,
  infinity,
  invalid,
  isInfinite,
  isZero,
  make,
  negate,
  ONE,
  type Operation,
  raise,
  scaleOf,
  special,
  zero,
} from './extended.ts';
import { arcTangent, expm1, ln2, logarithm, pi, sineAndCosine } from './fixed-point.ts';
import { pack } from './round.ts';
import { C1, C2, type Unit, waiting } from './unit.ts';

/** Below this exponent the first terms of a series decide. */
const TINY = -70;
const topOf = (v: Extended): number => scaleOf(v) + bitLength(v.significand) - 1;

/** An irrational number: n has far more bits than a register. */
const round = (o: Operation, n: bigint, exponent: number, negative = n < 0n): Extended =>
  pack(o, negative, n < 0n ? -n : n, exponent, true, 64);
/** v a little smaller, or larger, in size. */
const near = (o: Operation, v: Extended, larger: boolean): Extended =>
  round(o, (v.significand << 130n) + (larger ? 1n : -2n), scaleOf(v) - 130, v.negative);
/** |v| with `bits` fraction bits; exact when there are enough. */
const fixed = (v: Extended, bits: number): bigint => {
  const by = scaleOf(v) + bits;
  return by >= 0 ? v.significand << BigInt(by) : v.significand >> BigInt(-by);
};
const signed = (v: Extended, bits: number): bigint => (v.negative ? -fixed(v, bits) : fixed(v, bits));
/** Fraction bits that leave more than 200 significant ones in a number of this size. */
const bitsFor = (top: number): number => 240 + Math.max(0, -top);

/** Exact results, and the operands that are left where they lie outside an instruction's range: AMD's processors call both inexact. */
function calledInexact(o: Operation, v: Extended): Extended {
  o.raised |= Flag.inexact;
  return v;
}

export function exponential(o: Operation, v: Extended): Extended {
  const decided = special(o, v);
  if (decided) return decided;
  if (isInfinite(v)) return v.negative ? negate(ONE) : v;
  if (isZero(v)) return v;
  const top = topOf(v);
  if (top === 0 && v.significand === 1n << 63n) return calledInexact(o, v.negative ? make(true, BIAS - 1, 1n << 63n) : ONE);
  if (top >= 0) return calledInexact(o, v);
  if (top < TINY) return round(o, v.significand * ln2(260), scaleOf(v) - 260, v.negative);
  const bits = bitsFor(top);
  return round(o, expm1((signed(v, bits) * ln2(bits)) >> BigInt(bits), bits), -bits);
}

/** log2 of a positive finite number as a fixed-point number, or its whole value where that is exact. */
function log2(v: Extended): { n: bigint; bits: number; exact: boolean } {
  const length = bitLength(v.significand);
  const k = scaleOf(v) + length - 1;
  const m = v.significand << BigInt(64 - length);
  if (m === 1n << 63n) return { n: BigInt(k), bits: 0, exact: true };
  const bits = 340;
  // 1 <= m < 2 around 2 ** 63; above sqrt 2 seen from the next power.
  const high = m > 0xb504f333f9de6484n;
  const one = high ? 1n << 64n : 1n << 63n;
  const fraction = (logarithm(m - one, m + one, bits) << BigInt(bits)) / ln2(bits);
  return { n: (BigInt(high ? k + 1 : k) << BigInt(bits)) + fraction, bits, exact: false };
}

/** y * log2 x. */
export function logarithmTimes(o: Operation, x: Extended, y: Extended): Extended {
  const decided = special(o, x, y);
  if (decided) return decided;
  if (isZero(x)) {
    if (isZero(y)) return invalid(o);
    if (isInfinite(y)) return infinity(!y.negative);
    raise(o, Flag.zeroDivide);
    return infinity(!y.negative);
  }
  if (x.negative) return invalid(o);
  const isOne = !isInfinite(x) && topOf(x) === 0 && (x.significand & (x.significand - 1n)) === 0n;
  const below = topOf(x) < 0;
  if (isInfinite(x)) return isZero(y) ? invalid(o) : infinity(y.negative);
  if (isInfinite(y)) return isOne ? invalid(o) : infinity(y.negative !== below);
  if (isOne) return zero(y.negative);
  if (isZero(y)) return zero(y.negative !== below);
  const { n, bits, exact } = log2(x);
  const product = n * (y.negative ? -y.significand : y.significand);
  const result = pack(o, product < 0n, product < 0n ? -product : product, scaleOf(y) - bits, !exact, 64);
  // Called inexact, a denormal result has underflown too.
  if (result.exponent === 0) o.raised |= Flag.underflow;
  return calledInexact(o, result);
}

/** y * log2(x + 1). */
export function logarithmPlusOne(o: Operation, x: Extended, y: Extended): Extended {
  const decided = special(o, x, y);
  if (decided) return decided;
  if (isInfinite(x)) return x.negative || isZero(y) ? invalid(o) : infinity(y.negative);
  if (isZero(x)) return isInfinite(y) ? invalid(o) : zero(x.negative !== y.negative);
  if (isInfinite(y)) return infinity(x.negative !== y.negative);
  if (isZero(y)) return zero(x.negative !== y.negative);
  const top = topOf(x);
  const negative = x.negative !== y.negative;
  if (x.negative && top >= 0) return calledInexact(o, x);
  if (top < TINY) return round(o, ((x.significand * y.significand) << 300n) / ln2(260), scaleOf(x) + scaleOf(y) - 40, negative);
  const bits = bitsFor(top);
  let log: bigint;
  // Away from zero by powers of two: the series converges slowly towards -1.
  if (top >= (x.negative ? -2 : 0)) {
    const whole = signed(x, bits) + (1n << BigInt(bits));
    const length = bitLength(whole);
    const one = 1n << BigInt(length - 1);
    log = (logarithm(whole - one, whole + one, bits) << BigInt(bits)) / ln2(bits) + (BigInt(length - 1 - bits) << BigInt(bits));
  } else {
    const t = signed(x, bits);
    log = (logarithm(t, (2n << BigInt(bits)) + t, bits) << BigInt(bits)) / ln2(bits);
  }
  const product = (log < 0n ? -log : log) * y.significand;
  return round(o, product, scaleOf(y) - bits, negative);
}

/** atan2(y, x). */
export function arcTangentOf(o: Operation, x: Extended, y: Extended): Extended {
  const decided = special(o, x, y);
  if (decided) return decided;
  const bits = 400;
  const angle = (n: bigint): Extended => round(o, n, -bits - 2, y.negative);
  const quarter = pi(bits);
  if (isInfinite(y)) return angle(isInfinite(x) ? (x.negative ? 3n * quarter : quarter) : 2n * quarter);
  if (isInfinite(x) || isZero(y)) return x.negative ? angle(4n * quarter) : zero(y.negative);
  if (isZero(x)) return angle(2n * quarter);
  const distance = topOf(y) - topOf(x);
  if (distance < -100) {
    if (x.negative) return angle(4n * quarter - 4n);
    const quotient = (y.significand << 200n) / x.significand;
    const exact = quotient * x.significand === y.significand << 200n;
    return round(o, exact ? (quotient << 100n) - 1n : quotient << 100n, scaleOf(y) - scaleOf(x) - 300, y.negative);
  }
  if (distance > 100) return angle(2n * quarter + (x.negative ? 1n : -1n));
  const least = Math.min(scaleOf(x), scaleOf(y));
  const a = x.significand << BigInt(scaleOf(x) - least);
  const b = y.significand << BigInt(scaleOf(y) - least);
  const steep = b > a;
  let n = 4n * arcTangent(((steep ? a : b) << BigInt(bits)) / (steep ? b : a), bits);
  if (steep) n = 2n * quarter - n;
  if (x.negative) n = 4n * quarter - n;
  return angle(n);
}

interface Angle {
  readonly sine: bigint;
  readonly cosine: bigint;
  readonly bits: number;
}
/** Pi as x87 units reduce by it: 66 bits. Source: Intel SDM volume 1, section 8.3.8; AMD's processors do the same. */
const REDUCTION_PI = 0xc90fdaa22168c234cn;
/** Sine and cosine of a finite number, not tiny and below 2 ** 63. */
function onCircle(v: Extended): Angle {
  const bits = 360;
  const t = fixed(v, bits);
  const half = REDUCTION_PI << BigInt(bits - 67);
  const turns = (t + (half >> 1n)) / half;
  const reduced = t - turns * half;
  const { sine, cosine } = sineAndCosine(reduced, bits);
  const [s, c] = (
    [
      [sine, cosine],
      [cosine, -sine],
      [-sine, -cosine],
      [-cosine, sine],
    ] as const
  )[Number(turns & 3n)]!;
  return { sine: v.negative ? -s : s, cosine: c, bits };
}

export const isBeyond = (v: Extended): boolean => !isZero(v) && !isInfinite(v) && topOf(v) >= 63;

export function sine(o: Operation, v: Extended): Extended {
  const decided = special(o, v);
  if (decided) return decided;
  if (isInfinite(v)) return invalid(o);
  if (isZero(v)) return v;
  if (topOf(v) < TINY) return near(o, v, false);
  const { sine: n, bits } = onCircle(v);
  return round(o, n, -bits);
}
export function cosine(o: Operation, v: Extended): Extended {
  const decided = special(o, v);
  if (decided) return decided;
  if (isInfinite(v)) return invalid(o);
  if (isZero(v)) return ONE;
  if (topOf(v) < TINY) return near(o, ONE, false);
  const { cosine: n, bits } = onCircle(v);
  return round(o, n, -bits);
}
export function tangent(o: Operation, v: Extended): Extended {
  const decided = special(o, v);
  if (decided) return decided;
  if (isInfinite(v)) return invalid(o);
  if (isZero(v)) return v;
  if (topOf(v) < TINY) return near(o, v, true);
  const { sine: s, cosine: c, bits } = onCircle(v);
  return round(o, (s << BigInt(bits)) / c, -bits);
}

type Binary = (o: Operation, x: Extended, y: Extended) => Extended;
/** f(st(0), st(1)) to st(1), then a pop. */
const popping = (f: Binary): RareBody =>
  waiting((u) => {
    let result = INDEFINITE;
    if (u.isEmpty(0) || u.isEmpty(1)) {
      if (!u.stackFault(false)) return u.conclude();
    } else result = f(u.o, u.read(0), u.read(1));
    if (u.o.stopped) return u.conclude();
    u.write(1, result);
    u.pop();
    return u.conclude();
  });

/** fsin, fcos and f2xm1. */
const single = (f: (o: Operation, v: Extended) => Extended, limited: boolean): RareBody =>
  waiting((u) => {
    const clear = limited ? C1 | C2 : C1;
    if (u.isEmpty(0)) {
      if (u.stackFault(false)) u.write(0, INDEFINITE);
      return u.conclude(0, clear);
    }
    const v = u.read(0);
    if (limited && isFiniteBeyond(u.o, v)) return u.conclude(C2, clear);
    const result = f(u.o, v);
    if (!u.o.stopped) u.write(0, result);
    return u.conclude(0, clear);
  });
/** Too large to reduce: C2, nothing else. */
const isFiniteBeyond = (_: Operation, v: Extended): boolean =>
  v.exponent >= BIAS + 63 && v.exponent !== 0x7fff && v.significand >> 63n !== 0n;

/** Two results: `first` replaces st(0), `second` is pushed. */
const paired = (f: (u: Unit, v: Extended) => readonly [Extended, Extended]): RareBody =>
  waiting((u) => {
    const clear = C1 | C2;
    if (u.isEmpty(0) || !u.isEmpty(7)) {
      if (u.stackFault(!u.isEmpty(0))) {
        u.write(0, INDEFINITE);
        u.push(INDEFINITE);
      }
      return u.conclude(0, clear);
    }
    const v = u.read(0);
    if (isFiniteBeyond(u.o, v)) return u.conclude(C2, clear);
    const [first, second] = f(u, v);
    if (u.o.stopped) return u.conclude(0, clear);
    u.write(0, first);
    u.push(second);
    return u.conclude(0, clear);
  });

export const TRANSCENDENTAL: Record<string, RareBody> = {
  f2xm1: single(exponential, false),
  fyl2x: popping(logarithmTimes),
  fyl2xp1: popping(logarithmPlusOne),
  fpatan: popping(arcTangentOf),
  fsin: single(sine, true),
  fcos: single(cosine, true),
  fptan: paired((u, v) => {
    const result = tangent(u.o, v);
    // A NaN stands in both places.
    return [result, result.exponent === 0x7fff ? result : ONE];
  }),
  fsincos: paired((u, v) => [sine(u.o, v), cosine(u.o, v)]),
};
