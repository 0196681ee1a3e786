// Exact x87 arithmetic: every operation computes the exact result (or enough of it) and rounds once.

import { bitLength } from '../float/format.ts';
import {
  BIAS,
  type Extended,
  Flag,
  infinity,
  invalid,
  isInfinite,
  isNaNValue,
  isSignalling,
  isUnsupported,
  isZero,
  make,
  negate,
  type Operation,
  Rounding,
  raise,
  scaleOf,
  special,
  zero,
} from './extended.ts';
import { pack, roundShift } from './round.ts';

export type Binary = (o: Operation, a: Extended, b: Extended) => Extended;

/** Beyond this distance the smaller summand is only a sticky bit. */
const FAR = 140;

export const add: Binary = (o, a, b) => {
  const decided = special(o, a, b);
  if (decided) return decided;
  if (isInfinite(a)) return isInfinite(b) && a.negative !== b.negative ? invalid(o) : a;
  if (isInfinite(b)) return b;
  if (isZero(a) && isZero(b)) return a.negative === b.negative ? a : zero(o.rounding === Rounding.down);
  const [x, y] = isZero(b) || (!isZero(a) && scaleOf(a) >= scaleOf(b)) ? [a, b] : [b, a];
  const distance = isZero(y) ? 0 : Math.min(scaleOf(x) - scaleOf(y), FAR);
  const small = isZero(y) ? 0n : scaleOf(x) - scaleOf(y) > FAR ? 1n : y.significand;
  const sum = (x.negative ? -x.significand : x.significand) * (1n << BigInt(distance)) + (y.negative ? -small : small);
  if (sum === 0n) return zero(o.rounding === Rounding.down);
  return pack(o, sum < 0n, sum < 0n ? -sum : sum, scaleOf(x) - distance);
};
export const subtract: Binary = (o, a, b) => add(o, a, isNaNValue(b) ? b : negate(b));

export const multiply: Binary = (o, a, b) => {
  const decided = special(o, a, b);
  if (decided) return decided;
  const negative = a.negative !== b.negative;
  if (isInfinite(a) || isInfinite(b)) return isZero(a) || isZero(b) ? invalid(o) : infinity(negative);
  if (isZero(a) || isZero(b)) return zero(negative);
  return pack(o, negative, a.significand * b.significand, scaleOf(a) + scaleOf(b));
};

export const divide: Binary = (o, a, b) => {
  const decided = special(o, a, b);
  if (decided) return decided;
  const negative = a.negative !== b.negative;
  if (isInfinite(a)) return isInfinite(b) ? invalid(o) : infinity(negative);
  if (isInfinite(b)) return zero(negative);
  if (isZero(b)) {
    if (isZero(a)) return invalid(o);
    raise(o, Flag.zeroDivide);
    return infinity(negative);
  }
  if (isZero(a)) return zero(negative);
  const n = a.significand << 130n;
  const quotient = n / b.significand;
  return pack(o, negative, quotient, scaleOf(a) - scaleOf(b) - 130, quotient * b.significand !== n);
};

export function integerRoot(n: bigint): bigint {
  let x = 1n << BigInt((bitLength(n) + 1) >> 1);
  for (;;) {
    const next = (x + n / x) >> 1n;
    if (next >= x) return x;
    x = next;
  }
}

export function squareRoot(o: Operation, v: Extended): Extended {
  if (isZero(v)) return v;
  if (v.negative && !isNaNValue(v) && !isUnsupported(v)) return invalid(o);
  const decided = special(o, v);
  if (decided) return decided;
  if (isInfinite(v)) return v;
  const shift = 134 + (scaleOf(v) & 1);
  const n = v.significand << BigInt(shift);
  const root = integerRoot(n);
  return pack(o, false, root, (scaleOf(v) - shift) / 2, root * root !== n);
}

export function roundToIntegral(o: Operation, v: Extended): Extended {
  const decided = special(o, v);
  if (decided) return decided;
  if (isInfinite(v) || isZero(v) || scaleOf(v) >= 0) return v;
  const r = roundShift(o.rounding, v.negative, v.significand, -scaleOf(v));
  if (r.inexact) o.raised |= Flag.inexact;
  o.roundedUp = r.up;
  if (r.value === 0n) return zero(v.negative);
  const length = bitLength(r.value);
  return make(v.negative, BIAS + length - 1, r.value << BigInt(64 - length));
}

/** Remainder of a / b: exact when the exponents are near, else a partial one. Quotient: its last three bits; null: partial. */
export function remainder(o: Operation, a: Extended, b: Extended, nearest: boolean): { value: Extended; quotient: number | null } {
  const decided = special(o, a, b);
  if (decided) return { value: decided, quotient: 0 };
  if (isInfinite(a) || isZero(b)) return { value: invalid(o), quotient: 0 };
  if (isZero(a)) return { value: a, quotient: 0 };
  // A pseudo-denormal comes out as the normal number that it is.
  if (isInfinite(b)) return { value: pack(o, a.negative, a.significand, scaleOf(a), false, 64), quotient: 0 };
  const topOf = (v: Extended): number => scaleOf(v) + bitLength(v.significand);
  const distance = topOf(a) - topOf(b);
  const least = Math.min(scaleOf(a), scaleOf(b));
  const finish = (n: bigint, negative: boolean): Extended => (n === 0n ? zero(a.negative) : pack(o, negative, n, least, false, 64));
  if (distance < -1 || (distance < 0 && !nearest))
    return { value: finish(a.significand << BigInt(scaleOf(a) - least), a.negative), quotient: 0 };
  const n = a.significand << BigInt(scaleOf(a) - least);
  const m = b.significand << BigInt(scaleOf(b) - least);
  if (distance >= 64) {
    const step = m << BigInt(distance - partialBits(distance));
    return { value: finish(n % step, a.negative), quotient: null };
  }
  let q = n / m;
  let rest = n - q * m;
  let negative = a.negative;
  if (nearest && (2n * rest > m || (2n * rest === m && (q & 1n) === 1n))) {
    q += 1n;
    rest = m - rest;
    negative = !negative;
  }
  return { value: finish(rest, negative), quotient: Number(q & 7n) };
}
/** By how many bits one partial reduction brings the exponents together. */
const partialBits = (distance: number): number => (distance & 31) | 32;

/** a * 2 ** trunc(b). */
export const scale: Binary = (o, a, b) => {
  const decided = special(o, a, b);
  if (decided) return decided;
  if (isInfinite(b)) {
    if (b.negative) return isInfinite(a) ? invalid(o) : zero(a.negative);
    return isZero(a) ? invalid(o) : infinity(a.negative);
  }
  if (isInfinite(a) || isZero(a)) return a;
  const whole =
    scaleOf(b) >= 0 ? (scaleOf(b) > 16 ? 1n << 20n : b.significand << BigInt(scaleOf(b))) : b.significand >> BigInt(-scaleOf(b));
  const by = Number(whole > 0x10000n ? 0x10000n : whole);
  return pack(o, a.negative, a.significand, scaleOf(a) + (b.negative ? -by : by), false, 64);
};

/** Exponent and significand of a number, as two numbers. */
export function extract(o: Operation, v: Extended): { exponent: Extended; significand: Extended } {
  const decided = special(o, v);
  if (decided) return { exponent: decided, significand: decided };
  if (isInfinite(v)) return { exponent: infinity(false), significand: v };
  if (isZero(v)) {
    raise(o, Flag.zeroDivide);
    return { exponent: infinity(true), significand: v };
  }
  const length = bitLength(v.significand);
  const exponent = scaleOf(v) + length - 1;
  return { exponent: fromInteger(BigInt(exponent)), significand: make(v.negative, BIAS, v.significand << BigInt(64 - length)) };
}

/** Exact: up to 64 bits. */
export function fromInteger(n: bigint): Extended {
  if (n === 0n) return zero(false);
  const size = n < 0n ? -n : n;
  const length = bitLength(size);
  return make(n < 0n, BIAS + length - 1, size << BigInt(64 - length));
}

/** -1, 0, 1, or null for unordered. `quiet`: only signalling NaNs are invalid. */
export function compare(o: Operation, a: Extended, b: Extended, quietly: boolean): -1 | 0 | 1 | null {
  if (isUnsupported(a) || isUnsupported(b)) {
    o.raised |= Flag.invalid;
    return null;
  }
  if (isNaNValue(a) || isNaNValue(b)) {
    if (!quietly || isSignalling(a) || isSignalling(b)) o.raised |= Flag.invalid;
    return null;
  }
  special(o, a, b);
  if (isZero(a) && isZero(b)) return 0;
  if (isZero(a)) return b.negative ? 1 : -1;
  if (isZero(b) || a.negative !== b.negative) return a.negative ? -1 : 1;
  const key = (v: Extended): bigint => (BigInt(v.exponent === 0 ? 1 : v.exponent) << 64n) + v.significand;
  const order = key(a) < key(b) ? -1 : key(a) > key(b) ? 1 : 0;
  return (a.negative ? -order || 0 : order) as -1 | 0 | 1;
}
