// Integer arithmetic and logic.

import type { Node, Width } from '../emit/expressions.ts';
import type { Builder, Operand } from './builder.ts';
import { FLAG } from './builder.ts';
import { ALU_FORMS, def } from './definitions.ts';

def('add sub and or xor', { forms: ALU_FORMS }, (op) => (b, i) => {
  const { w } = i;
  const x = b.val(b.rd(i.d, w));
  const y = b.val(b.rd(i.s, w));
  const r = b.let(b[op as 'add' | 'sub' | 'and' | 'or' | 'xor'](x, y));
  if (op === 'add') b.flags('add', w, r, y);
  else if (op === 'sub') b.flags('sub', w, x, y);
  else b.resultFlags(w, r);
  b.wr(i.d, w, r);
});

def('cmp', { forms: ALU_FORMS, memory: 'r' }, () => (b, i) => b.flags('sub', i.w, b.rd(i.d, i.w), b.rd(i.s, i.w)));

def('test', { forms: ['rr', 'ri', 'mr', 'mi'], memory: 'r' }, () => (b, i) => b.resultFlags(i.w, b.and(b.rd(i.d, i.w), b.rd(i.s, i.w))));

def('adc sbb', { forms: ALU_FORMS }, (op) => (b, i) => {
  const { w } = i;
  const x = b.val(b.rd(i.d, w));
  const y = b.val(b.rd(i.s, w));
  const carry = b.let(b.cf());
  const c = b.to(w, carry);
  const r = b.let(op === 'adc' ? b.add(b.add(x, y), c) : b.sub(b.sub(x, y), c));
  const args = [b.any64(x), b.any64(y), b.u64(carry), b.k64(64 - 8 * w)];
  b.setFlags(b.let(b.helper(op === 'adc' ? 'addFlags' : 'subFlags', args)));
  b.wr(i.d, w, r);
});

def('inc dec', { forms: ['r', 'm'] }, (op) => (b, i) => {
  const { w } = i;
  const carry = b.let(b.cf());
  const x = b.rd(i.d, w);
  const r = b.let(op === 'inc' ? b.add(x, b.k(w, 1)) : b.sub(x, b.k(w, 1)));
  b.flags(op as 'inc' | 'dec', w, r, b.u64(carry));
  b.wr(i.d, w, r);
});

def('neg', { forms: ['r', 'm'] }, () => (b, i) => {
  const { w } = i;
  const x = b.let(b.rd(i.d, w));
  b.flags('sub', w, b.k(w, 0), x);
  b.wr(i.d, w, b.sub(b.k(w, 0), x));
});

def('not', { forms: ['r', 'm'] }, () => (b, i) => b.wr(i.d, i.w, b.xor(b.rd(i.d, i.w), b.k(i.w, -1))));

def('imul', { forms: ['rr', 'rm', 'rri', 'rmi'], sizes: [2, 4, 8], memory: 'r' }, () => (b, i) => {
  const { w } = i;
  const three = i.t.kind === 'i';
  const x = b.val(b.rd(three ? i.s : i.d, w));
  const y = b.val(b.rd(three ? i.t : i.s, w));
  const r = b.let(b.mul(x, y));
  b.flags('imul', w, x, y);
  b.wr(i.d, w, r);
});

/** Writes a double-width result to ax (bytes) or rdx:rax. */
function writeWide(b: Builder, w: Width, low: Node, high: Node): void {
  if (w === 1) b.setReg(0, 2, b.or(b.zx(1, low), b.shl(b.zx(1, high), b.k32(8))));
  else {
    b.setReg(0, w, low);
    b.setReg(2, w, high);
  }
}

def('mul imul1', { forms: ['r', 'm'], memory: 'r' }, (op) => (b, i) => {
  const { w } = i;
  const signed = op === 'imul1';
  let low: Node;
  let high: Node;
  let overflow: Node;
  const x = b.let(b.rd(i.d, w));
  const a = b.let(b.reg(0, w));
  if (w === 8) {
    low = b.let(b.mul(a, x));
    high = b.let(b.helper(signed ? 'mulhs' : 'mulhu', [a, x]));
    overflow = signed ? b.ne(high, b.sar(low, b.k64(63))) : b.ne(high, b.k64(0));
  } else {
    const wide = (v: Node): Node => (signed ? b.s64(b.sx(w, v)) : b.u64(b.zx(w, v)));
    const product = b.let(b.mul(wide(a), wide(x)));
    low = b.let(b.wrap(product));
    high = b.let(b.wrap(b.shr(product, b.k64(8 * w))));
    overflow = signed ? b.ne(b.s64(b.sx(w, low)), product) : b.ne(b.zx(w, high), b.k32(0));
  }
  const set = b.let(overflow);
  // s z a p are undefined: left as they were.
  b.mergeFlags(FLAG.c | FLAG.o, b.or(set, b.shl(set, b.k32(11))));
  writeWide(b, w, low, high);
});

/** Dividend of a byte, word or doubleword division as an i64. */
function narrowDividend(b: Builder, w: 1 | 2 | 4, signed: boolean): Node {
  if (w === 1) return signed ? b.s64(b.sx(2, b.reg(0, 2))) : b.u64(b.reg(0, 2));
  const high = b.u64(b.reg(2, w));
  const joined = b.or(b.shl(high, b.k64(8 * w)), b.u64(b.zx(w, b.reg(0, w))));
  return w === 2 && signed ? b.s64(b.wrap(joined)) : joined;
}

const DIVIDE_ERROR = 0;

def('div idiv', { forms: ['r', 'm'], memory: 'r' }, (op) => (b, i) => {
  const { w } = i;
  const signed = op === 'idiv';
  const operand: Operand = i.d;
  if (w === 8) {
    const x = b.let(b.rd(operand, 8));
    const low = b.let(b.reg(0, 8));
    const high = b.let(b.reg(2, 8));
    b.raiseIf(b.isZero(x), DIVIDE_ERROR);
    // One 64-bit division does when the upper half is only an extension and the quotient cannot overflow.
    const extension = signed ? b.eq(high, b.sar(low, b.k64(63))) : b.isZero(high);
    const simple = signed ? b.and(extension, b.ne(x, b.k64(-1))) : extension;
    b.if(
      simple,
      () => {
        const q = b.let(signed ? b.divs(low, x) : b.divu(low, x));
        const r = b.let(signed ? b.rems(low, x) : b.remu(low, x));
        writeWide(b, 8, q, r);
      },
      () => {
        // The rare body takes the divisor from SCRATCH: the operand is already read.
        b.divideWide(x, signed);
      },
    );
    return;
  }
  const x = b.let(signed ? b.s64(b.sx(w, b.rd(operand, w))) : b.u64(b.zx(w, b.rd(operand, w))));
  const n = b.let(narrowDividend(b, w, signed));
  b.raiseIf(b.isZero(x), DIVIDE_ERROR);
  if (signed && w === 4) b.raiseIf(b.and(b.eq(n, b.k64(-(1n << 63n))), b.eq(x, b.k64(-1))), DIVIDE_ERROR);
  const q = b.let(signed ? b.divs(n, x) : b.divu(n, x));
  const r = b.let(signed ? b.rems(n, x) : b.remu(n, x));
  const back = signed ? b.s64(b.sx(w, b.wrap(q))) : b.u64(b.zx(w, b.wrap(q)));
  b.raiseIf(b.ne(back, q), DIVIDE_ERROR);
  writeWide(b, w, b.wrap(q), b.wrap(r));
});

def('xadd', { forms: ['rr', 'mr'] }, () => (b, i) => {
  const { w } = i;
  const x = b.let(b.rd(i.d, w));
  const y = b.let(b.rd(i.s, w));
  const r = b.let(b.add(x, y));
  b.flags('add', w, r, y);
  // The source first: with both operands the same register the sum stays.
  b.wr(i.s, w, x);
  b.wr(i.d, w, r);
});

def('cmpxchg', { forms: ['rr', 'mr'] }, () => (b, i) => {
  const { w } = i;
  const x = b.let(b.rd(i.d, w));
  const a = b.let(b.reg(0, w));
  const s = b.let(b.rd(i.s, w));
  const equal = b.let(b.eq(b.zx(w, a), b.zx(w, x)));
  b.flags('sub', w, a, x);
  if (i.d.kind === 'm') {
    b.wr(i.d, w, b.select(equal, s, x));
    b.if(b.isZero(equal), () => b.setReg(0, w, x));
  } else
    b.if(
      equal,
      () => b.wr(i.d, w, s),
      () => b.setReg(0, w, x),
    );
});

def('cmpxchg8b', { forms: ['m'], sizes: [2, 4, 8], memorySize: 8 }, () => (b) => {
  const at = b.memory();
  const x = b.let(b.load(at, 8));
  const pair = (high: number, low: number): Node => b.or(b.shl(b.u64(b.reg(high, 4)), b.k64(32)), b.u64(b.reg(low, 4)));
  const equal = b.let(b.eq(x, pair(2, 0)));
  const value = b.let(b.select(equal, pair(1, 3), x));
  b.mergeFlags(FLAG.z, b.shl(equal, b.k32(6)));
  b.store(at, 8, value);
  b.if(b.isZero(equal), () => {
    b.setReg(0, 4, b.wrap(x));
    b.setReg(2, 4, b.wrap(b.shr(x, b.k64(32))));
  });
});

def('cmpxchg16b', { forms: ['m'], sizes: [8], memory: 'a' }, () => (b) => {
  const address = b.let(b.ea());
  b.raiseIf(b.nonZero(b.and(b.wrap(address), b.k32(15))), 13, 0);
  const at = b.translate(address, 16, 'w');
  const low = b.let(b.load(at, 8));
  const high = b.let(b.load(at, 8, 8));
  const equal = b.let(b.and(b.eq(low, b.reg(0, 8)), b.eq(high, b.reg(2, 8))));
  const newLow = b.let(b.select(equal, b.reg(3, 8), low));
  const newHigh = b.let(b.select(equal, b.reg(1, 8), high));
  b.mergeFlags(FLAG.z, b.shl(equal, b.k32(6)));
  b.store(at, 8, newLow);
  b.store(at, 8, newHigh, 8);
  b.if(b.isZero(equal), () => {
    b.setReg(0, 8, low);
    b.setReg(2, 8, high);
  });
});
