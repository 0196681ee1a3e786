// Binary interchange formats of SSE, and the state of one floating-point instruction: control bits in, exception flags out.
// Values are raw bits as bigint; nothing here depends on what a JavaScript engine does with NaNs.

export interface Format {
  /** Bytes. */
  readonly bytes: 4 | 8;
  /** Bits of the significand, the implied one included. */
  readonly precision: bigint;
  readonly fraction: bigint;
  readonly fractionMask: bigint;
  readonly exponentMask: bigint;
  readonly signBit: bigint;
  readonly infinity: bigint;
  readonly quietBit: bigint;
  /** The NaN that invalid operations give. */
  readonly indefinite: bigint;
  readonly largest: bigint;
  /** Exponent of the least normal number, and of the greatest. */
  readonly minimum: number;
  readonly maximum: number;
}

function format(bytes: 4 | 8, fraction: bigint, exponentBits: bigint): Format {
  const exponentMask = (1n << exponentBits) - 1n;
  const infinity = exponentMask << fraction;
  const quietBit = 1n << (fraction - 1n);
  const signBit = 1n << BigInt(8 * bytes - 1);
  const bias = Number(exponentMask >> 1n);
  return {
    bytes,
    precision: fraction + 1n,
    fraction,
    fractionMask: (1n << fraction) - 1n,
    exponentMask,
    signBit,
    infinity,
    quietBit,
    indefinite: signBit | infinity | quietBit,
    largest: infinity - 1n,
    minimum: 1 - bias,
    maximum: bias,
  };
}
export const SINGLE = format(4, 23n, 8n);
export const DOUBLE = format(8, 52n, 11n);

/** Exception flags of MXCSR; masks lie 7 bits higher. */
export const Flag = { invalid: 1, denormal: 2, zeroDivide: 4, overflow: 8, underflow: 16, inexact: 32 } as const;
export const BEFORE_COMPUTATION = Flag.invalid | Flag.denormal | Flag.zeroDivide;
export const MXCSR_DAZ = 0x40;
export const MXCSR_FTZ = 0x8000;
export const Rounding = { nearest: 0, down: 1, up: 2, zero: 3 } as const;

/** MXCSR as one instruction sees it, and what it raises. */
export class FloatContext {
  rounding = 0;
  denormalsAreZero = false;
  flushToZero = false;
  /** Flags whose exceptions are masked. */
  masked = 0x3f;
  raised = 0;

  begin(mxcsr: number): void {
    this.rounding = (mxcsr >> 13) & 3;
    this.denormalsAreZero = (mxcsr & MXCSR_DAZ) !== 0;
    this.masked = (mxcsr >> 7) & 0x3f;
    this.flushToZero = (mxcsr & MXCSR_FTZ) !== 0 && (this.masked & Flag.underflow) !== 0;
    this.raised = 0;
  }
}

export const isNaNBits = (f: Format, v: bigint): boolean => (v & ~f.signBit) > f.infinity;
export const isSignalling = (f: Format, v: bigint): boolean => isNaNBits(f, v) && (v & f.quietBit) === 0n;
export const isInfinite = (f: Format, v: bigint): boolean => (v & ~f.signBit) === f.infinity;
export const isZero = (f: Format, v: bigint): boolean => (v & ~f.signBit) === 0n;
export const isDenormal = (f: Format, v: bigint): boolean => (v & f.infinity) === 0n && (v & f.fractionMask) !== 0n;
export const isNegative = (f: Format, v: bigint): boolean => (v & f.signBit) !== 0n;

/** A denormal operand: a zero of its sign under DAZ, else it raises the denormal flag. */
export function operand(c: FloatContext, f: Format, v: bigint): bigint {
  if (!isDenormal(f, v)) return v;
  if (c.denormalsAreZero) return v & f.signBit;
  c.raised |= Flag.denormal;
  return v;
}

/** What an operation with a NaN among its operands gives: the first operand if it is one, else the second, made quiet; null: no NaN. */
export function nanResult(c: FloatContext, f: Format, a: bigint, b: bigint): bigint | null {
  const first = isNaNBits(f, a);
  if (!first && !isNaNBits(f, b)) return null;
  if (isSignalling(f, a) || isSignalling(f, b)) c.raised |= Flag.invalid;
  return (first ? a : b) | f.quietBit;
}

/** Significand and exponent of a finite number: value = significand * 2 ** exponent, sign apart. */
export function significand(f: Format, v: bigint): bigint {
  const exponent = (v >> f.fraction) & f.exponentMask;
  return exponent === 0n ? v & f.fractionMask : (v & f.fractionMask) | (1n << f.fraction);
}
export function exponentOf(f: Format, v: bigint): number {
  const exponent = Number((v >> f.fraction) & f.exponentMask);
  return (exponent === 0 ? f.minimum : exponent - f.maximum) - Number(f.fraction);
}

export function bitLength(n: bigint): number {
  let length = 0;
  let rest = n;
  while (rest > 0xffffffffffffffffn) {
    rest >>= 64n;
    length += 64;
  }
  const high = Number(rest >> 32n);
  return length + (high ? 64 - Math.clz32(high) : 32 - Math.clz32(Number(rest & 0xffffffffn)));
}
