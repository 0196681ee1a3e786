// SSE floating-point arithmetic. WebAssembly's own arithmetic is used where result and flags are known to be right: rounding to
// nearest, the inexact exception masked, its flag already set or the result proved exact, no denormal operand, a normal result (or an
// exact zero). Everything else is computed in TypeScript (float/), NaNs among it, whose bits WebAssembly does not define.

import type { Node } from '../emit/expressions.ts';
import { SIMD } from '../emit/simd.ts';
import type { Insn } from './builder.ts';
import { type VectorBody, vector, XMM_FORMS } from './vector.ts';
import type { VectorBuilder, VectorBytes } from './vector-builder.ts';

export interface Kind {
  readonly name: 'ps' | 'pd' | 'ss' | 'sd';
  readonly element: 4 | 8;
  /** Bytes of an operand. */
  readonly bytes: VectorBytes;
}
export const FLOAT_KINDS: readonly Kind[] = [
  { name: 'ps', element: 4, bytes: 16 },
  { name: 'pd', element: 8, bytes: 16 },
  { name: 'ss', element: 4, bytes: 4 },
  { name: 'sd', element: 8, bytes: 8 },
];
/** MXCSR: the inexact exception masked, rounding to nearest: bits and their value. */
export const MODE_MASK = 0x7000;
export const MODE = 0x1000;

const SIGN = { 4: 1n << 31n, 8: 1n << 63n } as const;
const LEAST_NORMAL = { 4: 1n << 23n, 8: 1n << 52n } as const;
const INFINITY = { 4: 0xffn << 23n, 8: 0x7ffn << 52n } as const;
/** Integer opcodes by element size. */
const op = (element: 4 | 8) =>
  element === 4
    ? { eq: SIMD.i32Equal, lt: SIMD.i32LessS, le: SIMD.i32LessEqualS, ge: SIMD.i32GreaterEqualS, all: SIMD.i32AllTrue }
    : { eq: SIMD.i64Equal, lt: SIMD.i64LessS, le: SIMD.i64LessEqualS, ge: SIMD.i64GreaterEqualS, all: SIMD.i64AllTrue };

/** Pushes an operand: all elements, or the scalar in every lane. */
export function pushOperand(b: VectorBuilder, k: Kind, at: Node): void {
  if (k.bytes === 16) b.vload(at, 16);
  else b.vsplat(at, k.element);
}
/** Replaces the value on the stack by its magnitude. */
function magnitude(b: VectorBuilder, k: Kind): void {
  b.vrepeat(SIGN[k.element] - 1n, k.element);
  b.simd(SIMD.and);
}
function isZero(b: VectorBuilder, k: Kind, local: number): void {
  b.vget(local);
  b.vconstant(0n, 0n);
  b.simd(op(k.element).eq);
}
/** Pushes where the magnitude in a local is zero or at least normal: no denormal. */
export function notDenormal(b: VectorBuilder, k: Kind, local: number): void {
  isZero(b, k, local);
  b.vget(local);
  b.vrepeat(LEAST_NORMAL[k.element], k.element);
  b.simd(op(k.element).ge);
  b.simd(SIMD.or);
}
/** Pushes where the magnitude in a local is a number or infinity and no denormal. */
export function plainOperand(b: VectorBuilder, k: Kind, local: number): void {
  notDenormal(b, k, local);
  b.vget(local);
  b.vrepeat(INFINITY[k.element], k.element);
  b.simd(op(k.element).le);
  b.simd(SIMD.and);
}
/** Pushes an i32: all magnitudes in the local are zero, or at least `least` and below `limit`. */
export function allWithin(b: VectorBuilder, k: Kind, local: number, least: bigint, limit: bigint): void {
  b.vget(local);
  b.vrepeat(least, k.element);
  b.simd(op(k.element).ge);
  b.vget(local);
  b.vrepeat(limit, k.element);
  b.simd(op(k.element).lt);
  b.simd(SIMD.and);
  isZero(b, k, local);
  b.simd(SIMD.or);
  allLanes(b, k);
}
export function allLanes(b: VectorBuilder, k: Kind): void {
  b.simd(op(k.element).all);
}
export const loadMagnitude = (b: VectorBuilder, k: Kind, from: number, to: number): void => {
  b.vget(from);
  magnitude(b, k);
  b.vset(to);
};

interface Fast {
  readonly first?: (b: VectorBuilder, k: Kind, d: Node, s: Node) => void;
  readonly second: (b: VectorBuilder, k: Kind, d: Node, s: Node) => void;
  readonly opcode: Readonly<Record<4 | 8, number>>;
  /** An operand whose zeros make a zero result exact: either, the first, or any zero result is exact. */
  readonly zero: 'any' | 'either' | 'first' | 'second';
  /** Pushes an i32 that says whether the result in R is exact. */
  readonly exact: (b: VectorBuilder, k: Kind) => void;
}
const A = 0;
const B = 1;
const R = 2;
const MAGNITUDE_A = 3;
const MAGNITUDE_B = 4;
const MAGNITUDE_R = 5;

/** Fast path, then the exact one. */
function arithmetic(operation: string, k: Kind, f: Fast): VectorBody {
  const { element } = k;
  return (b: VectorBuilder, i: Insn) => {
    const d = b.place(i.d);
    const s = b.place(i.s);
    b.open('block', 'done');
    b.emit(b.eq(b.and(b.mxcsr(), b.k32(MODE_MASK)), b.k32(MODE)));
    b.open('if', 'plain mode');
    if (f.first) {
      f.first(b, k, d, s);
      b.vset(A);
    }
    f.second(b, k, d, s);
    b.vset(B);
    if (f.first) b.vget(A);
    b.vget(B);
    b.simd(f.opcode[element]);
    b.vset(R);
    loadMagnitude(b, k, R, MAGNITUDE_R);
    if (f.first) loadMagnitude(b, k, A, MAGNITUDE_A);
    loadMagnitude(b, k, B, MAGNITUDE_B);
    // The result is normal, and not the least normal number, which may have been rounded up from a denormal.
    b.vget(MAGNITUDE_R);
    b.vrepeat(2n * LEAST_NORMAL[element], element);
    b.simd(op(element).ge);
    b.vget(MAGNITUDE_R);
    b.vrepeat(INFINITY[element], element);
    b.simd(op(element).lt);
    b.simd(SIMD.and);
    isZero(b, k, MAGNITUDE_R);
    if (f.zero !== 'any') {
      isZero(b, k, f.zero === 'second' ? MAGNITUDE_B : MAGNITUDE_A);
      if (f.zero === 'either') {
        isZero(b, k, MAGNITUDE_B);
        b.simd(SIMD.or);
      }
      b.simd(SIMD.and);
    }
    b.simd(SIMD.or);
    if (f.first) {
      notDenormal(b, k, MAGNITUDE_A);
      b.simd(SIMD.and);
    }
    notDenormal(b, k, MAGNITUDE_B);
    b.simd(SIMD.and);
    allLanes(b, k);
    b.open('if', 'plain values');
    b.ifInexactAllowed(() => f.exact(b, k));
    b.open('if', 'right');
    b.vstoreAt(d, k.bytes, () => b.vget(R));
    b.br('done');
    b.close();
    b.close();
    b.close();
    b.float(operation, d, s);
    b.close();
  };
}

// ---- proofs that a result is exact: where they fail, the operation is repeated exactly, which sets the flag

/** The error of a rounded sum, as Knuth computes it; zero in all lanes. */
const exactSum =
  (negated: boolean) =>
  (b: VectorBuilder, k: Kind): void => {
    const [plus, minus] = k.element === 4 ? [SIMD.f32Add, SIMD.f32Sub] : [SIMD.f64Add, SIMD.f64Sub];
    const SECOND = MAGNITUDE_A;
    const VIRTUAL = MAGNITUDE_B;
    b.vget(B);
    if (negated) {
      b.vrepeat(SIGN[k.element], k.element);
      b.simd(SIMD.xor);
    }
    b.vset(SECOND);
    b.vget(R);
    b.vget(A);
    b.simd(minus);
    b.vset(VIRTUAL);
    b.vget(A);
    b.vget(R);
    b.vget(VIRTUAL);
    b.simd(minus);
    b.simd(minus);
    b.vget(SECOND);
    b.vget(VIRTUAL);
    b.simd(minus);
    b.simd(plus);
    b.vconstant(0n, 0n);
    b.simd(k.element === 4 ? SIMD.f32Equal : SIMD.f64Equal);
    allLanes(b, k);
  };

const HIGH_HALF = [8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7];
/** x * y = z in all lanes. Singles: in doubles, which hold every product; doubles: their significant bits together must fit into one. */
const exactProduct =
  (x: number, y: number, z: number) =>
  (b: VectorBuilder, k: Kind): void => {
    if (k.element === 4) {
      const promoted = (local: number, high: boolean): void => {
        b.vget(local);
        if (high) {
          b.vget(local);
          b.vshuffle(HIGH_HALF);
        }
        b.simd(SIMD.f64PromoteLow);
      };
      const halves = k.bytes === 16 ? [false, true] : [false];
      halves.forEach((high, n) => {
        promoted(x, high);
        promoted(y, high);
        b.simd(SIMD.f64Mul);
        promoted(z, high);
        b.simd(SIMD.f64Equal);
        if (n > 0) b.simd(SIMD.and);
      });
      b.simd(SIMD.i64AllTrue);
      return;
    }
    b.vget(x);
    b.vget(y);
    b.simd(SIMD.f64Mul);
    b.vget(z);
    b.simd(SIMD.f64Equal);
    b.simd(SIMD.i64AllTrue);
    for (let lane = 0; lane < k.bytes / 8; lane++) {
      const trailing = (local: number): Node => {
        b.vget(local);
        b.simd(SIMD.i64ExtractLane);
        b.byte(lane);
        const v = b.popped64();
        return b.ctz(b.or(v, b.k64(1n << 52n)));
      };
      b.emit(b.geu(b.let(b.add(b.let(trailing(x)), b.let(trailing(y)))), b.k64(53)));
      b.byte(0x71); // i32.and
    }
  };

const pushD = (b: VectorBuilder, k: Kind, d: Node): void => pushOperand(b, k, d);
const pushS = (b: VectorBuilder, k: Kind, _: Node, s: Node): void => pushOperand(b, k, s);
const BASIC: Readonly<Record<string, Fast>> = {
  add: { first: pushD, second: pushS, opcode: { 4: SIMD.f32Add, 8: SIMD.f64Add }, zero: 'any', exact: exactSum(false) },
  sub: { first: pushD, second: pushS, opcode: { 4: SIMD.f32Sub, 8: SIMD.f64Sub }, zero: 'any', exact: exactSum(true) },
  mul: { first: pushD, second: pushS, opcode: { 4: SIMD.f32Mul, 8: SIMD.f64Mul }, zero: 'either', exact: exactProduct(A, B, R) },
  div: { first: pushD, second: pushS, opcode: { 4: SIMD.f32Div, 8: SIMD.f64Div }, zero: 'first', exact: exactProduct(R, B, A) },
  sqrt: { second: pushS, opcode: { 4: SIMD.f32Sqrt, 8: SIMD.f64Sqrt }, zero: 'second', exact: exactProduct(R, R, B) },
};
for (const k of FLOAT_KINDS)
  for (const [stem, fast] of Object.entries(BASIC))
    vector(stem + k.name, { forms: XMM_FORMS, memory: k.bytes }, () => arithmetic(stem + k.name, k, fast));

// ---- neighbouring elements, and alternating signs

/** Bytes of the even or odd elements of both operands. */
const everySecond = (element: 4 | 8, odd: number): number[] =>
  Array.from({ length: 16 / element }, (_, n) => n * 2 + odd).flatMap((e) => Array.from({ length: element }, (_, i) => e * element + i));
const neighbours =
  (odd: number) =>
  (b: VectorBuilder, k: Kind, d: Node, s: Node): void => {
    b.vload(d, 16);
    b.vload(s, 16);
    b.vshuffle(everySecond(k.element, odd));
  };
/** The source with the sign of its even elements turned over. */
const alternating = (b: VectorBuilder, k: Kind, _: Node, s: Node): void => {
  b.vload(s, 16);
  if (k.element === 8) b.vconstant(1n << 63n, 0n);
  else b.vconstant(1n << 31n, 1n << 31n);
  b.simd(SIMD.xor);
};
const PAIRS: Readonly<Record<string, Fast>> = {
  hadd: { ...BASIC.add!, first: neighbours(0), second: neighbours(1) },
  hsub: { ...BASIC.sub!, first: neighbours(0), second: neighbours(1) },
  addsub: { ...BASIC.add!, second: alternating },
};
for (const k of FLOAT_KINDS.slice(0, 2))
  for (const [stem, fast] of Object.entries(PAIRS)) vector(stem + k.name, { forms: XMM_FORMS }, () => arithmetic(stem + k.name, k, fast));

// ---- approximations, always from the table of results

vector('rcpps rsqrtps', { forms: XMM_FORMS }, (key) => (b, i) => b.float(key, b.place(i.d), b.place(i.s)));
vector('rcpss rsqrtss', { forms: XMM_FORMS, memory: 4 }, (key) => (b, i) => b.float(key, b.place(i.d), b.place(i.s)));
