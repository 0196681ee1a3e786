// rcpps and rsqrtps. The manuals bound the relative error (1.5 * 2 ** -12) and leave the bits to each processor; these are those of
// AMD's. They raise no exception and ignore MXCSR: denormal operands count as zeros, denormal results become zeros.

import { RECIPROCAL, ROOT_OF_1_TO_2, ROOT_OF_2_TO_4 } from './approximations.table.ts';

const SIGN = 0x80000000;
const INFINITY = 0x7f800000;
const INDEFINITE = 0xffc00000;
const QUIET = 0x00400000;

/** Fractions of 12 bits by index: `value` maps [1, 2) into [1/2, 1]. */
function table(corrections: string, value: (x: number) => number): Uint16Array {
  const packed = atob(corrections);
  return Uint16Array.from({ length: 4096 }, (_, i) => {
    const y = Math.floor((2 * value(1 + (i + 0.5) / 4096) - 1) * 4096 + 0.5);
    return y + ((packed.charCodeAt(i >> 2) >> (2 * (i & 3))) & 3) - 1;
  });
}
let tables: readonly [Uint16Array, Uint16Array, Uint16Array] | null = null;
function loaded(): readonly [Uint16Array, Uint16Array, Uint16Array] {
  tables ??= [
    table(RECIPROCAL, (x) => 1 / x),
    table(ROOT_OF_1_TO_2, (x) => 1 / Math.sqrt(x)),
    table(ROOT_OF_2_TO_4, (x) => 1 / Math.sqrt(2 * x)),
  ];
  return tables;
}

/** Of the bits of a single, as unsigned 32 bits. */
export function reciprocal(v: number): number {
  const sign = v & SIGN;
  const exponent = (v >>> 23) & 255;
  if (exponent === 255) return v & 0x7fffff ? (v | QUIET) >>> 0 : sign >>> 0;
  if (exponent === 0) return (sign | INFINITY) >>> 0;
  const result = 253 - exponent;
  if (result <= 0) return sign >>> 0;
  return (sign | (result << 23) | (loaded()[0][(v >>> 11) & 4095]! << 11)) >>> 0;
}

export function reciprocalRoot(v: number): number {
  const exponent = (v >>> 23) & 255;
  if (exponent === 255 && v & 0x7fffff) return (v | QUIET) >>> 0;
  if (exponent === 0) return ((v & SIGN) | INFINITY) >>> 0;
  if (v & SIGN) return INDEFINITE;
  if (exponent === 255) return 0;
  // 2 ** (2 k) for odd exponent fields: the bias is odd.
  const odd = exponent & 1;
  const result = odd ? 126 - (exponent - 127) / 2 : 126 - (exponent - 128) / 2;
  return ((result << 23) | (loaded()[odd ? 1 : 2][(v >>> 11) & 4095]! << 11)) >>> 0;
}
