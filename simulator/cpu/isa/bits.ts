// Single bits, bit scans, byte order.

import type { Node, Width } from '../emit/expressions.ts';
import { type Builder, FLAG, type Insn } from './builder.ts';
import { def } from './definitions.ts';

const WIDE = [2, 4, 8] as const;

/** Changes the bit as bt/bts/btr/btc do; null: bt, nothing is written. */
function changed(b: Builder, op: string, x: Node, one: Node, w: Width): Node | null {
  if (op === 'bts') return b.or(x, one);
  if (op === 'btr') return b.and(x, b.xor(one, b.k(w, -1)));
  return op === 'btc' ? b.xor(x, one) : null;
}

function bitOffset(b: Builder, i: Insn): Node {
  return b.let(b.and(b.to(i.w, b.rd(i.s, i.s.kind === 'i' ? 1 : i.w)), b.k(i.w, 8 * i.w - 1)));
}

/** Address of the operand that holds the bit: a register offset reaches beyond the operand, signed, in units of the operand. */
function bitStringAddress(b: Builder, i: Insn): Node {
  const { w } = i;
  const ea = b.ea();
  if (i.s.kind === 'i') return ea;
  const shift = { 2: 4, 4: 5, 8: 6 }[w as 2 | 4 | 8];
  const offset = w === 8 ? b.rd(i.s, 8) : b.s64(b.sx(w, b.rd(i.s, w)));
  const sum = b.add(ea, b.shl(b.sar(offset, b.k64(shift)), b.k64(shift - 3)));
  return b.bits === 64 ? sum : b.u64(b.wrap(sum));
}

def('bt bts btr btc', { forms: ['rr', 'ri', 'mr', 'mi'], sizes: WIDE, memory: 'a' }, (op) => (b, i) => {
  const { w } = i;
  const at = i.d.kind === 'm' ? b.translate(bitStringAddress(b, i), w, op === 'bt' ? 'r' : 'w') : null;
  const n = bitOffset(b, i);
  const x = b.let(at === null ? b.rd(i.d, w) : b.load(at, w));
  const carry = b.let(b.and(b.wrap(b.shr(x, n)), b.k32(1)));
  b.mergeFlags(FLAG.c, carry);
  const r = changed(b, op, x, b.shl(b.k(w, 1), n), w);
  if (r === null) return;
  if (at === null) b.wr(i.d, w, r);
  else b.store(at, w, r);
});

def('bsf bsr', { forms: ['rr', 'rm'], sizes: WIDE, memory: 'r' }, (op) => (b, i) => {
  const { w } = i;
  const x = b.let(b.zx(w, b.rd(i.s, w)));
  const zero = b.let(b.isZero(x));
  b.mergeFlags(FLAG.z, b.shl(zero, b.k32(6)));
  const highest = w === 8 ? b.sub(b.k64(63), b.clz(x)) : b.sub(b.k32(31), b.clz(x));
  // A zero source leaves the destination alone, as all processors do.
  b.if(b.isZero(zero), () => b.wr(i.d, w, op === 'bsf' ? b.ctz(x) : highest));
});

def('popcnt', { forms: ['rr', 'rm'], sizes: WIDE, memory: 'r' }, () => (b, i) => {
  const x = b.let(b.zx(i.w, b.rd(i.s, i.w)));
  b.setFlags(b.shl(b.isZero(x), b.k32(6)));
  b.wr(i.d, i.w, b.popcnt(x));
});

function byteSwap32(b: Builder, x: Node): Node {
  const odd = b.and(b.rotl(x, b.k32(8)), b.k32(0x00ff00ff));
  return b.or(odd, b.and(b.rotr(x, b.k32(8)), b.k32(0xff00ff00 | 0)));
}
function byteSwap(b: Builder, w: Width, x: Node): Node {
  if (w === 4) return byteSwap32(b, x);
  const low = b.let(byteSwap32(b, b.wrap(x)));
  const high = b.let(byteSwap32(b, b.wrap(b.shr(x, b.k64(32)))));
  return b.or(b.shl(b.u64(low), b.k64(32)), b.u64(high));
}

def('bswap', { forms: ['r'], sizes: WIDE }, () => (b, i) => {
  const x = b.let(b.rd(i.d, i.w));
  // A 16-bit bswap is undefined; processors clear the register.
  b.wr(i.d, i.w, i.w === 2 ? b.k32(0) : byteSwap(b, i.w, x));
});
