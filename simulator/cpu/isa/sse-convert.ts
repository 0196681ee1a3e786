// SSE conversions. WebAssembly's own where result and flags are known (see sse-float.ts), TypeScript for the rest.

import type { Node, Width } from '../emit/expressions.ts';
import { SIMD } from '../emit/simd.ts';
import type { Insn } from './builder.ts';
import { allLanes, allWithin, FLOAT_KINDS, type Kind, loadMagnitude, MODE, MODE_MASK, plainOperand } from './sse-float.ts';
import { type VectorBody, vector, XMM_FORMS } from './vector.ts';
import type { VectorBuilder } from './vector-builder.ts';

/** WebAssembly's scalar floating-point opcodes. */
const WASM = {
  f32Load: 0x2a,
  f64Load: 0x2b,
  f32Store: 0x38,
  f64Store: 0x39,
  f32Nearest: 0x90,
  f64Nearest: 0x9e,
  i32FromF32: 0xa8,
  i32FromF64: 0xaa,
  i64FromF32: 0xae,
  i64FromF64: 0xb0,
  f32FromI32: 0xb2,
  f32FromI64: 0xb4,
  f32FromF64: 0xb6,
  f64FromI32: 0xb7,
  f64FromI64: 0xb9,
  f64FromF32: 0xbb,
  f32Equal: 0x5b,
  f64Equal: 0x61,
} as const;

const loadFloat = (b: VectorBuilder, at: Node, element: 4 | 8): void => {
  b.emit(at);
  b.withMemory(element === 4 ? WASM.f32Load : WASM.f64Load);
};
const storeFloat = (b: VectorBuilder, at: Node, element: 4 | 8, value: () => void): void => {
  b.emit(at);
  value();
  b.withMemory(element === 4 ? WASM.f32Store : WASM.f64Store);
  b.committed = true;
};
/** `fast` when the condition holds, unless a proof in it fails; else the operation in TypeScript. */
function either(b: VectorBuilder, condition: Node, fast: () => void, slow: () => void): void {
  b.open('block', 'converted');
  b.emit(condition);
  b.open('if', 'plain');
  b.open('block', 'inexact');
  fast();
  b.br('converted');
  b.close();
  b.close();
  slow();
  b.close();
}
/** Within `fast`: stores and ends when the inexact flag is set or `proof` pushes 1; else goes on to the slow way. */
function provided(b: VectorBuilder, proof: () => void, store: () => void): void {
  b.ifInexactAllowed(proof);
  b.byte(0x45); // i32.eqz
  b.brIfPopped('inexact');
  store();
}
const inMode = (b: VectorBuilder, mask: number): Node => b.eq(b.and(b.mxcsr(), b.k32(mask)), b.k32(MODE));

// ---- integers to floating point: exact when they fit the significand

for (const [key, element, convert4, convert8] of [
  ['cvtsi2ss', 4, WASM.f32FromI32, WASM.f32FromI64],
  ['cvtsi2sd', 8, WASM.f64FromI32, WASM.f64FromI64],
] as const)
  vector(key, { forms: ['xr', 'xm'], sizes: [4, 8], memory: (_, w) => w }, () => (b, i) => {
    const d = b.place(i.d);
    const s = b.place(i.s);
    const v = b.get(i.w, s);
    const fast = (): void =>
      storeFloat(b, d, element, () => {
        b.emit(v);
        b.byte(i.w === 4 ? convert4 : convert8);
      });
    if (element === 8 && i.w === 4) {
      fast();
      return;
    }
    const limit = element === 4 ? 1n << 24n : 1n << 53n;
    const fits = b.compare(0x4d, b.add(v, b.k(i.w, limit)), b.k(i.w, 2n * limit));
    either(b, fits, fast, () => b.float(`${key}${i.w}`, d, s));
  });

// ---- to integers in general registers

interface ToInteger {
  readonly element: 4 | 8;
  readonly truncate: boolean;
}
const LEAST_NORMAL = { 4: 1n << 23n, 8: 1n << 52n } as const;
/** Magnitudes, as bits, below which every rounded value fits: by bytes of the source and of the integer. */
const SAFE: Readonly<Record<4 | 8, Readonly<Record<4 | 8, bigint>>>> = {
  4: { 4: 0x4e800000n, 8: 0x5e800000n },
  8: { 4: 0x41dfffffffc00000n, 8: 0x43d0000000000000n },
};
const TRUNCATE: Readonly<Record<4 | 8, Readonly<Record<4 | 8, number>>>> = {
  4: { 4: WASM.i32FromF32, 8: WASM.i64FromF32 },
  8: { 4: WASM.i32FromF64, 8: WASM.i64FromF64 },
};
/** Integers back to floating point. */
const BACK: Readonly<Record<4 | 8, Readonly<Record<4 | 8, number>>>> = {
  4: { 4: WASM.f32FromI32, 8: WASM.f32FromI64 },
  8: { 4: WASM.f64FromI32, 8: WASM.f64FromI64 },
};
/** Magnitude of the number at an address, as an integer. */
function magnitudeAt(b: VectorBuilder, at: Node, element: 4 | 8): Node {
  const v = b.get(element, at);
  return b.let(element === 4 ? b.and(v, b.k32(0x7fffffff)) : b.and(v, b.k64((1n << 63n) - 1n)));
}
/** Zero, or at least normal and below the limit. */
function within(b: VectorBuilder, m: Node, element: 4 | 8, least: bigint, limit: bigint): Node {
  const w: Width = element;
  return b.or(b.isZero(m), b.ltu(b.sub(m, b.k(w, least)), b.k(w, limit - least)));
}
const toRegister =
  (key: string, { element, truncate }: ToInteger): VectorBody =>
  (b: VectorBuilder, i: Insn) => {
    const s = b.place(i.s);
    const d = b.place(i.d);
    const w = i.w as 4 | 8;
    const m = magnitudeAt(b, s, element);
    const plain = b.and(within(b, m, element, LEAST_NORMAL[element], SAFE[element][w]), inMode(b, truncate ? MODE : MODE_MASK));
    const fast = (): void => {
      loadFloat(b, s, element);
      if (!truncate) b.byte(element === 4 ? WASM.f32Nearest : WASM.f64Nearest);
      b.byte(TRUNCATE[element][w]);
      const v = w === 4 ? b.popped() : b.popped64();
      provided(
        b,
        () => {
          b.emit(v);
          b.byte(BACK[element][w]);
          loadFloat(b, s, element);
          b.byte(element === 4 ? WASM.f32Equal : WASM.f64Equal);
        },
        () => b.put(8, d, b.u64(v)),
      );
    };
    either(b, plain, fast, () => b.float(`${key}${w}`, d, s));
  };
for (const [key, element, truncate] of [
  ['cvtss2si', 4, false],
  ['cvttss2si', 4, true],
  ['cvtsd2si', 8, false],
  ['cvttsd2si', 8, true],
] as const)
  vector(key, { forms: ['rx', 'rm'], sizes: [4, 8], memory: element }, () => toRegister(key, { element, truncate }));

// ---- between the formats

/** Bits of 2 ** -125 and 2 ** 127 as doubles: between them a single is normal, and not the least one. */
const SINGLE_FROM = 0x3820000000000000n;
const SINGLE_TO = 0x47e0000000000000n;
vector('cvtss2sd', { forms: XMM_FORMS, memory: 4 }, (key) => (b, i) => {
  const d = b.place(i.d);
  const s = b.place(i.s);
  const plain = within(b, magnitudeAt(b, s, 4), 4, LEAST_NORMAL[4], 0x7f800000n);
  const fast = (): void =>
    storeFloat(b, d, 8, () => {
      loadFloat(b, s, 4);
      b.byte(WASM.f64FromF32);
    });
  either(b, plain, fast, () => b.float(key, d, s));
});
vector('cvtsd2ss', { forms: XMM_FORMS, memory: 8 }, (key) => (b, i) => {
  const d = b.place(i.d);
  const s = b.place(i.s);
  const plain = b.and(within(b, magnitudeAt(b, s, 8), 8, SINGLE_FROM, SINGLE_TO), inMode(b, MODE_MASK));
  const narrowed = (): void => {
    loadFloat(b, s, 8);
    b.byte(WASM.f32FromF64);
  };
  const proof = (): void => {
    narrowed();
    b.byte(WASM.f64FromF32);
    loadFloat(b, s, 8);
    b.byte(WASM.f64Equal);
  };
  either(
    b,
    plain,
    () => provided(b, proof, () => storeFloat(b, d, 4, narrowed)),
    () => b.float(key, d, s),
  );
});

// ---- packed

vector('cvtdq2pd', { forms: XMM_FORMS, memory: 8 }, () => (b, i) => {
  const d = b.place(i.d);
  const s = b.place(i.s);
  b.vstore(i.d, d, 16, () => {
    b.vload(s, 8);
    b.simd(SIMD.f64ConvertLowI32);
  });
});
const EXACT_SINGLE = 1n << 24n;
vector('cvtdq2ps', { forms: XMM_FORMS }, (key) => (b, i) => {
  const d = b.place(i.d);
  const s = b.place(i.s);
  const fits = (): void => {
    b.vload(s, 16);
    b.vrepeat(EXACT_SINGLE, 4);
    b.simd(SIMD.i32Add);
    b.vrepeat(2n * EXACT_SINGLE, 4);
    b.simd(SIMD.i32LessEqualU);
    b.simd(SIMD.i32AllTrue);
  };
  const converted = (): void => {
    b.vload(s, 16);
    b.simd(SIMD.f32ConvertI32);
  };
  either(
    b,
    inMode(b, MODE_MASK),
    () => provided(b, fits, () => b.vstoreAt(d, 16, converted)),
    () => b.float(key, d, s),
  );
});

const [PS, PD] = FLOAT_KINDS as readonly [Kind, Kind];
const SOURCE = 0;
const MAGNITUDE = 1;
const RESULT = 2;
interface Packed {
  readonly kind: Kind;
  /** Magnitudes other than zero from which, and below which, the fast way is right. */
  readonly least: bigint;
  readonly limit: bigint;
  /** Leaves the result of what is on the stack. */
  readonly convert: readonly number[];
  /** The way back, to prove that nothing was lost. */
  readonly back: number;
  readonly mode: number;
}
const PACKED: Readonly<Record<string, Packed>> = {
  cvtps2dq: {
    kind: PS,
    least: LEAST_NORMAL[4],
    limit: SAFE[4][4],
    convert: [SIMD.f32Nearest, SIMD.i32TruncateF32],
    back: SIMD.f32ConvertI32,
    mode: MODE_MASK,
  },
  cvttps2dq: { kind: PS, least: LEAST_NORMAL[4], limit: SAFE[4][4], convert: [SIMD.i32TruncateF32], back: SIMD.f32ConvertI32, mode: MODE },
  cvtpd2dq: {
    kind: PD,
    least: LEAST_NORMAL[8],
    limit: SAFE[8][4],
    convert: [SIMD.f64Nearest, SIMD.i32TruncateF64Zero],
    back: SIMD.f64ConvertLowI32,
    mode: MODE_MASK,
  },
  cvttpd2dq: {
    kind: PD,
    least: LEAST_NORMAL[8],
    limit: SAFE[8][4],
    convert: [SIMD.i32TruncateF64Zero],
    back: SIMD.f64ConvertLowI32,
    mode: MODE,
  },
  cvtpd2ps: { kind: PD, least: SINGLE_FROM, limit: SINGLE_TO, convert: [SIMD.f32DemoteZero], back: SIMD.f64PromoteLow, mode: MODE_MASK },
};
for (const [key, p] of Object.entries(PACKED))
  vector(key, { forms: XMM_FORMS }, () => (b, i) => {
    const d = b.place(i.d);
    const s = b.place(i.s);
    b.vload(s, 16);
    b.vset(SOURCE);
    loadMagnitude(b, p.kind, SOURCE, MAGNITUDE);
    allWithin(b, p.kind, MAGNITUDE, p.least, p.limit);
    const plain = b.and(b.popped(), inMode(b, p.mode));
    const fast = (): void => {
      b.vget(SOURCE);
      for (const opcode of p.convert) b.simd(opcode);
      b.vset(RESULT);
      const proof = (): void => {
        b.vget(RESULT);
        b.simd(p.back);
        b.vget(SOURCE);
        b.simd(p.kind.element === 4 ? SIMD.f32Equal : SIMD.f64Equal);
        allLanes(b, p.kind);
      };
      provided(b, proof, () => b.vstoreAt(d, 16, () => b.vget(RESULT)));
    };
    either(b, plain, fast, () => b.float(key, d, s));
  });

vector('cvtps2pd', { forms: XMM_FORMS, memory: 8 }, (key) => (b, i) => {
  const d = b.place(i.d);
  const s = b.place(i.s);
  b.vload(s, 8);
  b.vset(SOURCE);
  loadMagnitude(b, PS, SOURCE, MAGNITUDE);
  plainOperand(b, PS, MAGNITUDE);
  allLanes(b, PS);
  const plain = b.popped();
  const fast = (): void =>
    b.vstoreAt(d, 16, () => {
      b.vget(SOURCE);
      b.simd(SIMD.f64PromoteLow);
    });
  either(b, plain, fast, () => b.float(key, d, s));
});

const inTypeScript =
  (key: string): VectorBody =>
  (b, i) => {
    const d = b.place(i.d);
    b.float(key, d, b.place(i.s));
    b.written(i.d, d);
  };
vector('cvtpi2ps cvtpi2pd', { forms: ['xq', 'xm'], memory: 8 }, inTypeScript);
vector('cvtps2pi cvttps2pi', { forms: ['qx', 'qm'], memory: 8 }, inTypeScript);
vector('cvtpd2pi cvttpd2pi', { forms: ['qx', 'qm'], memory: 16 }, inTypeScript);
