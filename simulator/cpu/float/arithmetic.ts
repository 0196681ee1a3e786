// Arithmetic on one element: exact result first, then one rounding.

import {
  bitLength,
  exponentOf,
  Flag,
  type FloatContext,
  type Format,
  isDenormal,
  isInfinite,
  isNaNBits,
  isNegative,
  isSignalling,
  isZero,
  nanResult,
  operand,
  Rounding,
  significand,
} from './format.ts';
import { convertNaN, pack, roundToInteger } from './round.ts';

export type Binary = (c: FloatContext, f: Format, a: bigint, b: bigint) => bigint;

function invalid(c: FloatContext, f: Format): bigint {
  c.raised |= Flag.invalid;
  return f.indefinite;
}

export const add: Binary = (c, f, x, y) => {
  const nan = nanResult(c, f, x, y);
  if (nan !== null) return nan;
  if (isInfinite(f, x) && isInfinite(f, y) && x !== y) return invalid(c, f);
  const a = operand(c, f, x);
  const b = operand(c, f, y);
  if (isInfinite(f, a)) return a;
  if (isInfinite(f, b)) return b;
  const ea = exponentOf(f, a);
  const eb = exponentOf(f, b);
  let na = significand(f, a);
  let nb = significand(f, b);
  const e = Math.min(ea, eb);
  na <<= BigInt(ea - e);
  nb <<= BigInt(eb - e);
  const sum = (isNegative(f, a) ? -na : na) + (isNegative(f, b) ? -nb : nb);
  if (sum === 0n) {
    // Two zeros of one sign keep it; else the sign follows the rounding mode.
    const same = na === 0n && isNegative(f, a) === isNegative(f, b);
    const negative = same ? isNegative(f, a) : c.rounding === Rounding.down;
    return negative ? f.signBit : 0n;
  }
  return pack(c, f, sum < 0n, sum < 0n ? -sum : sum, e);
};

export const subtract: Binary = (c, f, x, y) => add(c, f, x, isNaNBits(f, y) ? y : y ^ f.signBit);

export const multiply: Binary = (c, f, x, y) => {
  const nan = nanResult(c, f, x, y);
  if (nan !== null) return nan;
  const effective = (v: bigint): boolean => isZero(f, v) || (c.denormalsAreZero && isDenormal(f, v));
  if ((isInfinite(f, x) && effective(y)) || (effective(x) && isInfinite(f, y))) return invalid(c, f);
  const a = operand(c, f, x);
  const b = operand(c, f, y);
  const sign = (a ^ b) & f.signBit;
  if (isInfinite(f, a) || isInfinite(f, b)) return sign | f.infinity;
  if (isZero(f, a) || isZero(f, b)) return sign;
  return pack(c, f, sign !== 0n, significand(f, a) * significand(f, b), exponentOf(f, a) + exponentOf(f, b));
};

export const divide: Binary = (c, f, x, y) => {
  const nan = nanResult(c, f, x, y);
  if (nan !== null) return nan;
  const zero = (v: bigint): boolean => isZero(f, v) || (c.denormalsAreZero && isDenormal(f, v));
  if (zero(y) && !isInfinite(f, x)) {
    // The division by zero hides that the dividend is denormal.
    if (zero(x)) return invalid(c, f);
    c.raised |= Flag.zeroDivide;
    return ((x ^ y) & f.signBit) | f.infinity;
  }
  const a = operand(c, f, x);
  const b = operand(c, f, y);
  const sign = (a ^ b) & f.signBit;
  if (isInfinite(f, a)) return isInfinite(f, b) ? invalid(c, f) : sign | f.infinity;
  if (isInfinite(f, b)) return sign;
  if (isZero(f, b)) return sign | f.infinity;
  if (isZero(f, a)) return sign;
  const na = significand(f, a);
  const nb = significand(f, b);
  const shift = Math.max(0, Number(f.precision) + 2 + bitLength(nb) - bitLength(na));
  const dividend = na << BigInt(shift);
  return pack(c, f, sign !== 0n, dividend / nb, exponentOf(f, a) - exponentOf(f, b) - shift, dividend % nb !== 0n);
};

/** Greatest integer whose square is at most n. */
function integerRoot(n: bigint): bigint {
  let root = BigInt(Math.floor(Math.sqrt(Number(n))));
  for (let i = 0; i < 4; i++) root = (root + n / root) >> 1n;
  while (root * root > n) root -= 1n;
  while ((root + 1n) * (root + 1n) <= n) root += 1n;
  return root;
}

export function squareRoot(c: FloatContext, f: Format, x: bigint): bigint {
  const nan = nanResult(c, f, x, x);
  if (nan !== null) return nan;
  if (c.denormalsAreZero && isDenormal(f, x)) return x & f.signBit;
  if (isZero(f, x)) return x;
  if (isNegative(f, x)) return invalid(c, f);
  const a = operand(c, f, x);
  if (isInfinite(f, a)) return a;
  let e = exponentOf(f, a);
  let n = significand(f, a);
  let shift = 2 * Number(f.precision) + 4 - bitLength(n);
  if ((e - shift) & 1) shift++;
  n <<= BigInt(shift);
  e -= shift;
  const root = integerRoot(n);
  return pack(c, f, false, root, e / 2, root * root !== n);
}

/** -1, 0, 1, or null when unordered, of numbers after DAZ. */
function order(f: Format, a: bigint, b: bigint): number | null {
  if (isNaNBits(f, a) || isNaNBits(f, b)) return null;
  const key = (v: bigint): bigint => (isNegative(f, v) ? -(v ^ f.signBit) : v);
  const x = key(a);
  const y = key(b);
  return x < y ? -1 : x > y ? 1 : 0;
}

/** Compares; `quiet`: a quiet NaN is not invalid. */
export function compare(c: FloatContext, f: Format, x: bigint, y: bigint, quiet: boolean): number | null {
  if (isNaNBits(f, x) || isNaNBits(f, y)) {
    if (!quiet || isSignalling(f, x) || isSignalling(f, y)) c.raised |= Flag.invalid;
    return null;
  }
  return order(f, operand(c, f, x), operand(c, f, y));
}

/** cmp's predicates 0 to 7: equal, less, less or equal, unordered and their negations; the ordered ones signal quiet NaNs. */
export const compareMask =
  (predicate: number): Binary =>
  (c, f, x, y) => {
    const base = predicate & 3;
    const o = compare(c, f, x, y, base === 0 || base === 3);
    const holds = base === 0 ? o === 0 : base === 1 ? o === -1 : base === 2 ? o !== null && o <= 0 : o === null;
    return holds !== (predicate & 4) > 0 ? f.signBit | (f.signBit - 1n) : 0n;
  };

/** The second operand whenever either is a NaN or both are zero. */
const extreme =
  (wanted: number): Binary =>
  (c, f, x, y) => {
    if (isNaNBits(f, x) || isNaNBits(f, y)) {
      c.raised |= Flag.invalid;
      return c.denormalsAreZero && isDenormal(f, y) ? y & f.signBit : y;
    }
    const a = operand(c, f, x);
    const b = operand(c, f, y);
    return order(f, a, b) === wanted ? a : b;
  };
export const minimum = extreme(-1);
export const maximum = extreme(1);

/** To a wider or narrower format. */
export function convert(c: FloatContext, from: Format, to: Format, x: bigint): bigint {
  if (isNaNBits(from, x)) return convertNaN(c, from, to, x);
  const a = operand(c, from, x);
  const sign = isNegative(from, a) ? to.signBit : 0n;
  if (isInfinite(from, a)) return sign | to.infinity;
  if (isZero(from, a)) return sign;
  return pack(c, to, sign !== 0n, significand(from, a), exponentOf(from, a));
}

/** A signed integer of `bits` bits in the format. */
export function fromInteger(c: FloatContext, f: Format, v: bigint): bigint {
  return v === 0n ? 0n : pack(c, f, v < 0n, v < 0n ? -v : v, 0);
}

/** To a signed integer of `bits` bits, as unsigned bits; what does not fit gives the least one. No denormal exception. */
export function toInteger(c: FloatContext, f: Format, x: bigint, bits: number, truncate: boolean): bigint {
  const least = 1n << BigInt(bits - 1);
  if (isNaNBits(f, x) || isInfinite(f, x)) {
    c.raised |= Flag.invalid;
    return least;
  }
  if (isZero(f, x) || (c.denormalsAreZero && isDenormal(f, x))) return 0n;
  const negative = isNegative(f, x);
  if (exponentOf(f, x) > bits) {
    c.raised |= Flag.invalid;
    return least;
  }
  const { value, inexact } = roundToInteger(truncate ? Rounding.zero : c.rounding, negative, significand(f, x), exponentOf(f, x));
  if (negative ? value > least : value >= least) {
    c.raised |= Flag.invalid;
    return least;
  }
  if (inexact) c.raised |= Flag.inexact;
  return BigInt.asUintN(bits, negative ? -value : value);
}
