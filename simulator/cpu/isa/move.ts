// Moves, widening, conditional moves, exchange, no-operations.

import type { Width } from '../emit/expressions.ts';
import { ALU_FORMS, type Body, def } from './definitions.ts';

const WIDE = [2, 4, 8] as const;

def('mov', { forms: ALU_FORMS }, () => (b, i) => b.wr(i.d, i.w, b.rd(i.s, i.w)));
def('movnti', { forms: ['mr'], sizes: [4, 8], memory: 'w' }, () => (b, i) => b.wr(i.d, i.w, b.rd(i.s, i.w)));

def(
  'movzx',
  { forms: ['rr', 'rm'], sizes: WIDE, sourceSizes: [1, 2], memory: 'r' },
  () => (b, i) => b.wr(i.d, i.w, b.to(i.w, b.zx(i.sw, b.rd(i.s, i.sw)))),
);

const signExtend: Body = (b, i) => {
  const v = b.sx(i.sw, b.rd(i.s, i.sw));
  b.wr(i.d, i.w, i.w === 8 ? b.s64(v) : v);
};
def('movsx', { forms: ['rr', 'rm'], sizes: WIDE, sourceSizes: [1, 2], memory: 'r' }, () => signExtend);
// With a 16-bit operand size AMD's processors still read 32 bits, Intel's 16.
def('movsxd', { forms: ['rr', 'rm'], sizes: WIDE, sourceSizes: [2, 4], narrows: true, memory: 'r' }, () => signExtend);

def('lea', { forms: ['rm'], sizes: WIDE, memory: 'a' }, () => (b, i) => b.wr(i.d, i.w, i.w === 8 ? b.ea() : b.wrap(b.ea())));

def('xchg', { forms: ['rr', 'mr'] }, () => (b, i) => {
  const x = b.let(b.rd(i.d, i.w));
  const y = b.let(b.rd(i.s, i.w));
  b.wr(i.d, i.w, y);
  b.wr(i.s, i.w, x);
});

def('cmovcc', { forms: ['rr', 'rm'], sizes: WIDE, conditional: true, memory: 'r' }, () => (b, i) => {
  const v = b.let(b.rd(i.s, i.w));
  const yes = b.val(b.cond(i.cc));
  // A false 32-bit cmov still clears the upper half.
  b.wr(i.d, i.w, b.select(yes, v, b.rd(i.d, i.w)));
});

def('setcc', { forms: ['r', 'm'], sizes: [1], conditional: true, memory: 'w' }, () => (b, i) => b.wr(i.d, 1, b.cond(i.cc)));

def('cbw', { sizes: WIDE }, () => (b, i) => {
  const half = (i.w / 2) as Width;
  const v = b.sx(half, b.reg(0, half));
  b.setReg(0, i.w, i.w === 8 ? b.s64(v) : v);
});

def('cwd', { sizes: WIDE }, () => (b, i) => {
  const v = b.sx(i.w, b.reg(0, i.w));
  b.setReg(2, i.w, b.sar(v, b.k(i.w, i.w === 8 ? 63 : 31)));
});

def('nop', { forms: ['', 'r', 'm'], memory: 'a' }, () => () => {});
def('pause endbr lfence mfence sfence', {}, () => () => {});
def('prefetch', { forms: ['m'], memory: 'a' }, () => () => {});
def('clflush', { forms: ['m'], memory: 'r', memorySize: 1 }, () => () => {});
