// The 80-bit format of the x87 registers: values, classes, NaN rules. Values are exact integers; nothing depends on JavaScript's numbers.

/** (-1) ** negative * significand * 2 ** (max(exponent, 1) - 16383 - 63). */
export interface Extended {
  readonly negative: boolean;
  /** Biased, 15 bits. */
  readonly exponent: number;
  /** 64 bits, the integer bit is explicit. */
  readonly significand: bigint;
  /** Converted from a denormal of a shorter format: an operation with it raises the denormal exception. */
  readonly wasDenormal?: boolean;
}

export const BIAS = 16383;
export const MAXIMUM = 0x7fff;
export const INTEGER_BIT = 1n << 63n;
const QUIET_BIT = 1n << 62n;

/** Exception flags of the status word; masks are the same bits of the control word. */
export const Flag = { invalid: 1, denormal: 2, zeroDivide: 4, overflow: 8, underflow: 16, inexact: 32, stack: 64 } as const;
export const Rounding = { nearest: 0, down: 1, up: 2, zero: 3 } as const;

/** What one instruction sees of the control word, and what it raises. */
export class Operation {
  /** Bits of a result's significand. */
  readonly precision: 24 | 53 | 64;
  readonly rounding: number;
  readonly masked: number;
  raised = 0;
  /** The last rounding was away from zero (C1). */
  roundedUp = false;

  constructor(control: number) {
    // The reserved setting 1 acts as 3.
    this.precision = ([24, 64, 53, 64] as const)[(control >> 8) & 3]!;
    this.rounding = (control >> 10) & 3;
    this.masked = control & 0x3f;
  }
  /** An unmasked exception that comes before the computation: nothing is written. */
  get stopped(): boolean {
    return (this.raised & ~this.masked & (Flag.invalid | Flag.denormal | Flag.zeroDivide)) !== 0;
  }
}

export const make = (negative: boolean, exponent: number, significand: bigint): Extended => ({ negative, exponent, significand });
export const zero = (negative: boolean): Extended => make(negative, 0, 0n);
export const infinity = (negative: boolean): Extended => make(negative, MAXIMUM, INTEGER_BIT);
/** The NaN of a masked invalid operation. */
export const INDEFINITE = make(true, MAXIMUM, INTEGER_BIT | QUIET_BIT);
export const ONE = make(false, BIAS, INTEGER_BIT);

/** Unnormals, pseudo-infinities and pseudo-NaNs: operands that are invalid. */
export const isUnsupported = (v: Extended): boolean => v.exponent !== 0 && (v.significand & INTEGER_BIT) === 0n;
export const isNaNValue = (v: Extended): boolean => v.exponent === MAXIMUM && v.significand > INTEGER_BIT;
export const isSignalling = (v: Extended): boolean => isNaNValue(v) && (v.significand & QUIET_BIT) === 0n;
export const isInfinite = (v: Extended): boolean => v.exponent === MAXIMUM && v.significand === INTEGER_BIT;
export const isZero = (v: Extended): boolean => v.exponent === 0 && v.significand === 0n;
/** Denormals and pseudo-denormals. */
export const isDenormal = (v: Extended): boolean => (v.exponent === 0 && v.significand !== 0n) || v.wasDenormal === true;
export const quiet = (v: Extended): Extended => make(v.negative, v.exponent, v.significand | QUIET_BIT);
export const negate = (v: Extended): Extended => ({ ...v, negative: !v.negative });
/** Power of two of the significand's last bit. */
export const scaleOf = (v: Extended): number => (v.exponent === 0 ? 1 : v.exponent) - BIAS - 63;

/** An operation that is invalid or divides by zero says nothing of denormal operands. */
export function raise(o: Operation, flag: number): void {
  o.raised = (o.raised & ~Flag.denormal) | flag;
}
export function invalid(o: Operation): Extended {
  raise(o, Flag.invalid);
  return INDEFINITE;
}

/** The NaN of two operands: a quiet one before a signalling one, then the one with the greater significand, then the positive one. */
function chosenNaN(a: Extended, b: Extended): Extended {
  if (!isNaNValue(b)) return a;
  if (!isNaNValue(a)) return b;
  if (isSignalling(a) !== isSignalling(b)) return isSignalling(a) ? b : a;
  if (a.significand !== b.significand) return a.significand > b.significand ? a : b;
  return a.negative ? b : a;
}

/** The result where an operand decides it: unsupported or a NaN. Otherwise notes denormal operands and returns null. */
export function special(o: Operation, a: Extended, b: Extended = a): Extended | null {
  if (isUnsupported(a) || isUnsupported(b)) return invalid(o);
  if (isNaNValue(a) || isNaNValue(b)) {
    if (isSignalling(a) || isSignalling(b)) o.raised |= Flag.invalid;
    return quiet(chosenNaN(a, b));
  }
  if (isDenormal(a) || isDenormal(b)) o.raised |= Flag.denormal;
  return null;
}
