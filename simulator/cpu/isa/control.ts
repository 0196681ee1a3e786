// Near branches and traps.

import { def, defRare } from './definitions.ts';

const WIDE = [2, 4, 8] as const;
const branch = { forms: [''], sizes: [2, 4, 8] as const, jumps: true };

def('jcc', { ...branch, conditional: true }, () => (b, i) => b.branch(b.cond(i.cc)));
def('jmp', branch, () => (b) => b.goDirect());
def('call', branch, () => (b, i) => {
  b.push(i.w, i.w === 8 ? b.next() : b.wrap(b.next()));
  b.goDirect();
});

def('ret', { forms: ['', 'i'], sizes: WIDE, jumps: true }, () => (b, i) => {
  const v = b.top(i.w);
  const to = b.checkTarget(b.u64(b.zx(i.w, v)));
  const sp = i.d.kind === 'i' ? b.add(b.stackPlus(i.w), b.u64(b.rd(i.d, 2))) : b.stackPlus(i.w);
  b.setStackPointer(b.stackOffset(sp));
  b.goIndirect(to);
});

def(
  'jmp-ind',
  { forms: ['r', 'm'], sizes: WIDE, memory: 'r', jumps: true },
  () => (b, i) => b.goIndirect(b.checkTarget(b.let(b.u64(b.zx(i.w, b.rd(i.d, i.w)))))),
);
def('call-ind', { forms: ['r', 'm'], sizes: WIDE, memory: 'r', jumps: true }, () => (b, i) => {
  const v = b.let(b.u64(b.zx(i.w, b.rd(i.d, i.w))));
  // The stack is reached for before the target is checked.
  const sp = b.val(b.stackPlus(-i.w));
  const at = b.stackAccess(sp, i.w, 'w');
  const to = b.checkTarget(v);
  b.store(at, i.w, i.w === 8 ? b.next() : b.wrap(b.next()));
  b.setStackPointer(sp);
  b.goIndirect(to);
});

// Count in cx, ecx or rcx by address size, which the record writer passes as the width.
def('jcxz', branch, () => (b, i) => b.branch(b.isZero(b.reg(1, i.w))));
def('loop loopz loopnz', branch, (op) => (b, i) => {
  const more = op === 'loop' ? null : b.let(b.cond(op === 'loopz' ? 4 : 5));
  const n = b.let(b.sub(b.reg(1, i.w), b.k(i.w, 1)));
  b.setReg(1, i.w, n);
  const again = b.ne(b.zx(i.w, n), b.k(i.w, 0));
  b.branch(more === null ? again : b.and(again, more));
});

def('ud0 ud1 ud2', { forms: ['', 'rr', 'rm'], sizes: [2, 4, 8], memory: 'a', jumps: true }, () => (b) => b.raise(6));

defRare('int int3 int1 into syscall sysenter hlt', { jumps: true });
defRare('bound');
defRare('iret ret-far jmp-far call-far jmp-far-ind call-far-ind', { jumps: true });
