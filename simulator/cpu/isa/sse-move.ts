// MMX and SSE moves, shuffles, inserts and extracts. Register-to-register forms of movss, movsd keep the upper part of the
// destination, their loads clear it.

import type { Node } from '../emit/expressions.ts';
import { SIMD } from '../emit/simd.ts';
import * as L from '../layout.ts';
import type { Insn } from './builder.ts';
import { defRare } from './definitions.ts';
import { lanewise, vector } from './vector.ts';
import type { VectorBuilder, VectorBytes } from './vector-builder.ts';

const copy =
  (bytes: VectorBytes) =>
  (b: VectorBuilder, i: Insn): void => {
    const d = b.place(i.d);
    const s = b.place(i.s);
    b.vstore(i.d, d, bytes, () => b.vload(s, bytes));
  };
/** Copies `bytes` and clears the rest of an xmm destination. */
const copyAndClear =
  (bytes: VectorBytes) =>
  (b: VectorBuilder, i: Insn): void => {
    const d = b.place(i.d);
    const s = b.place(i.s);
    b.vstore(i.d, d, i.d.kind === 'x' ? 16 : bytes, () => b.vload(s, bytes));
  };
const MOVES = ['xx', 'xm', 'mx'];

vector('movaps movapd movdqa', { forms: MOVES }, () => copy(16));
vector('movups movupd movdqu', { forms: MOVES, unaligned: true }, () => copy(16));
vector('movntps movntpd movntdq', { forms: ['mx'] }, () => copy(16));
vector('lddqu', { forms: ['xm'], unaligned: true }, () => copy(16));
vector('movntq', { forms: ['mq'] }, () => copy(8));
for (const [name, memory] of [
  ['movss', 4],
  ['movsd', 8],
] as const)
  vector(name, { forms: MOVES, memory }, (key) => {
    const bytes = key === 'movss' ? 4 : 8;
    return (b, i) => (i.s.kind === 'm' ? copyAndClear(bytes)(b, i) : copy(bytes)(b, i));
  });
vector('movlps movlpd', { forms: ['xm', 'mx'], memory: 8 }, () => copy(8));
vector('movq', { forms: ['qq', 'qm', 'mq', 'xx', 'xm', 'mx'], memory: 8 }, () => copyAndClear(8));
vector('movq2dq movdq2q', { forms: ['xq', 'qx'] }, () => copyAndClear(8));

const half =
  (to: number, from: number) =>
  (b: VectorBuilder, i: Insn): void => {
    const d = b.place(i.d);
    const v = b.get(8, b.place(i.s), from);
    b.put(8, d, v, to);
  };
vector('movhps movhpd', { forms: ['xm', 'mx'], memory: 8 }, () => (b, i) => half(i.d.kind === 'x' ? 8 : 0, i.d.kind === 'x' ? 0 : 8)(b, i));
vector('movhlps', { forms: ['xx'] }, () => half(0, 8));
vector('movlhps', { forms: ['xx'] }, () => half(8, 0));

vector('movd', { forms: ['qr', 'qm', 'xr', 'xm', 'rq', 'mq', 'rx', 'mx'], sizes: [4, 8], memory: (_, w) => w }, () => (b, i) => {
  if (i.d.kind === 'x' || i.d.kind === 'q') {
    const d = b.place(i.d);
    const v = b.let(b.u64(b.rd(i.s, i.w)));
    b.put(8, d, v);
    if (i.d.kind === 'x') b.put(8, d, b.k64(0), 8);
    b.written(i.d, d);
  } else {
    const v = b.get(i.w, b.place(i.s));
    b.wr(i.d, i.w, v);
  }
});

vector('movmskps movmskpd', { forms: ['rx'] }, (key) => (b, i) => {
  const s = b.place(i.s);
  b.vload(s, 16);
  b.simd(key === 'movmskps' ? SIMD.i32Bitmask : SIMD.i64Bitmask);
  b.wr(i.d, 4, b.popped());
});
vector('pmovmskb', { forms: ['rq', 'rx'] }, () => (b, i) => {
  const s = b.place(i.s);
  b.vload(s, i.s.kind === 'q' ? 8 : 16);
  b.simd(SIMD.i8Bitmask);
  b.wr(i.d, 4, b.popped());
});

// ---- elements repeated or interleaved in a fixed order

/** Lanes of `bytes` bytes: n from the destination, 16 / bytes + n from the source. */
const lanes = (bytes: number, elements: readonly number[]): number[] =>
  elements.flatMap((e) => Array.from({ length: bytes }, (_, i) => e * bytes + i));
const fixedShuffle = (order: (mmx: boolean) => number[]) =>
  lanewise((b, d, s, i) => {
    d();
    s();
    b.vshuffle(order(i.d.kind === 'q'));
  });
/** Interleaves the low or high halves. */
const unpack = (bytes: number, high: boolean) =>
  fixedShuffle((mmx) => {
    const count = 16 / bytes;
    const n = (mmx ? count / 2 : count) / 2;
    const first = high ? n : 0;
    return lanes(bytes, Array.from({ length: n }, (_, k) => [first + k, count + first + k]).flat());
  });
const UNPACK: Record<string, number> = { bw: 1, wd: 2, dq: 4 };
for (const [suffix, bytes] of Object.entries(UNPACK)) {
  const memory = (form: string): number => (form.includes('q') ? 4 : 16);
  vector(`punpckl${suffix}`, { forms: ['qq', 'qm', 'xx', 'xm'], memory }, () => unpack(bytes, false));
  vector(`punpckh${suffix}`, { forms: ['qq', 'qm', 'xx', 'xm'] }, () => unpack(bytes, true));
}
vector('punpcklqdq unpcklpd', {}, () => unpack(8, false));
vector('punpckhqdq unpckhpd', {}, () => unpack(8, true));
vector('unpcklps', {}, () => unpack(4, false));
vector('unpckhps', {}, () => unpack(4, true));
vector('movsldup', {}, () => fixedShuffle(() => lanes(4, [4, 4, 6, 6])));
vector('movshdup', {}, () => fixedShuffle(() => lanes(4, [5, 5, 7, 7])));
vector('movddup', { memory: 8 }, () => (b, i) => {
  const d = b.place(i.d);
  const s = b.place(i.s);
  b.vstore(i.d, d, 16, () => b.vsplat(s, 8));
});

// ---- elements chosen by an immediate

const chosen = (b: VectorBuilder, i: Insn, shift: number, bits: number): Node =>
  b.and(b.shr(b.rd(i.t, 4), b.k32(shift)), b.k32((1 << bits) - 1));
/** Loads element number `index` (i32) of `w` bytes. */
const element = (b: VectorBuilder, at: Node, w: 2 | 4 | 8, index: Node, offset = 0): Node =>
  b.let(b.loadAt(w, b.add(at, b.shl(index, b.k32(Math.log2(w)))), offset));

const shuffle4 =
  (w: 2 | 4, offset: number) =>
  (b: VectorBuilder, i: Insn): void => {
    const d = b.place(i.d);
    const s = b.place(i.s);
    const values = [0, 1, 2, 3].map((n) => element(b, s, w, chosen(b, i, 2 * n, 2), offset));
    const rest = i.d.kind === 'x' && w === 2 ? b.get(8, s, 8 - offset) : null;
    values.forEach((v, n) => {
      b.put(w, d, v, offset + n * w);
    });
    if (rest !== null) b.put(8, d, rest, 8 - offset);
    b.written(i.d, d);
  };
const IMMEDIATE_FORMS = ['xxi', 'xmi'];
vector('pshufd', { forms: IMMEDIATE_FORMS }, () => shuffle4(4, 0));
vector('pshuflw', { forms: IMMEDIATE_FORMS }, () => shuffle4(2, 0));
vector('pshufhw', { forms: IMMEDIATE_FORMS }, () => shuffle4(2, 8));
vector('pshufw', { forms: ['qqi', 'qmi'] }, () => shuffle4(2, 0));
vector('shufps', { forms: IMMEDIATE_FORMS }, () => (b, i) => {
  const d = b.place(i.d);
  const s = b.place(i.s);
  const values = [0, 1, 2, 3].map((n) => element(b, n < 2 ? d : s, 4, chosen(b, i, 2 * n, 2)));
  values.forEach((v, n) => {
    b.put(4, d, v, 4 * n);
  });
});
vector('shufpd', { forms: IMMEDIATE_FORMS }, () => (b, i) => {
  const d = b.place(i.d);
  const s = b.place(i.s);
  const low = element(b, d, 8, chosen(b, i, 0, 1));
  const high = element(b, s, 8, chosen(b, i, 1, 1));
  b.put(8, d, low);
  b.put(8, d, high, 8);
});

vector('pinsrw', { forms: ['qri', 'qmi', 'xri', 'xmi'], memory: 2 }, () => (b, i) => {
  const d = b.place(i.d);
  const at = b.let(b.add(d, b.shl(chosen(b, i, 0, i.d.kind === 'q' ? 2 : 3), b.k32(1))));
  b.put(2, at, b.let(b.rd(i.s, 2)));
  b.written(i.d, d);
});
vector('pextrw', { forms: ['rqi', 'rxi'] }, () => (b, i) => {
  const s = b.place(i.s);
  b.wr(i.d, 4, element(b, s, 2, chosen(b, i, 0, i.s.kind === 'q' ? 2 : 3)));
});

// ---- bytes moved through memory: whole registers shifted

vector('psrldq pslldq', { forms: ['xi'] }, (key) => (b, i) => {
  const d = b.place(i.d);
  const count = b.let(b.rd(i.s, 1));
  const n = b.let(b.select(b.gtu(count, b.k32(16)), b.k32(16), count));
  const scratch = b.k32(L.VECTOR_SCRATCH);
  const zero = (): void => b.vconstant(0n, 0n);
  b.vstoreAt(scratch, 16, zero);
  b.vstoreAt(scratch, 16, () => b.vload(d, 16), 16);
  b.vstoreAt(scratch, 16, zero, 32);
  const from = b.let(key === 'psrldq' ? b.add(b.k32(L.VECTOR_SCRATCH + 16), n) : b.sub(b.k32(L.VECTOR_SCRATCH + 16), n));
  b.vstore(i.d, d, 16, () => b.vload(from, 16));
});

defRare('maskmovq maskmovdqu emms');
