// The stack: push, pop, enter, leave, flags on the stack.

import { FLAG } from './builder.ts';
import { def, defRare } from './definitions.ts';

const WIDE = [2, 4, 8] as const;

def('push', { forms: ['r', 'i', 'm'], sizes: WIDE, memory: 'r' }, () => (b, i) => b.push(i.w, b.let(b.rd(i.d, i.w))));

def('pop', { forms: ['r'], sizes: WIDE }, () => (b, i) => {
  const v = b.top(i.w);
  b.setStackPointer(b.stackPlus(i.w));
  b.wr(i.d, i.w, v);
});
// The record writer adds the operand size to the displacement of a pop whose address is based on the stack pointer: the
// address counts from the stack pointer after the pop.
def('pop-memory', { forms: ['m'], sizes: WIDE, memory: 'a' }, () => (b, i) => {
  const v = b.top(i.w);
  const at = b.translate(b.ea(), i.w, 'w');
  b.store(at, i.w, v);
  b.setStackPointer(b.stackPlus(i.w));
});

def('leave', { sizes: WIDE }, () => (b, i) => {
  const frame = b.let(b.stackOffset(b.bits === 64 ? b.reg(5, 8) : b.u64(b.reg(5, 4))));
  const v = b.let(b.load(b.stackAccess(frame, i.w, 'r'), i.w));
  b.setStackPointer(b.stackOffset(b.add(frame, b.k64(i.w))));
  b.setReg(5, i.w, v);
});

def('pushf', { sizes: WIDE }, () => (b, i) => {
  const flags = b.let(b.and(b.or(b.eflags(), b.systemFlags()), b.k32(~(FLAG.rf | (1 << 17)))));
  b.push(i.w, b.to(i.w, flags));
});

defRare('popf enter pusha popa', { leaves: true });
