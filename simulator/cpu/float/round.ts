// Rounding of exact results into a format: all rounding modes, overflow, gradual underflow with tininess detected after rounding,
// flush to zero. Source: Intel SDM volume 1, section 4.9 and 11.5; AMD64 APM volume 1, section 4.8.

import { bitLength, Flag, type FloatContext, type Format, isNaNBits, isSignalling, Rounding } from './format.ts';

/** n / 2 ** shift rounded to an integer; `sticky`: n is a little more than it says. */
function roundShift(rounding: number, negative: boolean, n: bigint, shift: number, sticky: boolean): { value: bigint; inexact: boolean } {
  if (shift <= 0) {
    if (sticky) throw new Error('a result with sticky bits needs more bits than its format has');
    return { value: n << BigInt(-shift), inexact: false };
  }
  const by = BigInt(shift);
  const value = n >> by;
  const rest = n & ((1n << by) - 1n);
  const inexact = rest !== 0n || sticky;
  if (!inexact) return { value, inexact };
  let up: boolean;
  if (rounding === Rounding.nearest) {
    const half = 1n << (by - 1n);
    up = rest > half || (rest === half && (sticky || (value & 1n) === 1n));
  } else up = rounding === Rounding.up ? !negative : rounding === Rounding.down ? negative : false;
  return { value: up ? value + 1n : value, inexact };
}

/** The number (-1) ** negative * n * 2 ** exponent, n > 0, in the format; `sticky`: a part too small to count was lost from n. */
export function pack(c: FloatContext, f: Format, negative: boolean, n: bigint, exponent: number, sticky = false): bigint {
  const sign = negative ? f.signBit : 0n;
  const precision = Number(f.precision);
  const length = bitLength(n);
  // Rounded as if the exponent had no bounds: this decides overflow and tininess.
  const free = roundShift(c.rounding, negative, n, length - precision, sticky);
  const top = exponent + length - 1 + (free.value >> f.precision !== 0n ? 1 : 0);
  if (top > f.maximum) return overflow(c, f, negative, free.inexact);
  if (top >= f.minimum) {
    if (free.inexact) c.raised |= Flag.inexact;
    const fraction = free.value >> f.precision !== 0n ? 0n : free.value & f.fractionMask;
    return sign | (BigInt(top + f.maximum) << f.fraction) | fraction;
  }
  if (!(c.masked & Flag.underflow)) {
    // The result is not written: the exception says so, exact or not.
    c.raised |= Flag.underflow | (free.inexact ? Flag.inexact : 0);
    return sign;
  }
  if (c.flushToZero) {
    c.raised |= Flag.underflow | Flag.inexact;
    return sign;
  }
  const least = f.minimum - precision + 1;
  const tiny = roundShift(c.rounding, negative, n, least - exponent, sticky);
  if (tiny.inexact) c.raised |= Flag.underflow | Flag.inexact;
  return sign | tiny.value;
}

function overflow(c: FloatContext, f: Format, negative: boolean, inexact: boolean): bigint {
  const sign = negative ? f.signBit : 0n;
  if (!(c.masked & Flag.overflow)) {
    c.raised |= Flag.overflow | (inexact ? Flag.inexact : 0);
    return sign;
  }
  c.raised |= Flag.overflow | Flag.inexact;
  const away = c.rounding === Rounding.nearest || c.rounding === (negative ? Rounding.down : Rounding.up);
  return sign | (away ? f.infinity : f.largest);
}

/** A NaN of one format in another: payload aligned at the top, quiet. */
export function convertNaN(c: FloatContext, from: Format, to: Format, v: bigint): bigint {
  if (!isNaNBits(from, v)) throw new Error('not a NaN');
  if (isSignalling(from, v)) c.raised |= Flag.invalid;
  const sign = v & from.signBit ? to.signBit : 0n;
  const payload = v & from.fractionMask;
  const moved = to.fraction >= from.fraction ? payload << (to.fraction - from.fraction) : payload >> (from.fraction - to.fraction);
  return sign | to.infinity | to.quietBit | moved;
}

/** n * 2 ** exponent rounded to an integer. */
export function roundToInteger(rounding: number, negative: boolean, n: bigint, exponent: number): { value: bigint; inexact: boolean } {
  return roundShift(rounding, negative, n, -exponent, false);
}
