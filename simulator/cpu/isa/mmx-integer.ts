// Packed integers of MMX and SSE2: one body for the 8-byte and the 16-byte registers.

import type { Node } from '../emit/expressions.ts';
import { SIMD } from '../emit/simd.ts';
import type { Insn } from './builder.ts';
import { BOTH_FORMS, lanewise, registerBytes, vector, XMM_FORMS } from './vector.ts';
import type { VectorBuilder } from './vector-builder.ts';

const FORMS = { forms: BOTH_FORMS };

const LANEWISE: Record<string, number> = {
  paddb: SIMD.i8Add,
  paddw: SIMD.i16Add,
  paddd: SIMD.i32Add,
  paddq: SIMD.i64Add,
  psubb: SIMD.i8Sub,
  psubw: SIMD.i16Sub,
  psubd: SIMD.i32Sub,
  psubq: SIMD.i64Sub,
  paddsb: SIMD.i8AddSatS,
  paddusb: SIMD.i8AddSatU,
  paddsw: SIMD.i16AddSatS,
  paddusw: SIMD.i16AddSatU,
  psubsb: SIMD.i8SubSatS,
  psubusb: SIMD.i8SubSatU,
  psubsw: SIMD.i16SubSatS,
  psubusw: SIMD.i16SubSatU,
  pminub: SIMD.i8MinU,
  pmaxub: SIMD.i8MaxU,
  pminsw: SIMD.i16MinS,
  pmaxsw: SIMD.i16MaxS,
  pavgb: SIMD.i8AverageU,
  pavgw: SIMD.i16AverageU,
  pmullw: SIMD.i16Mul,
  pmaddwd: SIMD.i32Dot,
  pcmpeqb: SIMD.i8Equal,
  pcmpeqw: SIMD.i16Equal,
  pcmpeqd: SIMD.i32Equal,
  pcmpgtb: SIMD.i8GreaterS,
  pcmpgtw: SIMD.i16GreaterS,
  pcmpgtd: SIMD.i32GreaterS,
  pand: SIMD.and,
  por: SIMD.or,
  pxor: SIMD.xor,
};
const plain = (op: number) =>
  lanewise((b, d, s) => {
    d();
    s();
    b.simd(op);
  });
for (const [key, op] of Object.entries(LANEWISE)) vector(key, FORMS, () => plain(op));
for (const [key, op] of Object.entries({ andp: SIMD.and, orp: SIMD.or, xorp: SIMD.xor }))
  vector(`${key}s ${key}d`, { forms: XMM_FORMS }, () => plain(op));

/** Not destination, and source. */
const andNot = lanewise((b, d, s) => {
  s();
  d();
  b.simd(SIMD.andNot);
});
vector('pandn', FORMS, () => andNot);
vector('andnps andnpd', { forms: XMM_FORMS }, () => andNot);

const PACK: Record<string, number> = { packsswb: SIMD.i8NarrowS, packuswb: SIMD.i8NarrowU, packssdw: SIMD.i16NarrowS };
/** Both low halves side by side. */
const JOIN = [0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23];
for (const [key, op] of Object.entries(PACK))
  vector(key, FORMS, () =>
    lanewise((b, d, s, i) => {
      d();
      s();
      if (i.d.kind === 'q') {
        b.vshuffle(JOIN);
        b.vset(0);
        b.vget(0);
        b.vget(0);
      }
      b.simd(op);
    }),
  );

/** High halves of the 16-bit products: the odd 16-bit lanes of both vectors of 32-bit products. */
const HIGH_WORDS = [2, 3, 6, 7, 10, 11, 14, 15, 18, 19, 22, 23, 26, 27, 30, 31];
const highProduct = (low: number, high: number) =>
  lanewise((b, d, s) => {
    d();
    s();
    b.simd(low);
    d();
    s();
    b.simd(high);
    b.vshuffle(HIGH_WORDS);
  });
vector('pmulhw', FORMS, () => highProduct(SIMD.i32ExtmulLowS, SIMD.i32ExtmulHighS));
vector('pmulhuw', FORMS, () => highProduct(SIMD.i32ExtmulLowU, SIMD.i32ExtmulHighU));

const LOW_32 = 0xffffffffn;
vector('pmuludq', FORMS, () =>
  lanewise((b, d, s) => {
    for (const operand of [d, s]) {
      operand();
      b.vrepeat(LOW_32, 8);
      b.simd(SIMD.and);
    }
    b.simd(SIMD.i64Mul);
  }),
);

vector('psadbw', FORMS, () =>
  lanewise((b, d, s) => {
    d();
    s();
    b.simd(SIMD.i8MaxU);
    d();
    s();
    b.simd(SIMD.i8MinU);
    b.simd(SIMD.i8Sub);
    b.simd(SIMD.i16ExtaddPairwiseU);
    b.simd(SIMD.i32ExtaddPairwiseU);
    b.vset(0);
    b.vget(0);
    b.vget(0);
    b.emit(b.k32(32));
    b.simd(SIMD.i64ShrU);
    b.simd(SIMD.i64Add);
    b.vrepeat(LOW_32, 8);
    b.simd(SIMD.and);
  }),
);

// ---- shifts: the count is the whole low quadword, or an immediate; counts beyond the width clear, or repeat the sign

const SHIFT_FORMS = ['qq', 'qm', 'xx', 'xm', 'qi', 'xi'];
const SHIFTS: Record<string, readonly [op: number, bits: number]> = {
  psllw: [SIMD.i16Shl, 16],
  pslld: [SIMD.i32Shl, 32],
  psllq: [SIMD.i64Shl, 64],
  psrlw: [SIMD.i16ShrU, 16],
  psrld: [SIMD.i32ShrU, 32],
  psrlq: [SIMD.i64ShrU, 64],
  psraw: [SIMD.i16ShrS, 16],
  psrad: [SIMD.i32ShrS, 32],
};
const count = (b: VectorBuilder, i: Insn): Node => b.let(i.s.kind === 'i' ? b.u64(b.rd(i.s, 1)) : b.loadAt(8, b.place(i.s), 0));
for (const [key, [op, bits]] of Object.entries(SHIFTS))
  vector(key, { forms: SHIFT_FORMS }, () => (b, i) => {
    const d = b.place(i.d);
    const n = count(b, i);
    const within = b.let(b.ltu(n, b.k64(bits)));
    const bytes = registerBytes(i);
    const signed = key.startsWith('psra');
    const by = b.let(b.wrap(signed ? b.select(within, n, b.k64(bits - 1)) : n));
    b.vstore(i.d, d, bytes, () => {
      b.vload(d, bytes);
      b.emit(by);
      b.simd(op);
      if (signed) return;
      b.emit(b.sub(b.k32(0), within));
      b.simd(SIMD.i32Splat);
      b.simd(SIMD.and);
    });
  });
