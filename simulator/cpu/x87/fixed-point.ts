// Elementary functions of fixed-point numbers (integers with `bits` fraction bits), with an error of a few units of the last place.

import { integerRoot } from './arithmetic.ts';

const CONSTANT_BITS = 460;
type Constant = (bits: number) => bigint;
const lazily = (compute: (bits: number) => bigint): Constant => {
  let known: bigint | null = null;
  return (bits) => {
    known ??= compute(CONSTANT_BITS);
    return known >> BigInt(CONSTANT_BITS - bits);
  };
};

/** atan(1 / n), or with `hyperbolic` atanh(1 / n). */
function inverseTangent(n: bigint, bits: number, hyperbolic: boolean): bigint {
  let power = (1n << BigInt(bits + 16)) / n;
  let sum = power;
  for (let k = 3n; power !== 0n; k += 2n) {
    power = hyperbolic ? power / (n * n) : -power / (n * n);
    sum += power / k;
  }
  return sum >> 16n;
}
/** Machin's formula. */
export const pi = lazily((bits) => 16n * inverseTangent(5n, bits, false) - 4n * inverseTangent(239n, bits, false));
export const ln2 = lazily((bits) => 2n * inverseTangent(3n, bits, true));

/** e ** t - 1, |t| < 1. */
export function expm1(t: bigint, bits: number): bigint {
  const by = BigInt(bits);
  let term = t;
  let sum = t;
  for (let k = 2n; term !== 0n && term !== -1n; k++) {
    term = (term * t) >> by;
    term /= k;
    sum += term;
  }
  return sum;
}

/** 2 atanh(n / d): the logarithm of (d + n) / (d - n), for |n / d| < 1/2. */
export function logarithm(n: bigint, d: bigint, bits: number): bigint {
  const by = BigInt(bits);
  const z = (n << by) / d;
  const square = (z * z) >> by;
  let power = z;
  let sum = z;
  for (let k = 3n; power !== 0n && power !== -1n; k += 2n) {
    power = (power * square) >> by;
    sum += power / k;
  }
  return 2n * sum;
}

/** sin t and cos t, |t| <= 1. */
export function sineAndCosine(t: bigint, bits: number): { sine: bigint; cosine: bigint } {
  const by = BigInt(bits);
  const square = (t * t) >> by;
  const series = (first: bigint, from: bigint): bigint => {
    let term = first;
    let sum = first;
    for (let k = from; term !== 0n && term !== -1n; k += 2n) {
      term = -((term * square) >> by) / (k * (k + 1n));
      sum += term;
    }
    return sum;
  };
  return { sine: series(t, 2n), cosine: series(1n << by, 1n) };
}

/** atan t, 0 <= t <= 1. */
export function arcTangent(t: bigint, bits: number): bigint {
  const by = BigInt(bits);
  const one = 1n << by;
  let z = t;
  const halvings = 3n;
  for (let n = 0n; n < halvings; n++) z = (z << by) / (one + integerRoot((one << by) + z * z));
  const square = (z * z) >> by;
  let power = z;
  let sum = z;
  for (let k = 3n; power !== 0n && power !== -1n; k += 2n) {
    power = -((power * square) >> by);
    sum += power / k;
  }
  return sum << halvings;
}
