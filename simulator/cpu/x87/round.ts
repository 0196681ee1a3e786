// Rounding of exact results into the extended format and into those of memory: precision and rounding control, gradual underflow with
// tininess detected after rounding, the scaled results of unmasked overflow and underflow. Source: Intel SDM volume 1, chapters 4 and 8.

import { bitLength } from '../float/format.ts';
import { BIAS, type Extended, Flag, INTEGER_BIT, infinity, MAXIMUM, make, type Operation, Rounding, zero } from './extended.ts';

interface Rounded {
  readonly value: bigint;
  readonly inexact: boolean;
  /** Away from zero. */
  readonly up: boolean;
}
/** n / 2 ** shift rounded to an integer; `sticky`: n is a little more than it says. */
export function roundShift(rounding: number, negative: boolean, n: bigint, shift: number, sticky = false): Rounded {
  if (shift <= 0) {
    if (sticky) return roundShift(rounding, negative, (n << 2n) | 1n, shift + 2);
    return { value: n << BigInt(-shift), inexact: false, up: false };
  }
  const by = BigInt(shift);
  const value = n >> by;
  const rest = n - (value << by);
  if (rest === 0n && !sticky) return { value, inexact: false, up: false };
  let up: boolean;
  if (rounding === Rounding.nearest) {
    const half = 1n << (by - 1n);
    up = rest > half || (rest === half && (sticky || (value & 1n) === 1n));
  } else up = rounding === Rounding.up ? !negative : rounding === Rounding.down ? negative : false;
  return { value: up ? value + 1n : value, inexact: true, up };
}

const MINIMUM_NORMAL = 1 - BIAS;
/** What the exponent is moved by when overflow or underflow is not masked. */
const WRAP = 24576;

const fromParts = (negative: boolean, value: bigint, precision: number, top: number): Extended =>
  make(negative, top + BIAS, value << BigInt(64 - precision));

function note(o: Operation, r: Rounded): void {
  if (r.inexact) o.raised |= Flag.inexact;
  o.roundedUp = r.up;
}

/** (-1) ** negative * n * 2 ** exponent, n > 0, as a register value. `sticky`: a part too small to count was lost from n. */
export function pack(
  o: Operation,
  negative: boolean,
  n: bigint,
  exponent: number,
  sticky = false,
  precision: number = o.precision,
): Extended {
  const length = bitLength(n);
  const free = roundShift(o.rounding, negative, n, length - precision, sticky);
  const carried = free.value >> BigInt(precision) !== 0n;
  const value = carried ? free.value >> 1n : free.value;
  const top = exponent + length - 1 + (carried ? 1 : 0);
  if (top > BIAS) {
    o.raised |= Flag.overflow;
    if (!(o.masked & Flag.overflow)) {
      note(o, free);
      if (top - WRAP <= BIAS) return fromParts(negative, value, precision, top - WRAP);
      // Beyond what the moved exponent can express: only fscale comes here.
      o.raised |= Flag.inexact;
      o.roundedUp = true;
      return infinity(negative);
    }
    o.raised |= Flag.inexact;
    o.roundedUp = o.rounding === Rounding.nearest || o.rounding === (negative ? Rounding.down : Rounding.up);
    return o.roundedUp ? infinity(negative) : make(negative, MAXIMUM - 1, ((1n << BigInt(precision)) - 1n) << BigInt(64 - precision));
  }
  if (top >= MINIMUM_NORMAL) {
    note(o, free);
    return fromParts(negative, value, precision, top);
  }
  if (!(o.masked & Flag.underflow)) {
    o.raised |= Flag.underflow;
    note(o, free);
    if (top + WRAP >= MINIMUM_NORMAL) return fromParts(negative, value, precision, top + WRAP);
    o.raised |= Flag.inexact;
    o.roundedUp = false;
    return zero(negative);
  }
  const tiny = roundShift(o.rounding, negative, n, MINIMUM_NORMAL - precision + 1 - exponent, sticky);
  if (tiny.inexact) o.raised |= Flag.underflow;
  note(o, tiny);
  const significand = tiny.value << BigInt(64 - precision);
  return make(negative, significand & INTEGER_BIT ? 1 : 0, significand);
}

/** A binary format of memory. */
export interface MemoryFormat {
  readonly bytes: 4 | 8;
  readonly fraction: number;
  readonly bias: number;
}
export const SINGLE: MemoryFormat = { bytes: 4, fraction: 23, bias: 127 };
export const DOUBLE: MemoryFormat = { bytes: 8, fraction: 52, bias: 1023 };

/** The number as raw bits of a memory format. With unmasked overflow or underflow the result is not to be stored. */
export function packMemory(o: Operation, f: MemoryFormat, negative: boolean, n: bigint, exponent: number): bigint {
  const precision = f.fraction + 1;
  const fraction = BigInt(f.fraction);
  const sign = negative ? 1n << BigInt(8 * f.bytes - 1) : 0n;
  const length = bitLength(n);
  const free = roundShift(o.rounding, negative, n, length - precision);
  const carried = free.value >> BigInt(precision) !== 0n;
  const top = exponent + length - 1 + (carried ? 1 : 0);
  const all = (BigInt(2 * f.bias + 1) << fraction) as bigint;
  if (top > f.bias) {
    o.raised |= Flag.overflow;
    if (!(o.masked & Flag.overflow)) {
      return sign;
    }
    o.raised |= Flag.inexact;
    o.roundedUp = o.rounding === Rounding.nearest || o.rounding === (negative ? Rounding.down : Rounding.up);
    return sign | (o.roundedUp ? all : all - 1n);
  }
  if (top >= 1 - f.bias) {
    note(o, free);
    const kept = (carried ? free.value >> 1n : free.value) & ((1n << fraction) - 1n);
    return sign | (BigInt(top + f.bias) << fraction) | kept;
  }
  if (!(o.masked & Flag.underflow)) {
    o.raised |= Flag.underflow;
    return sign;
  }
  const tiny = roundShift(o.rounding, negative, n, 1 - f.bias - f.fraction - exponent);
  if (tiny.inexact) o.raised |= Flag.underflow;
  note(o, tiny);
  return sign | tiny.value;
}
