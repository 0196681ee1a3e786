// Between registers and what lies in memory: single, double, extended, integers, packed decimal.

import { bitLength } from '../float/format.ts';
import { fromInteger } from './arithmetic.ts';
import {
  BIAS,
  type Extended,
  Flag,
  INTEGER_BIT,
  infinity,
  isInfinite,
  isNaNValue,
  isSignalling,
  isUnsupported,
  isZero,
  MAXIMUM,
  make,
  type Operation,
  Rounding,
  scaleOf,
  zero,
} from './extended.ts';
import { type MemoryFormat, packMemory, roundShift } from './round.ts';

const bytesToFormat = (bits: bigint, bytes: number): { negative: boolean; rest: bigint } => {
  const top = BigInt(8 * bytes - 1);
  return { negative: bits >> top !== 0n, rest: bits & ((1n << top) - 1n) };
};

/** Exact; a signalling NaN stays one. */
export function fromMemory(f: MemoryFormat, bits: bigint): Extended {
  const { negative, rest } = bytesToFormat(bits, f.bytes);
  const exponent = Number(rest >> BigInt(f.fraction));
  const fraction = rest & ((1n << BigInt(f.fraction)) - 1n);
  const aligned = fraction << BigInt(63 - f.fraction);
  if (exponent === 2 * f.bias + 1) return fraction === 0n ? infinity(negative) : make(negative, MAXIMUM, INTEGER_BIT | aligned);
  if (exponent !== 0) return make(negative, exponent - f.bias + BIAS, INTEGER_BIT | aligned);
  if (fraction === 0n) return zero(negative);
  const length = bitLength(fraction);
  return { ...make(negative, length - f.fraction - f.bias + BIAS, fraction << BigInt(64 - length)), wasDenormal: true };
}

/** Raw bits for memory. */
export function toMemory(o: Operation, f: MemoryFormat, v: Extended): bigint {
  const sign = v.negative ? 1n << BigInt(8 * f.bytes - 1) : 0n;
  const all = BigInt(2 * f.bias + 1) << BigInt(f.fraction);
  const quietBit = 1n << BigInt(f.fraction - 1);
  if (isUnsupported(v)) {
    o.raised |= Flag.invalid;
    return (1n << BigInt(8 * f.bytes - 1)) | all | quietBit;
  }
  if (isNaNValue(v)) {
    if (isSignalling(v)) o.raised |= Flag.invalid;
    return sign | all | quietBit | ((v.significand & (INTEGER_BIT - 1n)) >> BigInt(63 - f.fraction));
  }
  if (isInfinite(v)) return sign | all;
  if (isZero(v)) return sign;
  return packMemory(o, f, v.negative, v.significand, scaleOf(v));
}

export const fromSigned = (bits: bigint, bytes: number): Extended => fromInteger(BigInt.asIntN(8 * bytes, bits));

/** The number rounded to an integer, or null where it has none. */
function integral(o: Operation, v: Extended, truncate: boolean): bigint | null {
  if (isUnsupported(v) || v.exponent === MAXIMUM || scaleOf(v) > 0) return null;
  const r = roundShift(truncate ? Rounding.zero : o.rounding, v.negative, v.significand, -scaleOf(v));
  if (r.inexact) o.raised |= Flag.inexact;
  o.roundedUp = r.up;
  return v.negative ? -r.value : r.value;
}
function invalidInteger(o: Operation, bits: bigint): bigint {
  o.raised = (o.raised & ~Flag.inexact) | Flag.invalid;
  o.roundedUp = false;
  return bits;
}

/** Two's complement bits; numbers that do not fit are invalid and give the least integer. */
export function toSigned(o: Operation, v: Extended, bytes: number, truncate: boolean): bigint {
  const n = integral(o, v, truncate);
  if (n === null || BigInt.asIntN(8 * bytes, n) !== n) return invalidInteger(o, 1n << BigInt(8 * bytes - 1));
  return BigInt.asUintN(8 * bytes, n);
}

const DIGITS = 18;
export const DECIMAL_INDEFINITE = 0xffffc000000000000000n;

/** 18 packed digits and a sign, 80 bits. */
export function toDecimal(o: Operation, v: Extended): bigint {
  const n = integral(o, v, false);
  const size = n !== null && n < 0n ? -n : n;
  if (size === null || size >= 10n ** BigInt(DIGITS)) return invalidInteger(o, DECIMAL_INDEFINITE);
  return (v.negative ? 1n << 79n : 0n) | BigInt(`0x${size.toString()}`);
}
/** Digits above 9 count as what they are. */
export function fromDecimal(bits: bigint): Extended {
  let n = 0n;
  for (let digit = DIGITS - 1; digit >= 0; digit--) n = n * 10n + ((bits >> BigInt(4 * digit)) & 15n);
  const negative = bits >> 79n !== 0n;
  return { ...fromInteger(n), negative };
}

export const fromBits = (bits: bigint): Extended => {
  const top = Number(bits >> 64n);
  return make((top & 0x8000) !== 0, top & MAXIMUM, BigInt.asUintN(64, bits));
};
export const toBits = (v: Extended): bigint => (BigInt((v.negative ? 0x8000 : 0) | v.exponent) << 64n) | v.significand;
