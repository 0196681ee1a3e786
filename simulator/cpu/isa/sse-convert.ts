// SSE conversions. The processor's own where result and flags are known (see sse-float.ts), TypeScript for the rest.

import type { Node, Width } from '../emit/expressions.ts';
import { SIMD } from '../emit/simd.ts';
import type { Insn } from './builder.ts';
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
} as const;
const INEXACT_MASKED = 0x1020;
const INEXACT_MASKED_NEAREST = 0x7020;

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
/** `fast` when the condition holds, else the operation in TypeScript. */
function either(b: VectorBuilder, condition: Node, fast: () => void, slow: () => void): void {
  b.emit(condition);
  b.open('if', 'plain');
  fast();
  b.else();
  slow();
  b.close();
}
const inMode = (b: VectorBuilder, mask: number): Node => b.eq(b.and(b.mxcsr(), b.k32(mask)), b.k32(INEXACT_MASKED));

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
    const safe = b.and(
      within(b, m, element, LEAST_NORMAL[element], SAFE[element][w]),
      inMode(b, truncate ? INEXACT_MASKED : INEXACT_MASKED_NEAREST),
    );
    const fast = (): void => {
      b.emit(d);
      loadFloat(b, s, element);
      if (!truncate) b.byte(element === 4 ? WASM.f32Nearest : WASM.f64Nearest);
      b.byte(TRUNCATE[element][w]);
      if (w === 4) b.byte(0xad); // i64.extend_i32_u
      b.withMemory(0x37); // i64.store
      b.committed = true;
    };
    either(b, safe, fast, () => b.float(`${key}${w}`, d, s));
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
  const plain = b.and(within(b, magnitudeAt(b, s, 8), 8, SINGLE_FROM, SINGLE_TO), inMode(b, INEXACT_MASKED_NEAREST));
  const fast = (): void =>
    storeFloat(b, d, 4, () => {
      loadFloat(b, s, 8);
      b.byte(WASM.f32FromF64);
    });
  either(b, plain, fast, () => b.float(key, d, s));
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
vector('cvtdq2ps', { forms: XMM_FORMS }, (key) => (b, i) => {
  const d = b.place(i.d);
  const s = b.place(i.s);
  const fast = (): void =>
    b.vstoreAt(d, 16, () => {
      b.vload(s, 16);
      b.simd(SIMD.f32ConvertI32);
    });
  either(b, inMode(b, INEXACT_MASKED_NEAREST), fast, () => b.float(key, d, s));
});
const inTypeScript =
  (key: string): VectorBody =>
  (b, i) => {
    const d = b.place(i.d);
    b.float(key, d, b.place(i.s));
    b.written(i.d, d);
  };
vector('cvtps2pd', { forms: XMM_FORMS, memory: 8 }, inTypeScript);
vector('cvtpd2ps cvtps2dq cvttps2dq cvtpd2dq cvttpd2dq', { forms: XMM_FORMS }, inTypeScript);
vector('cvtpi2ps', { forms: ['xq', 'xm'], memory: 8 }, inTypeScript);
vector('cvtpi2pd', { forms: ['xq', 'xm'], memory: 8 }, inTypeScript);
vector('cvtps2pi cvttps2pi', { forms: ['qx', 'qm'], memory: 8 }, inTypeScript);
vector('cvtpd2pi cvttpd2pi', { forms: ['qx', 'qm'], memory: 16 }, inTypeScript);
