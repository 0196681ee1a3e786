// Shifts and rotates. The count is masked to 5 bits (6 for 64-bit operands); a count of 0 changes no flag.

import type { Node, Width } from '../emit/expressions.ts';
import { type Builder, FLAG, type Insn } from './builder.ts';
import { def } from './definitions.ts';

const FORMS = ['ri', 'rr', 'mi', 'mr'] as const;

function maskedCount(b: Builder, i: Insn): Node {
  return b.val(b.and(b.rd(i.s, 1), b.k32(i.w === 8 ? 63 : 31)));
}

def('shl shr sar', { forms: FORMS, sourceSizes: [1] }, (op) => (b, i) => {
  const { w } = i;
  const n = maskedCount(b, i);
  const x = b.let(b.rd(i.d, w));
  const count = b.to(w, n);
  const r = b.let(op === 'shl' ? b.shl(x, count) : op === 'shr' ? b.shr(b.zx(w, x), count) : b.sar(b.sx(w, x), count));
  b.wr(i.d, w, r);
  b.if(b.nonZero(n), () => b.flags(op as 'shl' | 'shr' | 'sar', w, x, b.u64(n)));
});

/** Sets c and o from i32 values of 0 or 1. */
function setCarryOverflow(b: Builder, c: Node, o: Node): void {
  b.mergeFlags(FLAG.c | FLAG.o, b.or(c, b.shl(o, b.k32(11))));
}

const top = (b: Builder, w: Width, r: Node, below = 0): Node => b.bit(r, 8 * w - 1 - below);

def('rol ror', { forms: FORMS, sourceSizes: [1] }, (op) => (b, i) => {
  const { w } = i;
  const n = maskedCount(b, i);
  const x = b.val(b.rd(i.d, w));
  // Narrow operands are repeated through 32 bits: rotating those rotates modulo the width.
  const spread = w === 1 ? b.mul(b.zx(1, x), b.k32(0x01010101)) : w === 2 ? b.or(b.zx(2, x), b.shl(x, b.k32(16))) : x;
  const r = b.let(op === 'rol' ? b.rotl(spread, b.to(w, n)) : b.rotr(spread, b.to(w, n)));
  b.wr(i.d, w, r);
  b.if(b.nonZero(n), () => {
    const high = b.let(top(b, w, r));
    if (op === 'rol') {
      const low = b.let(b.bit(r, 0));
      setCarryOverflow(b, low, b.xor(high, low));
    } else setCarryOverflow(b, high, b.xor(high, top(b, w, r, 1)));
  });
});

def('rcl rcr', { forms: FORMS, sourceSizes: [1] }, (op) => (b, i) => {
  const { w } = i;
  const left = op === 'rcl';
  const masked = maskedCount(b, i);
  const x = b.let(b.rd(i.d, w));
  const carry = b.let(b.u64(b.cf()));
  if (w === 8) {
    const n = b.let(b.u64(masked));
    const rest = b.let(b.sub(b.k64(64), n));
    const one = b.k64(1);
    // Two steps for the far part: a shift by 64 would be one by 0.
    const moved = left
      ? b.or(b.or(b.shl(x, n), b.shl(carry, b.sub(n, one))), b.shr(b.shr(x, one), rest))
      : b.or(b.or(b.shr(x, n), b.shl(carry, rest)), b.shl(b.shl(x, one), rest));
    const r = b.let(b.select(b.nonZero(n), moved, x));
    const out = b.let(b.and(b.wrap(left ? b.shr(x, rest) : b.shr(x, b.sub(n, one))), b.k32(1)));
    b.wr(i.d, 8, r);
    b.if(b.nonZero(n), () => setCarryOverflow(b, out, left ? b.xor(top(b, 8, r), out) : b.xor(top(b, 8, r), top(b, 8, r, 1))));
    return;
  }
  const length = 8 * w + 1;
  const n = b.let(b.u64(w === 4 ? masked : b.remu(masked, b.k32(length))));
  const v = b.let(b.or(b.shl(carry, b.k64(8 * w)), b.u64(b.zx(w, x))));
  const rest = b.sub(b.k64(length), n);
  const r = b.let(left ? b.or(b.shl(v, n), b.shr(v, rest)) : b.or(b.shr(v, n), b.shl(v, rest)));
  const value = b.let(b.wrap(r));
  b.wr(i.d, w, value);
  b.if(b.nonZero(n), () => {
    const out = b.let(b.bit(r, 8 * w));
    setCarryOverflow(b, out, left ? b.xor(top(b, w, value), out) : b.xor(top(b, w, value), top(b, w, value, 1)));
  });
});

def('shld shrd', { forms: ['rri', 'rrr', 'mri', 'mrr'], sizes: [2, 4, 8] }, (op) => (b, i) => {
  const { w } = i;
  const left = op === 'shld';
  const n = b.let(b.and(b.rd(i.t, 1), b.k32(w === 8 ? 63 : 31)));
  const x = b.let(b.rd(i.d, w));
  const y = b.let(b.rd(i.s, w));
  const bits = 8 * w;
  let r: Node;
  let carry: Node;
  if (w === 2) {
    // 32 bits of both operands; counts above 16 (undefined by the manuals) go on into the first operand again, as processors do.
    const joined = left ? b.or(b.shl(b.zx(2, x), b.k32(16)), b.zx(2, y)) : b.or(b.shl(b.zx(2, y), b.k32(16)), b.zx(2, x));
    const v = b.let(joined);
    const wide = b.let(b.or(b.shl(b.u64(v), b.k64(32)), b.u64(v)));
    const n64 = b.let(b.u64(n));
    r = b.let(left ? b.wrap(b.shr(b.shl(wide, n64), b.k64(48))) : b.wrap(b.shr(wide, n64)));
    carry = left
      ? b.and(b.wrap(b.shr(b.u64(v), b.sub(b.k64(32), n64))), b.k32(1))
      : b.and(b.wrap(b.shr(wide, b.sub(n64, b.k64(1)))), b.k32(1));
  } else {
    const k = b.let(b.to(w, n));
    const rest = b.let(b.sub(b.k(w, bits), k));
    // A count of 0 is sorted out below; the masked shift by `bits` then does no harm.
    r = b.let(left ? b.or(b.shl(x, k), b.shr(y, rest)) : b.or(b.shr(x, k), b.shl(y, rest)));
    r = b.let(b.select(b.nonZero(n), r, x));
    carry = b.and(b.wrap(left ? b.shr(x, rest) : b.shr(x, b.sub(k, b.k(w, 1)))), b.k32(1));
  }
  const c = b.let(carry);
  b.wr(i.d, w, r);
  b.if(b.nonZero(n), () => {
    b.resultFlags(w, r);
    setCarryOverflow(b, c, b.xor(top(b, w, r), top(b, w, x)));
  });
});
